"""The nearest candidate, and how many candidates the noise leaves possible."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.evidence.attack.trial import Doubles, Ints, Trial

_BLOCK_ENTRIES: Final = 2**21  # distances held at a time: 16 MiB
_TIE: Final = 1e-9  # of squared distances of unit vectors: rounding, far below any noise


@dataclass(frozen=True, slots=True, eq=False)
class NearestScores:
    """One entry per ciphertext, each of shape (m,).

    ``success``: 1 where its own candidate is the nearest, 1 / t where it shares that place with
    t - 1 others, else 0. ``reciprocal_rank``: 1 / rank, the middle rank where tied. ``possible``:
    the number of candidates within the noise radius. ``group_size``: the number of candidates in
    its group.
    """

    success: Doubles = field(repr=False)
    reciprocal_rank: Doubles = field(repr=False)
    possible: Ints = field(repr=False)
    group_size: Ints = field(repr=False)


def score_nearest(trial: Trial) -> NearestScores:
    """Each ciphertext goes to the nearest candidate of its group.

    Knows: the file, the key, the minimizer, the clear columns and the candidates. For noise that
    is uniform in a ball no rule that looks at one row at a time is better: every candidate within
    the radius is equally likely, and the nearest is one of them.
    """
    m = len(trial.ciphertexts)
    success, reciprocal = np.zeros(m), np.zeros(m)
    possible, size = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    for rows, members in trial.groups():
        size[rows] = len(members)
        for block, squared in squared_distances(trial, rows, members):
            own = own_column(trial, block, members)
            mine = squared[np.arange(len(block)), own][:, np.newaxis]
            nearer = (squared < mine - _TIE).sum(axis=1)
            tied = (np.abs(squared - mine) <= _TIE).sum(axis=1)
            success[block] = np.where(nearer == 0, 1.0 / tied, 0.0)
            reciprocal[block] = 1.0 / (nearer + (tied + 1) / 2.0)
            possible[block] = (squared <= trial.reach**2).sum(axis=1)
    return NearestScores(success, reciprocal, possible, size)


def squared_distances(
    trial: Trial, rows: Ints, members: Ints
) -> Iterator[tuple[Ints, npt.NDArray[np.float64]]]:
    """Blocks of ``rows`` and their squared distances to ``members``, shape (block, members).

    ``|c|**2 + |x|**2 - 2 * c @ x``, in float64 so that a distance of 0 comes out as 1e-8 at most.
    """
    candidates = trial.candidates[members]
    norms = np.einsum("ij,ij->i", candidates, candidates)
    step = max(_BLOCK_ENTRIES // len(members), 1)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        ciphertexts = trial.ciphertexts[block]
        squared = ciphertexts @ candidates.T
        squared *= -2.0
        squared += np.einsum("ij,ij->i", ciphertexts, ciphertexts)[:, np.newaxis]
        squared += norms
        yield block, squared


def own_column(trial: Trial, rows: Ints, members: Ints) -> Ints:
    """Where in ``members``, which ascend, each row's own candidate stands."""
    return np.searchsorted(members, trial.truth[rows]).astype(np.int64)
