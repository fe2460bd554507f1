"""What flows through the pipeline: each stage takes one of these and returns the next.

    Records -> CleanRecords -> Vectors -> EncryptedVectors
    Images                  -> Vectors -> EncryptedVectors

The wrong order is a type error. All of them are batches: a run is an iterator of them.
``columns`` travels along unchanged and holds, row for row, ``row`` (int64, the 0-based row of
the source), and where they were asked for ``label``, ``group`` and the clear columns that are
kept under their own names. Rows of one ``pool`` are to become one. ``beside`` is a JSON array
of a row's cells that join its vector, texts or null, and never leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

ROW = "row"
LABEL = "label"
GROUP = "group"
POOL = "pool"
BESIDE = "beside"


class NoiseKind(StrEnum):
    """How the noise of a ciphertext is distributed."""

    BALL = "ball"
    GAUSSIAN = "gaussian"


@dataclass(frozen=True, slots=True)
class NoiseLaw:
    """The law of the noise of a row; ``size`` is in units of the input, before the scale.

    ``ball``: uniform in the ball of radius ``size``, from 0 (no noise) on; what is farther than
    that from a ciphertext is excluded. ``gaussian``: independent in each coordinate with standard
    deviation ``size``, above 0; nothing is excluded.
    """

    kind: NoiseKind
    size: float

    @classmethod
    def ball(cls, radius: float) -> "NoiseLaw":
        """Uniform in the ball of this radius."""
        return cls(NoiseKind.BALL, radius)

    @classmethod
    def gaussian(cls, sigma: float) -> "NoiseLaw":
        """Normal in each coordinate, of mean 0 and this standard deviation."""
        return cls(NoiseKind.GAUSSIAN, sigma)


NO_NOISE: Final = NoiseLaw.ball(0.0)


@dataclass(frozen=True, slots=True)
class Guarantee:
    """(epsilon, delta)-differential privacy, of one row; never of noise in a ball."""

    epsilon: float
    delta: float

    def __str__(self) -> str:
        return f"{NoiseKind.GAUSSIAN}:{self.epsilon!r},{self.delta!r}"


@dataclass(frozen=True, slots=True)
class ColumnRoles:
    """Which column of a source plays which part; names only, no values.

    With a ``label_separator`` a label is a set: a list, or texts with this between them. With
    ``ranked`` it is a grade, to order the rows of a group by. Columns ``beside`` join the vector.
    """

    text: tuple[str, ...] = ()
    vector: str | None = None
    label: str | None = None
    group: str | None = None
    keep: tuple[str, ...] = ()
    image: str | None = None
    pool: str | None = None
    label_separator: str | None = None
    ranked: bool = False
    beside: tuple[str, ...] = ()

    @property
    def n_kinds(self) -> int:
        """How many kinds of what is embedded are named: text, vectors, images; one is meant."""
        return sum((bool(self.text), self.vector is not None, self.image is not None))


@dataclass(frozen=True, slots=True)
class Images:
    """Decoded images, uint8 RGB (n, side, side, 3): what a file says beside its pixels is gone."""

    pixels: Pixels = field(repr=False)
    columns: pa.Table = field(repr=False)


@dataclass(frozen=True, slots=True)
class Records:
    """Plain rows as they came: one text per row."""

    texts: list[str] = field(repr=False)
    columns: pa.Table = field(repr=False)


@dataclass(frozen=True, slots=True)
class CleanRecords:
    """Rows without what must not leave; ``found`` counts what was taken out, by entity type."""

    texts: list[str] = field(repr=False)
    columns: pa.Table = field(repr=False)
    found: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit-norm plain vectors, shape (n, dim): as private as the rows they come from."""

    values: Float32s = field(repr=False)
    columns: pa.Table = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedVectors:
    """Ciphertext rows, shape (n, dim), and the columns that leave beside them."""

    values: Float32s = field(repr=False)
    columns: pa.Table = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """``text[start:end]`` is an ``entity``; code points, as Python counts."""

    start: int
    end: int
    entity: str
