"""The most exposed: an average hides the rows that noise protects least."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats, NoiseLaw
from cipherset.evidence.attack.linkage.joint import weigh_joint
from cipherset.evidence.attack.linkage.nearest import score_nearest
from cipherset.evidence.attack.linkage.trial import Block, Doubles, Trial, trial

TOP_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Exposure:
    """How sure the attacker may be of the truth, over all rows and over those that fare worst.

    Rates are the mean probability that the stronger of the two attacks gives to the true
    candidate: over all rows about the share that it gets right. ``top`` is that of the most
    exposed 1 % of the rows, chosen on the first half of the draws and scored on the other;
    ``top_excess`` is the same with a row's rate taken in excess of what its clear columns give,
    ``(rate - alone) / (1 - alone)``, 0 for a row alone in its group. ``top_guessed`` is the share
    of draws in which the best guess is right, for the rows for which it is most often: more, since
    a row at the rim is guessed for many others too. ``smallest_group`` is the rate of the rows
    whose group is the smallest (all such groups), ``smallest_group_alone`` what their clear
    columns give without a vector. ``marked`` is the rate of the rows that the caller marked, such
    as the misclassified, None where there are none. But for ``top_excess`` none is an excess.
    """

    rows: int
    draws: int
    attack: str
    overall: float
    top: float
    top_rows: int
    top_excess: float
    top_guessed: float
    smallest_group: float
    smallest_group_rows: int
    smallest_group_alone: float
    marked: float | None
    marked_rows: int


def expose(
    vectors: Floats,
    draws: Sequence[Floats],
    *,
    groups: npt.ArrayLike,
    marked: npt.NDArray[np.bool_],
    noise: NoiseLaw,
) -> Exposure:
    """How often the rows that fare worst are re-identified, over several draws of the noise.

    Knows: as ``reidentify``.

    Args:
        vectors: Noise-free rows, the candidates, shape (n, dim).
        draws: An even number of encryptions of all the rows in this order, each with its own
            noise and the key removed, shape (n, dim).
        groups: Code of the combination of clear columns, shape (n,).
        marked: Rows to be reported apart, shape (n,).
        noise: The law of the noise in this space.

    Raises:
        DimensionError: shapes disagree (code ``dimension``).
        InputError: no draws or an odd number (code ``draws``), or as ``reidentify``.
    """
    if len(draws) < 2 or len(draws) % 2:
        raise InputError(
            f"expected an even number of draws; found {len(draws)}",
            code="draws",
            hint="half choose the most exposed rows, half score them",
        )
    index = np.arange(len(vectors))
    trials = [
        trial(
            [Block(draw, vectors, noise)],
            truth=index,
            ciphertext_groups=groups,
            candidate_groups=groups,
        )
        for draw in draws
    ]
    if marked.shape != index.shape or len(trials[0].truth) != len(index):
        raise DimensionError(
            f"marked: expected shape {index.shape}; found {marked.shape}",
            code="dimension",
            hint="pass one boolean per row",
        )
    attack, sure, guessed = _success(trials)
    return _rates(attack, (sure, guessed), trials[0].candidate_groups, marked)


def _success(trials: Sequence[Trial]) -> tuple[str, Doubles, Doubles]:
    """The attack that does better on the first half of the draws: how sure, how often right.

    Both of shape (draws, n).
    """
    scores = [score_nearest(drawn) for drawn in trials]
    nearest = np.stack([score.success for score in scores])
    # Within a ball all possible candidates are equally likely; the nearest is one of them.
    alike = np.stack([1.0 / np.maximum(score.possible, 1) for score in scores])
    joint = [scores for scores in map(weigh_joint, trials) if scores is not None]
    gaussian = any(block.is_gaussian for block in trials[0].blocks)
    if len(joint) < len(trials):
        return "nearest", nearest if gaussian else alike, nearest
    half = len(trials) // 2
    together = np.stack([scores.success for scores in joint])
    shares = np.stack([scores.probability for scores in joint])
    if nearest[:half].mean() >= together[:half].mean():
        return "nearest", shares if gaussian else alike, nearest
    return "joint", shares, together


def _rates(
    attack: str,
    success: tuple[Doubles, Doubles],
    groups: npt.NDArray[np.int64],
    marked: npt.NDArray[np.bool_],
) -> Exposure:
    sure, guessed = success
    draws, n = sure.shape
    top_rows = math.ceil(n * TOP_SHARE)
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    alone = 1.0 / sizes[code]
    excess = np.where(alone < 1.0, (sure - alone) / np.maximum(1.0 - alone, 0.5), 0.0)
    top, top_excess, top_guessed = (
        _top(rates, draws // 2, top_rows) for rates in (sure, excess, guessed)
    )
    smallest = sizes[code] == sizes.min()
    return Exposure(
        rows=n,
        draws=draws,
        attack=attack,
        overall=float(sure.mean()),
        top=top,
        top_rows=top_rows,
        top_excess=top_excess,
        top_guessed=top_guessed,
        smallest_group=float(sure[:, smallest].mean()),
        smallest_group_rows=int(smallest.sum()),
        smallest_group_alone=1.0 / int(sizes.min()),
        marked=float(sure[:, marked].mean()) if marked.any() else None,
        marked_rows=int(marked.sum()),
    )


def _top(rates: Doubles, half: int, rows: int) -> float:
    """The mean of the ``rows`` that fare worst in the first ``half`` of the draws, in the other."""
    chosen = np.argsort(-rates[:half].mean(axis=0), kind="stable")[:rows]
    return float(rates[half:, chosen].mean())
