"""What a model tells its callers, and what is handed to the attacks as a function.

This room trains none of the product's models: whoever calls it hands in a ``Trainer``, which
closes over the family of models, its settings and the number of classes.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
# From rows (n, d) to natural logarithms of class probabilities (n, c), column i for code i.
Scorer = Callable[[Floats], Floats]
# From rows (n, d), class codes (n,) and a seed to the fitted model.
Trainer = Callable[[Floats, Ints, int], Scorer]

STEP: Final = 0.1
# Probability that all classes with a rounded 0 are taken to share, were they all of them.
_LEFT_OVER: Final = 0.1
# Beyond e**-200 a probability says nothing more; keeps infinities out of sums.
_LEAST_LOG: Final = -200.0


class Answers(StrEnum):
    """What comes back for a query: the label, it and rounded probabilities, or all of it."""

    LABELS = "labels"
    ROUNDED = "rounded"
    PROBABILITIES = "probabilities"


def answered(scorer: Scorer, rows: Floats, answers: Answers) -> Doubles:
    """What the attacker learns of ``rows`` (n, d), as log-probabilities (n, c).

    Of labels and of probabilities rounded to ``STEP`` an asker makes the best: a 0 is taken for
    ``.1 / c`` and a 1 for ``1 - .1 / c``, so that logarithms stay finite. The label always comes
    with rounded probabilities, for where all classes are unlikely they round to nothing.

    Raises:
        DimensionError: the scorer does not return one row of classes per row (code ``dimension``).
        InputError: it returns NaN or plus infinity (code ``not_finite``).
    """
    scores = np.asarray(scorer(rows), dtype=np.float64)
    if scores.ndim != 2 or len(scores) != len(rows) or scores.shape[1] < 2:
        raise DimensionError(
            f"the model returned shape {scores.shape} for {len(rows)} rows",
            code="dimension",
            hint="hand in a function from rows (n, d) to log-probabilities (n, c), c >= 2",
        )
    if np.isnan(scores).any() or np.isposinf(scores).any():
        raise InputError(
            "the model returned NaN or infinity",
            code="not_finite",
            hint="hand in a function that returns log-probabilities",
        )
    scores = np.maximum(scores, _LEAST_LOG)
    if answers is Answers.PROBABILITIES:
        return scores
    n_classes = scores.shape[1]
    told = np.eye(n_classes)[scores.argmax(axis=1)]
    if answers is Answers.ROUNDED:
        # Half a step keeps the label first, also where the next one rounds to the same.
        told = np.round(np.exp(scores) / STEP) * STEP + told * STEP / 2
    floor = _LEFT_OVER / n_classes
    return np.asarray(np.log(np.clip(told, floor, 1.0 - floor)))


def checked_rows(rows: Floats, name: str, *, width: int | None = None) -> Doubles:
    """``rows`` as float64 of shape (n, d).

    Raises:
        DimensionError: not a matrix, or not ``width`` columns (code ``dimension``).
        InputError: no rows (code ``no_rows``); NaN or infinity (code ``not_finite``).
    """
    values = np.asarray(rows, dtype=np.float64)
    if values.ndim != 2 or (width is not None and values.shape[1] != width):
        raise DimensionError(
            f"{name}: expected shape (n, {width or 'd'}); found {values.shape}",
            code="dimension",
            hint="pass one row per record",
        )
    if len(values) == 0:
        raise InputError(f"{name}: no rows", code="no_rows", hint="pass at least one row")
    if not np.isfinite(values).all():
        raise InputError(
            f"{name} holds NaN or infinity", code="not_finite", hint="remove or repair the row"
        )
    return values


def checked_labels(labels: npt.ArrayLike, n: int, name: str) -> Ints:
    """``labels`` as class codes from 0 on, shape (n,).

    Raises:
        DimensionError: not one code per row (code ``dimension``).
        InputError: a code is below 0 (code ``class_codes``).
    """
    codes = np.asarray(labels, dtype=np.int64)
    if codes.shape != (n,):
        raise DimensionError(
            f"{name}: expected shape ({n},); found {codes.shape}",
            code="dimension",
            hint="pass one class code per row",
        )
    if n > 0 and codes.min() < 0:
        raise InputError(
            f"{name} holds the code {int(codes.min())}",
            code="class_codes",
            hint="number the classes from 0 on",
        )
    return codes
