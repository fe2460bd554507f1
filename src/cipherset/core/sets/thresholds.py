"""From a score for each label to a set of labels, and how much of the sets was found."""

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Floats


def thresholds(scores: Floats, truth: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """For each label, the score above which F1 over these rows is best; shape (labels,).

    A threshold lies halfway to the next score below it. A label that no row has is above all. Of
    equals the highest wins: it finds fewer. Rare labels would hardly ever be found at even odds.
    Source: Yang 2001, A study on thresholding strategies for text categorization, section 2 (SCut).

    Args:
        scores: Shape (n, labels), n from 1 on.
        truth: 0 or 1, the same shape.
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(np.asarray(scores, dtype=np.float64), order, axis=0)
    hits = np.cumsum(np.take_along_axis(truth, order, axis=0), axis=0, dtype=np.int64)
    found = np.arange(1, len(scores) + 1)[:, None]
    f1 = 2 * hits / (found + hits[-1])
    below = np.vstack([ranked[1:], ranked[-1:] - 1.0])
    # Between rows of one score there is no threshold.
    best = np.where(ranked > below, f1, -1.0).argmax(axis=0)
    at = np.arange(scores.shape[1])
    above_all = ranked[0] + 1.0
    halfway = (ranked[best, at] + below[best, at]) / 2
    return np.asarray(np.where(hits[-1] > 0, halfway, above_all))


def prior_odds(truth: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """For each label, the log odds that a row has it, shape (labels,).

    A logistic score above them says that the label is likelier in this row than it usually is.
    Where noise hides what a row has, scores hardly leave them, but still on the right side. Of a
    label that all rows have, or none, they are those of half a row more.

    Args:
        truth: 0 or 1, shape (n, labels), n from 1 on.
    """
    half = 0.5 / len(truth)
    share = np.clip(truth.mean(axis=0, dtype=np.float64), half, 1 - half)
    return np.asarray(np.log(share / (1 - share)))


def balanced_hits(
    predicted: npt.NDArray[np.integer], truth: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """For each row, what averages to the mean balanced accuracy of the labels; shape (n,).

    A label's is the mean of two shares: of the rows that have it, those where it is told, and of
    the others, those where it is not. 0.5 is what telling all, none or anything by chance gives.
    Labels that all rows have, or none, are left out; where no other is, all is right by 0.5.

    Args:
        predicted: 0 or 1, shape (n, labels).
        truth: The same.
    """
    share = truth.mean(axis=0, dtype=np.float64)
    told = (share > 0) & (share < 1)
    if not told.any():
        return np.full(len(truth), 0.5)
    share, has, right = share[told], truth[:, told] == 1, predicted[:, told] == truth[:, told]
    return np.asarray((right * np.where(has, 0.5 / share, 0.5 / (1 - share))).mean(axis=1))
