"""Whole numbers as numbers modulo 2**64, where a mask hides them wholly.

A value is from -2**52 to 2**52 and there are at most 1,024 members, so a sum is within 2**62 of
zero and is read back exactly. Fractions are sent in whole steps, whose size the members agree on.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError, IntegrityError

Integers = npt.NDArray[np.int64]
Ring = npt.NDArray[np.uint64]

MOST_VALUE: Final = 2**52
LEAST_MEMBERS: Final = 3  # of two, each has the other's by taking its own away
MOST_MEMBERS: Final = 1024


def to_ring(values: Integers) -> Ring:
    """``values mod 2**64``, same shape.

    Raises:
        InputError: code ``round_values``: a value is out of range, or no whole number.
    """
    whole = np.asarray(values)
    fits = whole.dtype == np.int64 and bool(((whole >= -MOST_VALUE) & (whole <= MOST_VALUE)).all())
    if not fits:
        raise InputError(
            "a value is not a whole number from -2**52 to 2**52: its sum would not be exact",
            code="round_values",
            hint="send fewer rows at once, or larger steps",
        )
    return whole.view(np.uint64)


def from_ring(total: Ring, n_members: int) -> Integers:
    """The sum that ``total`` stands for.

    Raises:
        IntegrityError: code ``round_total``: no members can have that sum, so masks did not cancel.
    """
    found = total.view(np.int64)
    most = n_members * MOST_VALUE
    if ((found < -most) | (found > most)).any():
        raise IntegrityError(
            "the sum is out of range: the masks did not cancel",
            code="round_total",
            hint="members were told of different members, or one sent noise: find out which",
        )
    return found
