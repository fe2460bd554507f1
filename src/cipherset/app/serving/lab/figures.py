"""What is told of a model's answers to sealed rows: a few figures that no one row moves visibly.

A figure is told with noise of ten times what one row can move it by, drawn anew for each model.
Rounding alone would not do: a model can be made so that one row decides to which side a figure is
rounded. Nor would noise that depends on the answers alone: two models that differ on one row would
be told apart by whether their figures are the same (docs/adr/0028).

What one row can move is counted with its label given: labels and their counts are in the export.
Each row must have been answered by itself, or one could move them all (``apart``).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.serving.lab.noise import SYSTEM, Below, discrete_gaussian, epsilon_of, zcdp

# Standard deviation of the noise, in units of what one row can move. With thousands of rows it
# is about as large as the chance in which rows were drawn.
DEVIATIONS: Final = 10
# Of a class with fewer test rows nothing is told: its part of the mean is left out.
LEAST_PER_CLASS: Final = 20
DELTA: Final = 1e-6
_STEPS: Final = 16
Codes = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number between ``low`` and ``high``, and how far one row's answer can move it."""

    value: float
    sensitivity: float
    low: float
    high: float

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise that it is told with."""
        return DEVIATIONS * self.sensitivity * (_STEPS + 1) / _STEPS

    def told(self, below: Below = SYSTEM) -> float:
        """The number with noise, within its bounds and to the digits that the noise leaves."""
        step = self.sensitivity / _STEPS
        # Rounding to whole steps moves two neighbors apart by one step more at the most.
        noise = discrete_gaussian(DEVIATIONS * (_STEPS + 1), below)
        noisy = (round(self.value / step) + noise) * step
        digits = math.ceil(-math.log10(self.deviation))
        return round(min(max(noisy, self.low), self.high), digits)


@dataclass(frozen=True, slots=True)
class Scored:
    """Figures by name, None where one is withheld, over ``n`` rows."""

    figures: dict[str, Figure | None]
    n: int

    def told(self, below: Below = SYSTEM) -> dict[str, float | int | None]:
        """What may be known: each figure with noise, its deviation, and how many rows."""
        out: dict[str, float | int | None] = {}
        for name, figure in self.figures.items():
            out[name] = None if figure is None else figure.told(below)
            out[f"{name}_deviation"] = None if figure is None else float(f"{figure.deviation:.2g}")
        return out | {"n": self.n}


def score_classes(answers: Codes, truth: Codes) -> Scored:
    """Accuracy and macro F1 of answered classes, both of shape (n,); -1 where there is no answer.

    Accuracy moves by ``1 / n`` with one row. F1 of a class is ``2 * hits / (rows + answers)``: a
    row that turns from right to wrong moves its own class by at most ``2 / rows`` and the other by
    at most ``1 / rows``, so the mean over c classes moves by at most ``3 / (c * least rows)``.
    """
    n = len(truth)
    accuracy = Figure(float(np.mean(answers == truth)), 1 / n, 0.0, 1.0)
    classes, counts = np.unique(truth[truth >= 0], return_counts=True)
    is_large = counts >= LEAST_PER_CLASS
    if is_large.sum() < 2:
        return Scored({"accuracy": accuracy, "macro_f1": None}, n)
    f1 = [
        2 * float(np.sum((answers == c) & (truth == c))) / (count + float(np.sum(answers == c)))
        for c, count in zip(classes[is_large], counts[is_large], strict=True)
    ]
    most = 3 / (len(f1) * int(counts[is_large].min()))
    return Scored({"accuracy": accuracy, "macro_f1": Figure(float(np.mean(f1)), most, 0.0, 1.0)}, n)


def score_numbers(answers: Doubles, truth: Doubles, spread: float) -> Scored:
    """R squared and mean error of answered numbers, both of shape (n,).

    An error counts as ``spread``, the range of the labels that are known, at most, and so does the
    lack of an answer: one row then moves the mean error by ``spread / n`` at most and R squared by
    ``spread ** 2 / total``, the sum of squares of the labels around their mean.
    """
    n = len(truth)
    errors = np.where(np.isfinite(answers), np.abs(answers - truth), spread)
    errors = np.minimum(errors, spread)
    total = float(np.sum((truth - truth.mean()) ** 2))
    mae = Figure(float(errors.mean()), spread / n, 0.0, spread) if spread > 0 else None
    r2 = None
    if mae is not None and total > 0:
        lowest = 1 - n * spread**2 / total
        r2 = Figure(1 - float(np.sum(errors**2)) / total, spread**2 / total, lowest, 1.0)
    return Scored({"r2": r2, "mae": mae}, n)


def privacy(evaluations: int) -> tuple[float, float]:
    """(epsilon, delta) of one row's vector, its label given, over so many evaluations.

    Each tells two figures; rho adds up. Source: arXiv:1605.02065, lemma 1.7.
    """
    return epsilon_of(2 * evaluations * zcdp(1, DEVIATIONS), DELTA), DELTA
