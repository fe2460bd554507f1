"""What flows through the pipeline: each stage takes one of these and returns the next.

    Records -> CleanRecords -> Vectors -> EncryptedVectors

The wrong order is a type error. All of them are batches: a run is an iterator of them.
``columns`` travels along unchanged and holds, row for row, ``row`` (int64, the 0-based row of
the source), and where they were asked for ``label``, ``group`` and the clear columns that are
kept under their own names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]

ROW = "row"
LABEL = "label"
GROUP = "group"


@dataclass(frozen=True, slots=True)
class ColumnRoles:
    """Which column of a source plays which part; names only, no values."""

    text: tuple[str, ...] = ()
    vector: str | None = None
    label: str | None = None
    group: str | None = None
    keep: tuple[str, ...] = ()


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
