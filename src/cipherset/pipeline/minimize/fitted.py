"""A fitted minimizer: its map, the owner's head on top of it, and both as plain arrays.

The arrays are what is sealed; ``load`` is the inverse of ``arrays`` and trusts nothing: names,
shapes and finiteness are checked before the first row is mapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError, IntegrityError
from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.minimize.network import Codes, softmax, unit_rows
from cipherset.pipeline.minimize.spec import MinimizerKind, parse_spec

Labels = (
    npt.NDArray[np.int64] | npt.NDArray[np.float32] | npt.NDArray[np.float64] | npt.NDArray[np.int8]
)

# Rows mapped at once: the hidden layer of a block stays in the cache.
BLOCK_ROWS: Final = 4096
_NETWORKS: Final = (MinimizerKind.BOTTLENECK, MinimizerKind.DP_BOTTLENECK)
_AXES: Final = ("offset", "axes")
_NETWORK: Final = ("w1", "b1", "w2", "b2", "w3", "b3")
_SHRINK: Final = ("anchors", "shrink")
_HEAD: Final = ("head_matrix", "head_offset")
_PLACED: Final = ("row_anchors", "beyond")


class Placed(NamedTuple):
    """Minimized rows (n, k) as they are exported, and which of them were moved, shape (n,)."""

    rows: Float32s
    moved: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FittedMinimizer:
    """Maps unit-norm rows (n, dim_in) to unit-norm rows (n, dim); holds data-derived arrays."""

    spec: str
    dim_in: int
    dim: int
    _arrays: Mapping[str, Floats] = field(repr=False)

    def arrays(self) -> Mapping[str, Floats]:
        """Map and head by name: derived from the rows of the fit, so never in the clear."""
        return dict(self._arrays)

    def transform(self, x: Floats) -> Float32s:
        """The minimized rows, shape (n, dim), float32 and of unit norm.

        Raises:
            DimensionError: ``vector_width``, x is not (n, dim_in).
            InputError: ``vector_not_finite``, NaN or infinity.
        """
        rows = check_rows(x, dim_in=self.dim_in)
        out = np.empty((len(rows), self.dim), dtype=np.float32)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            out[block] = self._map(rows[block])
        return out

    def log_probabilities(self, x: Floats) -> Floats:
        """Of each class, shape (n, classes): by its network before shrinking, or by its head.

        What whoever has stolen the minimizer can ask it; it remembers its rows a little.

        Raises:
            DimensionError, InputError: as ``transform``; ``no_head``, fitted without classes.
        """
        if "classes" not in self._arrays:
            raise _no_head(self.spec, "classes")
        arrays = self._arrays
        if "w3" not in arrays:
            logits = self.transform(x) @ arrays["head_matrix"] + arrays["head_offset"]
        else:
            rows = check_rows(x, dim_in=self.dim_in)
            hidden = np.maximum(rows @ arrays["w1"] + arrays["b1"], 0.0)
            z = unit_rows(hidden @ arrays["w2"] + arrays["b2"])
            logits = z @ arrays["w3"] + arrays["b3"]
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))

    def anchored(self, anchors: Floats, *, beyond: float) -> "FittedMinimizer":
        """The same map, whose ``place`` moves rows farther than ``beyond`` from their anchor.

        ``anchors``, shape (classes, dim), are in the order of the codes. At 0 every row is moved:
        what is exported of it is its label.

        Raises:
            InputError: ``no_head``, fitted without classes.
            IntegrityError: ``minimizer_arrays``, not an anchor per class or ``beyond`` not finite.
        """
        if "classes" not in self._arrays:
            raise _no_head(self.spec, "classes")
        rule = {"row_anchors": np.asarray(anchors, dtype=np.float32), "beyond": np.array([beyond])}
        return load(self.spec, {**self._arrays, **rule})

    @property
    def is_shrunk(self) -> bool:
        """Whether nothing is left of a row but the class probabilities that the network sees."""
        return "shrink" in self._arrays and float(self._arrays["shrink"][0]) == 1

    @property
    def beyond(self) -> float | None:
        """How far from its class's anchor a row may lie and be exported as it is; None: any."""
        return float(self._arrays["beyond"][0]) if "beyond" in self._arrays else None

    def place(self, x: Floats, y: Labels) -> Placed:
        """``transform(x)`` for rows to be exported with labels ``y``, shape (n,).

        With a rule, a row that lies too far from the anchor of its class is moved onto it, and
        one of a class that was not fitted onto the nearest anchor. Whoever holds the minimizer
        can do the same to a candidate.
        """
        z = self.transform(x)
        if self.beyond is None:
            return Placed(z, np.zeros(len(z), dtype=bool))
        anchors, classes = self._arrays["row_anchors"], self._arrays["classes"]
        code = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        known = classes[code] == y
        own = anchors[np.where(known, code, (z @ anchors.T).argmax(axis=1))]
        moved = ~known | (np.linalg.norm(z - own, axis=1) > self.beyond)
        z[moved] = own[moved]
        return Placed(z, moved)

    def head_predict(self, z: Floats) -> Codes:
        """The owner's head: the class code of each noise-free minimized row, shape (n,).

        Raises:
            InputError: ``no_head``, fitted without classes.
        """
        codes = self._arrays.get("classes")
        if codes is None:
            raise _no_head(self.spec, "classes")
        best = self._scores(z).argmax(axis=1)
        return np.asarray(codes[best], dtype=np.int64)

    def head_value(self, z: Floats) -> Floats:
        """The owner's head for numeric labels: the value of each minimized row, shape (n,).

        Raises:
            InputError: ``no_head``, fitted without numeric labels.
        """
        if self._n_scores != 1:
            raise _no_head(self.spec, "numeric labels")
        return self._scores(z)[:, 0]

    def head_sets(self, z: Floats) -> npt.NDArray[np.int8]:
        """The owner's head for several labels a row: 0 or 1 for each, shape (n, labels).

        Raises:
            InputError: ``no_head``, fitted without such labels.
        """
        if self._n_scores < 2:
            raise _no_head(self.spec, "several labels a row")
        return (self._scores(z) > 0).astype(np.int8)

    @property
    def _n_scores(self) -> int:
        """How many scores a head without classes has."""
        if "head_matrix" not in self._arrays or "classes" in self._arrays:
            return 0
        return int(self._arrays["head_matrix"].shape[1])

    def _scores(self, z: Floats) -> Floats:
        rows = check_rows(z, dim_in=self.dim)
        return rows @ self._arrays["head_matrix"] + self._arrays["head_offset"]

    def _map(self, x: Float32s) -> Float32s:
        a = self._arrays
        if "w1" in a:
            hidden = np.maximum(x @ a["w1"] + a["b1"], 0)
            return self._shrunk(unit_rows(hidden @ a["w2"] + a["b2"]))
        if "axes" in a:
            return np.asarray(unit_rows((x - a["offset"]) @ a["axes"]), dtype=np.float32)
        return np.asarray(unit_rows(x), dtype=np.float32)

    def _shrunk(self, z: Floats) -> Float32s:
        share = float(self._arrays["shrink"][0])
        if share > 0:
            scores = z @ self._arrays["w3"] + self._arrays["b3"]
            z = unit_rows((1 - share) * z + share * (softmax(scores) @ self._arrays["anchors"]))
        return np.asarray(z, dtype=np.float32)


