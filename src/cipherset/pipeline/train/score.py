"""How good predictions are, as aggregates only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError


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
) -> None:
    if len(truth) == 0 or predicted.shape != truth.shape or truth.ndim != 1:
        raise InputError(
            f"{predicted.shape} predictions for {truth.shape} rows; expected (n,) of both, n > 0",
            code="row_count",
            hint="evaluate on at least one row",
        )
