"""All ciphertexts at once: no two of them belong to one candidate, and that tells more.

The nearest-neighbor attacker decides row by row. But where each ciphertext is of a different
candidate, a candidate that is the only possible one for one row is thereby excluded for all the
others. For noise uniform in a ball every assignment in which each ciphertext lies within the
radius of its own candidate is equally likely, so the best guess for a row is the candidate that
most of these assignments give it. Counting them is the permanent of a 0/1 matrix; Sinkhorn
scaling of that matrix approximates the shares. For Gaussian noise the assignments are not equally
likely: in place of 0 and 1 stands the likelihood ``exp(-squared distance / (2 * sigma**2))``. Of
several exports of the same rows the noises are independent: likelihoods multiply, and possible is
what lies within the radius of every ball.
"""

from dataclasses import dataclass, field
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
    found = weigh_joint(trial)
    return None if found is None else found.success


@dataclass(frozen=True, slots=True, eq=False)
class JointScores:
    """One entry per ciphertext, each of shape (m,): success, and the truth's probability.

    The means of both are about the same. Row by row ``probability`` says more: a candidate at the
    rim is guessed for many ciphertexts, its own among them, without anybody being sure of one.
    """

    success: Doubles = field(repr=False)
    probability: Doubles = field(repr=False)


def weigh_joint(trial: Trial) -> JointScores | None:
    """``score_joint`` with the probability that the attacker gives to the truth."""
    groups = list(trial.groups())
    if len(np.unique(trial.truth)) < len(trial.truth):
        return None
    if any(len(rows) * len(members) > MAX_ENTRIES for rows, members in groups):
        return None
    success, probability = np.zeros(len(trial.truth)), np.zeros(len(trial.truth))
    for rows, members in groups:
        likelihood = _likelihoods(trial, rows, members)
        own = own_column(trial, rows, members)
        score = likelihood * column_weights(likelihood)
        mine = score[np.arange(len(rows)), own][:, np.newaxis]
        better = (score > mine * (1 + _TIE)).sum(axis=1)
        tied = (score >= mine * (1 - _TIE)).sum(axis=1) - better
        success[rows] = np.where((better == 0) & (mine[:, 0] > 0.0), 1.0 / tied, 0.0)
        probability[rows] = mine[:, 0] / np.maximum(score.sum(axis=1), _LEAST)
    return JointScores(success, probability)


def _likelihoods(trial: Trial, rows: Ints, members: Ints) -> npt.NDArray[np.float32]:
    """Of each candidate for each row, over that of the row's nearest; balls give 0 and 1."""
    likelihood = np.zeros((len(rows), len(members)), dtype=np.float32)
    done = 0
    for block, distance, within in compare(trial, rows, members):
        part = likelihood[done : done + len(block)]
        done += len(block)
        if any(b.is_gaussian for b in trial.blocks):
            # Shifted by the nearest: scaling takes out what is common to a row, and the largest
            # is 1 whatever the distances. What underflows to 0 is below 1e-38 of it.
            beyond = distance - distance.min(axis=1, keepdims=True)
            part[:] = np.exp(beyond / (-2.0 * _unit(trial) ** 2))
        else:
            part[within] = 1.0
            part[np.arange(len(block)), distance.argmin(axis=1)] = 1.0
    return likelihood


def _unit(trial: Trial) -> float:
    """The standard deviation in the units of the distances; those of joined exports are in it."""
    return trial.blocks[0].noise.size if len(trial.blocks) == 1 else 1.0


def column_weights(likelihood: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``v`` such that ``likelihood * u[:, None] * v`` has rows of sum 1, columns of sum <= 1.

    For a matrix of m rows and N >= m columns; where m < N, N - m rows of ones stand for the
    candidates without a ciphertext, kept as one weight.
    """
    m, n = likelihood.shape
    v = np.ones(n, dtype=np.float32)
    for _ in range(_STEPS):
        u = 1.0 / np.maximum(likelihood @ v, _LEAST)
        rest = np.float32((n - m) / max(float(v.sum()), float(_LEAST)))
        v = 1.0 / np.maximum(u @ likelihood + rest, _LEAST)
    return v
