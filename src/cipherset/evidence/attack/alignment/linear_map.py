"""What every recovery of a secret map returns, and what it checks of what it was handed."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEAST_ROWS = 2


@dataclass(frozen=True, slots=True, eq=False)
class LinearMap:
    """From ciphertext space (k) to the attacker's space (q): ``c @ matrix + offset``.

    ``objective`` is the attacker's own measure of success, in [0, 1]; no truth went into it.
    """

    name: str
    matrix: Doubles = field(repr=False)
    offset: Doubles = field(repr=False)
    objective: float

    def apply(self, ciphertexts: Floats) -> Doubles:
        """``ciphertexts @ matrix + offset``, shape (n, k) to shape (n, q).

        Raises:
            DimensionError: the ciphertexts are not k wide (code ``dimension``).
        """
        if ciphertexts.ndim != 2 or ciphertexts.shape[1] != len(self.matrix):
            raise DimensionError(
                f"the map takes rows of {len(self.matrix)}; found shape {ciphertexts.shape}",
                code="dimension",
                hint="apply it to the ciphertexts it was found from",
            )
        return np.asarray(ciphertexts @ self.matrix + self.offset, dtype=np.float64)


def permutation_matrix(source: Ints, scale: float) -> Doubles:
    """``m`` with ``(c @ m)[:, j] == c[:, source[j]] / scale``, shape (k, k)."""
    k = len(source)
    matrix = np.zeros((k, k))
    matrix[source, np.arange(k)] = 1.0 / scale
    return matrix


def checked(rows: Floats, what: str, least: int = LEAST_ROWS) -> Doubles:
    """``rows`` as float64, shape (n, k).

    Raises:
        InputError: fewer than ``least`` rows (code ``no_rows``); NaN or infinity (code
            ``not_finite``).
        DimensionError: not a table of at least one column (code ``dimension``).
    """
    if rows.ndim != 2 or rows.shape[1] < 1:
        raise DimensionError(
            f"{what}: expected shape (n, width); found {rows.shape}",
            code="dimension",
            hint="pass one row per vector",
        )
    if len(rows) < least:
        raise InputError(
            f"{what}: {len(rows)} rows; expected at least {least}",
            code="no_rows",
            hint="hand the attacker more rows",
        )
    found = rows.astype(np.float64)
    if not np.isfinite(found).all():
        raise InputError(
            f"{what}: NaN or infinite numbers among the rows",
            code="not_finite",
            hint="look at what made the vectors",
        )
    return found


def check_same_width(a: Floats, b: Floats) -> None:
    """Nothing, if both have the same number of columns.

    Raises:
        DimensionError: they have not (code ``dimension``).
    """
    if a.shape[1] != b.shape[1]:
        raise DimensionError(
            f"ciphertexts are {a.shape[1]} wide, the attacker's vectors {b.shape[1]}",
            code="dimension",
            hint="map the attacker's vectors to the width of the ciphertexts first",
        )


def check_same_length(a: npt.NDArray[np.generic], b: npt.NDArray[np.generic]) -> None:
    """Nothing, if both have the same number of rows.

    Raises:
        DimensionError: they have not (code ``dimension``).
    """
    if len(a) != len(b):
        raise DimensionError(
            f"{len(a)} rows beside {len(b)}; expected one for one",
            code="dimension",
            hint="pass both in the same order",
        )
