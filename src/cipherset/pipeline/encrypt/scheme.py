"""What a scheme is: a name that is never reused, what it leaks, and its keyed matrix."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cipherset.core.secret import Secret
from cipherset.pipeline.encrypt.derive import Derivation


class Leakage(StrEnum):
    """What ciphertexts tell without the key, up to the noise that was added."""

    COORDINATES = "coordinates"
    NORMS = "norms"
    INNER_PRODUCTS = "inner_products"
    DISTANCES = "distances"
    NEIGHBOURS = "neighbours"
    EQUALITY = "equality"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to encrypt vectors: ``c = s * (m @ rotation) + noise``.

    ``invertible``: the holder of the key gets the input back, but for the noise.
    ``rotation`` gives the orthogonal matrix of a key, shape (dim, dim), or None for the identity.
    """

    name: str
    leakage: frozenset[Leakage]
    invertible: bool
    rotation: Callable[[Secret, Derivation], npt.NDArray[np.float64] | None] = field(repr=False)