def load(spec: str, arrays: Mapping[str, Floats]) -> FittedMinimizer:
    """The minimizer whose ``arrays()`` these are.

    Raises:
        InputError: ``minimizer_spec``.
        IntegrityError: ``minimizer_arrays``, an array is missing, not finite or of another shape.
    """
    parsed = parse_spec(spec)
    _check_arrays(parsed.kind, arrays)
    kept: dict[str, Floats] = {name: values.copy() for name, values in arrays.items()}
    if parsed.kind is MinimizerKind.NONE:
        dim_in = dim = int(kept["width"][0])
    else:
        first, last = ("w1", "w2") if parsed.kind in _NETWORKS else ("axes", "axes")
        dim_in, dim = kept[first].shape[0], kept[last].shape[1]
    if parsed.dim not in {None, dim}:
        raise _bad_arrays(spec)
    return FittedMinimizer(spec, dim_in, dim, kept)


def check_rows(x: Floats, *, dim_in: int | None = None) -> Float32s:
    """``x`` as float32.

    Raises:
        DimensionError: ``vector_width``, not a matrix, or not ``dim_in`` columns.
        InputError: ``vector_not_finite``, NaN or infinity.
    """
    if x.ndim != 2 or (dim_in is not None and x.shape[1] != dim_in):
        raise DimensionError(
            f"vectors of shape {x.shape}, expected (n, {dim_in or 'd'})",
            code="vector_width",
            hint="use the encoder that the minimizer was fitted with",
        )
    if not np.isfinite(x).all():
        raise InputError(
            f"row {int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])} holds NaN or infinity",
            code="vector_not_finite",
            hint="drop or mend that row",
        )
    return np.asarray(x, dtype=np.float32)


def _check_arrays(kind: MinimizerKind, arrays: Mapping[str, Floats]) -> None:
    needed: tuple[str, ...] = _AXES
    if kind in _NETWORKS:
        needed = (*_NETWORK, *_SHRINK)
    elif kind is MinimizerKind.NONE:
        needed = ("width",)
    allowed = {*needed, *_HEAD, *_PLACED, "classes"}
    ruled = set(_PLACED) & set(arrays)
    if not set(needed) <= set(arrays) <= allowed or (
        ruled and not {*_PLACED, "classes"} <= set(arrays)
    ):
        raise _bad_arrays(kind.value)
    shapes = {name: values.shape for name, values in arrays.items()}
    numeric = all(v.dtype.kind == "f" and np.isfinite(v).all() for v in arrays.values())
    if not numeric or not _fits(shapes):
        raise _bad_arrays(kind.value)


def _fits(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether the layers fit onto one another."""
    sizes: dict[str, int] = {}
    letters = {
        "offset": "d", "axes": "dk", "width": "1",
        "w1": "dh", "b1": "h", "w2": "hk", "b2": "k", "w3": "kc", "b3": "c",
        "anchors": "ck", "shrink": "1", "head_matrix": "kc", "head_offset": "c", "classes": "c",
        "row_anchors": "ck", "beyond": "1",
    }  # fmt: skip
    return all(
        len(shape) == len(letters[name])
        and all(
            sizes.setdefault(a, size) == size for a, size in zip(letters[name], shape, strict=True)
        )
        and min(shape) > 0
        for name, shape in shapes.items()
    )


def _bad_arrays(what: str) -> IntegrityError:
    return IntegrityError(
        f"the stored arrays of the minimizer are not those of {what}",
        code="minimizer_arrays",
        hint="restore the workspace from a backup; a minimizer is never refitted under its key",
    )


def _no_head(spec: str, kind: str) -> InputError:
    return InputError(
        f"the {spec} minimizer was fitted without {kind}, so it has no such head",
        code="no_head",
        hint="fit it with the labels",
    )
