"""How good predictions are, as aggregates only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.sets import balanced_hits

# Of a label with fewer rows than this, on either side, nothing is told by itself.
LEAST_TOLD: Final = 20
_FIRST: Final = 10
_PAIRED_ROWS: Final = 256


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Shares of one: right answers, and the mean over the true classes of each one's F1."""

    accuracy: float
    macro_f1: float
    n: int


@dataclass(frozen=True, slots=True)
class ValueScores:
    """``1 - residual / total`` sum of squares (0 if all truths are equal), and mean |error|."""

    r2: float
    mae: float
    n: int


@dataclass(frozen=True, slots=True)
class SetScores:
    """Shares of one: F1 over all labels of all rows, and the labels' mean F1 and balanced accuracy.

    ``labels`` has each label's own, None where fewer than ``LEAST_TOLD`` rows have it or lack it:
    it would say who.
    """

    micro_f1: float
    macro_f1: float
    balanced_accuracy: float
    labels: dict[str, float | None] = field(repr=False)
    n: int


@dataclass(frozen=True, slots=True)
class RankScores:
    """How rows of a group are ordered: by NDCG of the first ten, and by pairs of unlike grade.

    ``groups`` are those that have such a pair; the others have no order.
    """

    ndcg_at_10: float
    pairwise_accuracy: float
    r2: float
    mae: float
    groups: int
    n: int


def score_ranking(
    predicted: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    groups: npt.NDArray[np.int64],
) -> RankScores:
    """Scores of numbers by which rows of one group are ordered, all of shape (n,).

    The gain of a row is its grade less the smallest of all; equal predictions share their places.
    NDCG is the mean over groups, pairs count alike over all. Guessing orders half of the pairs.
    Source: Jarvelin and Kekalainen 2002, Cumulated gain-based evaluation of IR techniques, 2.3.

    Raises:
        InputError: no rows, or not one prediction for each; ``ranking_groups``: no two rows of a
            group differ in grade.
    """
    from sklearn.metrics import ndcg_score

    values = score_values(predicted, truth)
    gains, ndcg, right, pairs = truth - truth.min(), [], 0.0, 0
    order = np.argsort(groups, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        some_right, some = _ordered(predicted[rows], truth[rows])
        if not some:
            continue
        ndcg.append(ndcg_score(gains[rows][None], predicted[rows][None], k=_FIRST))
        right, pairs = right + some_right, pairs + some
    if not ndcg:
        raise InputError(
            "no two rows of a group differ in grade, so there is no order to find",
            code="ranking_groups",
            hint="evaluate on whole groups, with rows of several grades",
        )
    mean = float(np.mean(ndcg))
    return RankScores(mean, right / pairs, values.r2, values.mae, len(ndcg), values.n)


def _ordered(
    predicted: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]
) -> tuple[float, int]:
    """How many pairs of unlike grade are ordered as they are, a tie for half, and how many are.

    A group may be all rows: larger ones are halved at a grade, and pairs across counted by sorting.
    """
    if len(truth) <= _PAIRED_ROWS:
        higher = truth[:, None] > truth[None]
        ahead = np.sign(predicted[:, None] - predicted[None])[higher]
        return float((1 + ahead).sum()) / 2, len(ahead)
    middle = np.partition(truth, len(truth) // 2)[len(truth) // 2]
    low = truth < middle if (truth < middle).any() else truth <= middle
    if low.all():
        return 0.0, 0
    behind = np.sort(predicted[low])
    places = [np.searchsorted(behind, predicted[~low], side) for side in ("left", "right")]
    right, pairs = float(np.sum(places)) / 2, int(low.sum()) * int((~low).sum())
    for half in (low, ~low):
        some_right, some = _ordered(predicted[half], truth[half])
        right, pairs = right + some_right, pairs + some
    return right, pairs


def score_sets(
    predicted: npt.NDArray[np.int64], truth: npt.NDArray[np.int64], names: Sequence[str]
) -> SetScores:
    """Scores of 0 or 1 for each of ``names``, both of shape (n, names).

    The mean over labels is over those that occur in ``truth``: one that nobody has cannot be found.

    Raises:
        InputError: no rows, or not one prediction for each label of each.
    """
    _check(predicted, truth, n_axes=2)
    both = (predicted * truth).sum(axis=0)
    rows_with = truth.sum(axis=0)
    sizes = predicted.sum(axis=0) + rows_with
    f1 = 2 * both / np.maximum(sizes, 1)
    there = rows_with > 0
    few = np.minimum(rows_with, len(truth) - rows_with) < LEAST_TOLD
    return SetScores(
        micro_f1=float(2 * both.sum() / max(int(sizes.sum()), 1)),
        macro_f1=float(f1[there].mean()) if there.any() else 0.0,
        balanced_accuracy=float(balanced_hits(predicted, truth).mean()),
        labels={name: None if few[at] else float(f1[at]) for at, name in enumerate(names)},
        n=len(truth),
    )


def score_labels(predicted: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> LabelScores:
    """Accuracy and macro F1 of class positions, both of shape (n,).

    The mean is over the classes that occur in ``truth``: one that nobody has cannot be found.

    Raises:
        InputError: no rows, or not one prediction for each.
    """
    from sklearn.metrics import f1_score

    _check(predicted, truth)
    f1 = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    return LabelScores(float(np.mean(predicted == truth)), float(f1), len(truth))


def score_values(predicted: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> ValueScores:
    """R squared and mean absolute error of numbers, both of shape (n,).

    Raises:
        InputError: no rows, or not one prediction for each.
    """
    from sklearn.metrics import mean_absolute_error, r2_score

    _check(predicted, truth)
    r2 = float(r2_score(truth, predicted)) if np.ptp(truth) > 0 else 0.0
    return ValueScores(r2, float(mean_absolute_error(truth, predicted)), len(truth))


def _check(
    predicted: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    truth: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    n_axes: int = 1,
) -> None:
    if len(truth) == 0 or predicted.shape != truth.shape or truth.ndim != n_axes:
        raise InputError(
            f"{predicted.shape} predictions for {truth.shape} rows; expected (n,) of both, n > 0",
            code="row_count",
            hint="evaluate on at least one row",
        )
