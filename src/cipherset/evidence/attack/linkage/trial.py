"""One trial of re-identification: what the attacker holds, and the truth to score it by."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats, NoiseKind, NoiseLaw

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
# Float32 sums of unit vectors err by a few 1e-7; a candidate at the rim must not be shut out.
_RADIUS_RELATIVE: Final = 1e-4
_RADIUS_ABSOLUTE: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What one export gives: ciphertexts (m, dim) with its key removed, and candidates (N, dim).

    The candidates went through its minimizer and carry no noise. ``noise`` is the law of its own,
    in this space.
    """

    ciphertexts: Floats = field(repr=False)
    candidates: Floats = field(repr=False)
    noise: NoiseLaw

    @property
    def reach(self) -> float:
        """The radius within which the true candidate certainly is, rounding included."""
        if self.is_gaussian:
            return math.inf
        return self.noise.size * (1.0 + _RADIUS_RELATIVE) + _RADIUS_ABSOLUTE

    @property
    def is_gaussian(self) -> bool:
        """Whether its noise weighs candidates instead of excluding them."""
        return self.noise.kind is NoiseKind.GAUSSIAN


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What the attacker holds of the same rows, one block per export, and whose is whose.

    Row i of every block is one source row. ``truth[i]`` is its candidate, for scoring only. The
    group of a row is a code for its combination of clear columns: the attacker looks only among
    candidates of the ciphertext's own group.
    """

    blocks: tuple[Block, ...]
    truth: Ints = field(repr=False)
    ciphertext_groups: Ints = field(repr=False)
    candidate_groups: Ints = field(repr=False)

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
    blocks: Sequence[Block],
    *,
    truth: npt.ArrayLike,
    ciphertext_groups: npt.ArrayLike,
    candidate_groups: npt.ArrayLike,
) -> Trial:
    """The checked trial.

    Raises:
        DimensionError: shapes disagree (code ``dimension``).
        InputError: code ``no_rows`` (no block or an empty one), ``not_finite``, ``groups`` (a
            truth outside its own group), ``truth`` (not an index of a candidate) or ``noise_size``.
    """
    checked = tuple(_block(block) for block in blocks)
    if not checked:
        raise InputError("no exports", code="no_rows", hint="measure at least one export")
    m, n = len(checked[0].ciphertexts), len(checked[0].candidates)
    if any((len(b.ciphertexts), len(b.candidates)) != (m, n) for b in checked):
        raise DimensionError(
            "the blocks are not of the same rows and candidates",
            code="dimension",
            hint="pass the same rows in the same order for every export",
        )
    index = _codes(truth, m, "truth")
    if index.min() < 0 or index.max() >= n:
        raise InputError(
            f"truth holds an index outside 0 to {n - 1}",
            code="truth",
            hint="each ciphertext's own row must be among the candidates",
        )
    of_rows = _codes(ciphertext_groups, m, "ciphertext_groups")
    of_candidates = _codes(candidate_groups, n, "candidate_groups")
    if not np.array_equal(of_rows, of_candidates[index]):
        raise InputError(
            "a ciphertext and its own candidate are in different groups",
            code="groups",
            hint="code the clear columns of both with one table",
        )
    return Trial(checked, index, of_rows, of_candidates)


def _block(block: Block) -> Block:
    c, x = _vectors(block.ciphertexts, "ciphertexts"), _vectors(block.candidates, "candidates")
    if c.shape[1] != x.shape[1]:
        raise DimensionError(
            f"ciphertexts have {c.shape[1]} columns, candidates {x.shape[1]}",
            code="dimension",
            hint="pass both in the same space",
        )
    size = block.noise.size
    if not (0.0 < size < math.inf if block.is_gaussian else size >= 0.0):
        raise InputError(
            f"a radius is at least 0, a standard deviation above it; found {block.noise}",
            code="noise_size",
            hint="pass the law of the noise in the space of the candidates",
        )
    return Block(c, x, block.noise)


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
