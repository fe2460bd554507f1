"""One trial of re-identification: what the attacker holds, and the truth to score it by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
# Float32 sums of unit vectors err by a few 1e-7; a candidate at the rim must not be shut out.
_RADIUS_RELATIVE: Final = 1e-4
_RADIUS_ABSOLUTE: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Ciphertexts with the key removed, candidates without noise, and whose is whose.

    ``truth[i]`` is the candidate of ciphertext i, for scoring only. The group of a row is a code
    for its combination of clear columns: the attacker looks only among candidates of the
    ciphertext's own group.
    """

    ciphertexts: Doubles = field(repr=False)
    candidates: Doubles = field(repr=False)
    truth: Ints = field(repr=False)
    ciphertext_groups: Ints = field(repr=False)
    candidate_groups: Ints = field(repr=False)
    radius: float

    @property
    def reach(self) -> float:
        """The radius within which the true candidate certainly is, rounding included."""
        return self.radius * (1.0 + _RADIUS_RELATIVE) + _RADIUS_ABSOLUTE

    def groups(self) -> Iterator[tuple[Ints, Ints]]:
        """Indices of ciphertexts and of candidates, group by group."""
        rows = _members(self.ciphertext_groups)
        candidates = _members(self.candidate_groups)
        for code in sorted(rows):
            yield rows[code], candidates[code]


def _members(codes: Ints) -> dict[int, Ints]:
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    return dict(zip(present.tolist(), np.split(order, starts[1:]), strict=True))


def trial(
    ciphertexts: Floats,
    candidates: Floats,
    *,
    truth: npt.ArrayLike,
    ciphertext_groups: npt.ArrayLike,
    candidate_groups: npt.ArrayLike,
    radius: float,
) -> Trial:
    """The checked trial.

    Raises:
        DimensionError: shapes disagree (code ``dimension``).
        InputError: code ``no_rows``, ``not_finite``, ``groups`` (a truth outside its own group),
            ``truth`` (not an index of a candidate) or ``radius``.
    """
    c, x = _vectors(ciphertexts, "ciphertexts"), _vectors(candidates, "candidates")
    if c.shape[1] != x.shape[1]:
        raise DimensionError(
            f"ciphertexts have {c.shape[1]} columns, candidates {x.shape[1]}",
            code="dimension",
            hint="pass both in the same space",
        )
    index = _codes(truth, len(c), "truth")
    if index.min() < 0 or index.max() >= len(x):
        raise InputError(
            f"truth holds an index outside 0 to {len(x) - 1}",
            code="truth",
            hint="each ciphertext's own row must be among the candidates",
        )
    of_rows = _codes(ciphertext_groups, len(c), "ciphertext_groups")
    of_candidates = _codes(candidate_groups, len(x), "candidate_groups")
    if not np.array_equal(of_rows, of_candidates[index]):
        raise InputError(
            "a ciphertext and its own candidate are in different groups",
            code="groups",
            hint="code the clear columns of both with one table",
        )
    if not radius >= 0.0:
        raise InputError(
            f"radius is at least 0; found {radius}", code="radius", hint="pass the noise radius"
        )
    return Trial(c, x, index, of_rows, of_candidates, float(radius))


def _vectors(values: Floats, name: str) -> Doubles:
    vectors = np.asarray(values, dtype=np.float64)
    if vectors.ndim != 2:
        raise DimensionError(
            f"{name}: expected shape (n, dim); found {vectors.shape}",
            code="dimension",
            hint="pass one row per vector",
        )
    if len(vectors) == 0:
        raise InputError(f"{name}: no rows", code="no_rows", hint="measure at least one row")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{name}: row {int(np.argmin(finite))} holds NaN or infinity",
            code="not_finite",
            hint="remove or repair the row",
        )
    return vectors


def _codes(values: npt.ArrayLike, n: int, name: str) -> Ints:
    codes = np.asarray(values, dtype=np.int64)
    if codes.shape != (n,):
        raise DimensionError(
            f"{name}: expected shape ({n},); found {codes.shape}",
            code="dimension",
            hint="pass one whole number per row",
        )
    return codes
