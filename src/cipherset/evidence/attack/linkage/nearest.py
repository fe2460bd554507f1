"""The nearest candidate, and how many candidates the noise leaves possible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.evidence.attack.linkage.trial import Block, Doubles, Ints, Trial

_BLOCK_ENTRIES: Final = 2**21  # distances held at a time: 16 MiB
_LEAST_UNIT: Final = 1e-3  # of an export without noise: squared it is far above rounding
_SHUT_OUT: Final = 1e9  # above any sum of squared distances in units of 1e-3
_TIE: Final = 1e-9  # of squared distances of unit vectors: rounding, far below any noise

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class NearestScores:
    """One entry per ciphertext, each of shape (m,).

    ``success``: 1 where its own candidate is the nearest, 1 / t where it shares that place with
    t - 1 others, else 0. ``reciprocal_rank``: 1 / rank, the middle rank where tied. ``possible``:
    the number of candidates that the noise does not exclude. ``group_size``: the number of
    candidates in its group.
    """

    success: Doubles = field(repr=False)
    reciprocal_rank: Doubles = field(repr=False)
    possible: Ints = field(repr=False)
    group_size: Ints = field(repr=False)


def score_nearest(trial: Trial) -> NearestScores:
    """Each ciphertext goes to the nearest candidate of its group.

    Knows: the file, the key, the minimizer, the clear columns and the candidates. For noise that
    is uniform in a ball no rule that looks at one row at a time is better: every candidate within
    the radius is equally likely, and the nearest is one of them; for Gaussian noise the nearest is
    the likeliest. Of several exports, a candidate that any one of them excludes comes last.
    """
    m = len(trial.truth)
    success, reciprocal = np.zeros(m), np.zeros(m)
    possible, size = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    for rows, members in trial.groups():
        size[rows] = len(members)
        for block, distance, within in compare(trial, rows, members):
            own = own_column(trial, block, members)
            mine = distance[np.arange(len(block)), own][:, np.newaxis]
            nearer = (distance < mine - _TIE).sum(axis=1)
            tied = (np.abs(distance - mine) <= _TIE).sum(axis=1)
            success[block] = np.where(nearer == 0, 1.0 / tied, 0.0)
            reciprocal[block] = 1.0 / (nearer + (tied + 1) / 2.0)
            possible[block] = within.sum(axis=1)
    return NearestScores(success, reciprocal, possible, size)


def compare(trial: Trial, rows: Ints, members: Ints) -> Iterator[tuple[Ints, Doubles, Bools]]:
    """Parts of ``rows``, their distances to ``members``, and which of these are possible.

    Both of shape (part, members). Of one export the distance is the squared Euclidean one. Of
    several it is the sum of ``squared / sigma**2`` over those with Gaussian noise, -2 times the
    logarithm of the likelihood; where there are none, of ``squared / reach**2``, so that each
    counts in units of its own noise. It is more than any such sum where a candidate is outside
    the reach of any.
    """
    step = max(_BLOCK_ENTRIES // len(members), 1)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        if len(trial.blocks) == 1:
            (only,) = trial.blocks
            squared = squared_distances(only, part, members)
            yield part, squared, squared <= only.reach**2
        else:
            yield part, *_joined(trial.blocks, part, members)


def _joined(blocks: Sequence[Block], rows: Ints, members: Ints) -> tuple[Doubles, Bools]:
    distance = np.zeros((len(rows), len(members)))
    possible = np.ones(distance.shape, dtype=bool)
    weighed = any(block.is_gaussian for block in blocks)
    for block in blocks:
        squared = squared_distances(block, rows, members)
        possible &= squared <= block.reach**2
        # Beside one that weighs, a ball tells nothing but what it excludes.
        if block.is_gaussian or not weighed:
            unit = block.noise.size if block.is_gaussian else block.reach
            distance += squared / max(unit, _LEAST_UNIT) ** 2
    distance[~possible] += _SHUT_OUT
    return distance, possible


def squared_distances(block: Block, rows: Ints, members: Ints) -> Doubles:
    """Squared distances of some ciphertexts to some candidates, shape (rows, members).

    ``|c|**2 + |x|**2 - 2 * c @ x``, in float64 so that a distance of 0 comes out as 1e-8 at most.
    """
    ciphertexts, candidates = block.ciphertexts[rows], block.candidates[members]
    squared = ciphertexts @ candidates.T
    squared *= -2.0
    squared += np.einsum("ij,ij->i", ciphertexts, ciphertexts)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", candidates, candidates)
    return np.asarray(squared, dtype=np.float64)


def own_column(trial: Trial, rows: Ints, members: Ints) -> Ints:
    """Where in ``members``, which ascend, each row's own candidate stands."""
    return np.searchsorted(members, trial.truth[rows]).astype(np.int64)
