"""All ciphertexts at once: no two of them belong to one candidate, and that tells more.

The nearest-neighbor attacker decides row by row. But where each ciphertext is of a different
candidate, a candidate that is the only possible one for one row is thereby excluded for all the
others. For noise uniform in a ball every assignment in which each ciphertext lies within the
radius of its own candidate is equally likely, so the best guess for a row is the candidate that
most of these assignments give it. Counting them is the permanent of a 0/1 matrix; Sinkhorn
scaling of that matrix approximates the shares. Of several exports of the same rows the noises are
independent: possible is what lies within the radius of every one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.evidence.attack.linkage.nearest import compare, own_column
from cipherset.evidence.attack.linkage.trial import Doubles, Ints, Trial

# More changed nothing: 20, 100 and 400 steps, and belief propagation, were within 0.001.
_STEPS: Final = 50
_TIE: Final = np.float32(1e-4)  # relative; float32 scaling of equal columns errs by about 1e-6
_LEAST: Final = np.float32(1e-12)
MAX_ENTRIES: Final = 2**24  # of one group's matrix in float32: 64 MiB


def score_joint(trial: Trial) -> Doubles | None:
    """Success per ciphertext, shape (m,), 1 / t where t candidates tie; None where not run.

    Not run where two ciphertexts are of one candidate, since the premise then fails, or where a
    group has more than ``MAX_ENTRIES`` pairs.

    Knows: as the nearest-neighbor attacker, and that every ciphertext is of another candidate.
    Source: R. Sinkhorn, P. Knopp, Concerning Nonnegative Matrices and Doubly Stochastic Matrices,
    Pacific J. Math. 21(2), 1967, for the scaling; N. Linial, A. Samorodnitsky, A. Wigderson, A
    Deterministic Strongly Polynomial Algorithm for Matrix Scaling and Approximate Permanents,
    Combinatorica 20(4), 2000, for what it says about permanents.
    """
    groups = list(trial.groups())
    if len(np.unique(trial.truth)) < len(trial.truth):
        return None
    if any(len(rows) * len(members) > MAX_ENTRIES for rows, members in groups):
        return None
    success = np.zeros(len(trial.truth))
    for rows, members in groups:
        possible = _possible(trial, rows, members)
        weight = column_weights(possible)
        own = own_column(trial, rows, members)
        score = possible * weight
        mine = score[np.arange(len(rows)), own][:, np.newaxis]
        better = (score > mine * (1 + _TIE)).sum(axis=1)
        tied = (score >= mine * (1 - _TIE)).sum(axis=1) - better
        success[rows] = np.where((better == 0) & (mine[:, 0] > 0.0), 1.0 / tied, 0.0)
    return success


def _possible(trial: Trial, rows: Ints, members: Ints) -> npt.NDArray[np.float32]:
    """1 where a candidate is within reach of a row, else 0; at least the nearest one is."""
    possible = np.zeros((len(rows), len(members)), dtype=np.float32)
    done = 0
    for block, distance, within in compare(trial, rows, members):
        part = possible[done : done + len(block)]
        part[within] = 1.0
        part[np.arange(len(block)), distance.argmin(axis=1)] = 1.0
        done += len(block)
    return possible


def column_weights(possible: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``v`` such that ``possible * u[:, None] * v`` has rows of sum 1 and columns of sum <= 1.

    For a matrix of m rows and N >= m columns; where m < N, N - m rows of ones stand for the
    candidates without a ciphertext, kept as one weight.
    """
    m, n = possible.shape
    v = np.ones(n, dtype=np.float32)
    for _ in range(_STEPS):
        u = 1.0 / np.maximum(possible @ v, _LEAST)
        rest = np.float32((n - m) / max(float(v.sum()), float(_LEAST)))
        v = 1.0 / np.maximum(u @ possible + rest, _LEAST)
    return v
