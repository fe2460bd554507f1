"""Sums of whole numbers over rows, exact, and the noise that hides what one row adds to them.

Rows lie on a lattice of step ``STEP`` and are no longer than was said, as integers: whatever
floating point did before, replacing a row moves a sum by no more than the sensitivity. The products
are added up by floating point in which they are exact (``n * left * right < 2**53``), so that the
order of the sum cannot tell of a row either. Noise is added to the integers, and everything after
is a function of these.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.pipeline.private.discrete import Integers, Words, discrete_gaussians

STEP: Final = 2.0**-14
# Unit rows are of norm 1 up to the rounding of float32.
LONGEST: Final = 1.0001
_EXACT: Final = 2.0**53
Exact = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steps:
    """Rows (n, d) in whole steps, as floats that hold them exactly."""

    values: Exact = field(repr=False)
    most_squared: int

    @property
    def longest(self) -> float:
        """The largest norm that a row may have, in steps."""
        return math.sqrt(self.most_squared)


def in_steps(rows: Floats, *, longest: float = LONGEST) -> Steps:
    """``trunc(rows / STEP)``: truncation lengthens no coordinate.

    Raises:
        InputError: code ``norm``: a row is longer than ``longest``, so that no guarantee was made
            for it.
    """
    values: Exact = np.trunc(np.asarray(rows, dtype=np.float64) / STEP)
    most = math.floor((longest / STEP) ** 2)
    # Squares of integers below 2**26 are exact, and so is their sum.
    too_long = ~(np.einsum("ij,ij->i", values, values) <= most)
    if too_long.any():
        raise InputError(
            f"row {int(np.argmax(too_long))} is longer than {longest:g}: noise keeps its epsilon "
            "for rows up to there",
            code="norm",
            hint="divide each row by its norm",
        )
    return Steps(values, most)


def noisy_products(left: Steps, right: Steps, *, sigma: float, words: Words) -> Floats:
    """``left.T @ right`` in units of the rows, with noise of width ``sigma`` in squared steps.

    A row replaced moves it by ``2 * left.longest * right.longest`` at most, in the Frobenius norm.

    Raises:
        InputError: ``private_rows``: so many that the sum would not be exact; ``private_width``.
    """
    total = exact_products(left, right)
    noise = discrete_gaussians(sigma, total.size, words).reshape(total.shape)
    # Added as integers: what rounds comes after.
    return np.asarray((total + noise) * STEP**2, dtype=np.float64)


def exact_products(left: Steps, right: Steps) -> Integers:
    """``left.T @ right`` in squared steps: whole numbers, without noise, so not to be released.

    Raises:
        InputError: ``private_rows``.
    """
    if len(left.values) * left.longest * right.longest >= _EXACT:
        raise InputError(
            f"{len(left.values)} rows are too many for an exact sum",
            code="private_rows",
            hint="fit on a sample of them",
        )
    return np.asarray(left.values.T @ right.values).astype(np.int64)
