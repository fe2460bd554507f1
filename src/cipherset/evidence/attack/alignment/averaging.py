"""Fresh noise is no protection against whoever may ask again: it averages out."""

from dataclasses import dataclass, field

import numpy as np

from cipherset.core.errors import DimensionError
from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import LEAST_ROWS, Doubles, checked


@dataclass(frozen=True, slots=True, eq=False)
class Averaged:
    """The mean of r encryptions of each row, shape (n, k).

    ``noise`` is the standard deviation per coordinate of what noise is left, ``noise_once`` that
    of a single encryption; both in the units of the ciphertexts.
    """

    ciphertexts: Doubles = field(repr=False)
    noise: float
    noise_once: float
    repeats: int


def averaged(repeated: Floats) -> Averaged:
    """The mean over encryptions of the same rows, shape (r, n, k), and its remaining noise.

    Knows: r >= 2 ciphertexts of each row under one key, as an oracle gives (K3).
    ``noise_once**2`` is the unbiased variance over the repeats; ``noise = noise_once / sqrt(r)``.

    Source: the variance of a mean of independent variables.

    Raises:
        DimensionError: not of three axes (code ``dimension``).
        InputError: fewer than two repeats (code ``no_rows``); NaN or infinity (``not_finite``).
    """
    if repeated.ndim != 3:
        raise DimensionError(
            f"expected shape (repeats, rows, width); found {repeated.shape}",
            code="dimension",
            hint="stack the encryptions of the same rows along the first axis",
        )
    r, n, k = repeated.shape
    stacked = checked(repeated.reshape(r, n * k), "repeated ciphertexts", LEAST_ROWS)
    once = float(np.sqrt(stacked.var(axis=0, ddof=1).mean()))
    mean = stacked.mean(axis=0).reshape(n, k)
    return Averaged(mean, once / float(np.sqrt(r)), once, r)
