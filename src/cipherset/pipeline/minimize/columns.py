"""Columns beside what is embedded, appended to its vector: numbers and categories of a row.

They are fitted on the rows that fit the minimizer, are bound to the key version with it, and are as
private as it is: what they are made of are medians, spreads and values of rows. A value that few
rows have is not among them, so that none stays behind when its row is forgotten.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Float32s

MOST_CATEGORIES: Final = 32
LEAST_ROWS: Final = 10  # of a category that gets a coordinate of its own
# More values than this are no categories: a text, a name, a number of a customer.
MOST_VALUES: Final = 1_000
CLIP: Final = 3.0
_LARGEST: Final = 1e100  # beyond it differences and squares would overflow
_IQR_OF_NORMAL: Final = 1.349  # between the quartiles of a normal law of standard deviation 1
Cell = str | None
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedColumn:
    """How the cells of a column become coordinates.

    Of a number two: ``(x - center) / spread``, clipped to 3 on both sides, and 1 where it is
    missing. Of categories one each, then one for any other value, and one for a missing cell. All
    are multiplied by ``weight``.
    """

    name: str
    is_number: bool = False
    center: float = field(default=0.0, repr=False)
    spread: float = field(default=1.0, repr=False)
    categories: tuple[str, ...] = field(default=(), repr=False)
    weight: float = field(default=1.0, repr=False)

    @property
    def width(self) -> int:
        """How many coordinates."""
        return 2 if self.is_number else len(self.categories) + 2

    def block(self, cells: Sequence[Cell]) -> Doubles:
        """The coordinates of cells, shape (len(cells), width)."""
        block = np.zeros((len(cells), self.width))
        if self.is_number:
            x = np.array([_number(cell) for cell in cells], dtype=np.float64)
            is_there = np.isfinite(x)
            with np.errstate(over="ignore"):  # of a tiny spread: it is clipped
                scaled = (np.where(is_there, x, self.center) - self.center) / self.spread
            block[:, 0] = np.clip(scaled, -CLIP, CLIP)
            block[:, 1] = ~is_there
            return block * self.weight
        places = {value: place for place, value in enumerate(self.categories)}
        other, missing = len(places), len(places) + 1
        for row, cell in enumerate(cells):
            value = _value(cell)
            block[row, missing if value is None else places.get(value, other)] = 1.0
        return block * self.weight


def fit_columns(names: Sequence[str], cells: Sequence[Sequence[Cell]]) -> tuple[FittedColumn, ...]:
    """The columns ``names``, fitted on rows of cells, one for each name.

    A column is of numbers where every cell that is not empty is a finite one. Weights are such that
    the mean over these rows of the squared length is 1 for all columns together, as it is of the
    unit vector that they stand beside, and the same for each of them.

    Raises:
        InputError: ``column_values``: too many values for categories.
    """
    found = []
    for name, column in zip(names, zip(*cells, strict=True), strict=True):
        fitted = _fitted(name, column)
        square = float((fitted.block(column) ** 2).sum(axis=1).mean())
        weight = 1.0 / np.sqrt(square * len(names)) if square > 0 else 0.0
        found.append(replace(fitted, weight=float(weight)))
    return tuple(found)


def beside(
    x: Float32s, columns: Sequence[FittedColumn], cells: Sequence[Sequence[Cell]]
) -> Float32s:
    """Unit vectors (n, dim) with their rows' columns behind, brought to unit norm again.

    Raises:
        DimensionError: ``vector_width``: not a row of cells, one a column, for each vector.
    """
    if len(cells) != len(x) or any(len(row) != len(columns) for row in cells):
        raise DimensionError(
            f"{len(cells)} rows of cells beside {len(x)} vectors, for {len(columns)} columns",
            code="vector_width",
            hint="give each row the columns that the export was made with",
        )
    by_column = [[row[place] for row in cells] for place in range(len(columns))]
    blocks = [column.block(one) for column, one in zip(columns, by_column, strict=True)]
    whole = np.concatenate([x.astype(np.float64), *blocks], axis=1)
    return np.asarray(whole / np.linalg.norm(whole, axis=1, keepdims=True), dtype=np.float32)


def _fitted(name: str, cells: Sequence[Cell]) -> FittedColumn:
    values = [value for value in map(_value, cells) if value is not None]
    numbers = np.array([_number(value) for value in values], dtype=np.float64)
    if len(values) and np.isfinite(numbers).all():
        low, center, high = np.percentile(numbers, [25, 50, 75])
        # Where half of the cells are the same, the quartiles say nothing of the others.
        spread = (high - low) / _IQR_OF_NORMAL or numbers.std() or 1.0
        return FittedColumn(name, is_number=True, center=float(center), spread=float(spread))
    counts = Counter(values)
    if len(counts) > MOST_VALUES:
        raise InputError(
            f"column {name!r} holds {len(counts)} different values that are no numbers, at most "
            f"{MOST_VALUES} can be categories",
            code="column_values",
            hint="leave it out, merge its values, or give it as --text",
        )
    frequent = sorted(counts, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES]
    kept = tuple(value for value in frequent if counts[value] >= LEAST_ROWS)
    return FittedColumn(name, categories=kept)


def _value(cell: Cell) -> Cell:
    """What a cell says, None where it is empty."""
    return None if cell is None else cell.strip() or None


def _number(cell: Cell) -> float:
    """The number that a cell is, NaN where it is none."""
    try:
        number = float(cell or "nan")
    except ValueError:
        return float("nan")
    return max(-_LARGEST, min(number, _LARGEST)) if math.isfinite(number) else number
