"""What a file format gives: the columns asked for, batch by batch, in a few fixed types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

import pyarrow as pa

LINE_BYTES: Final = 1 << 24  # longest line or cell; bounds the memory an unclosed quote takes


class Part(Enum):
    """What a column is needed for, which decides the type it is read as."""

    TEXT = "text"  # string
    SCALAR = "scalar"  # string or number, as in the source: labels, groups, kept columns
    VECTOR = "vector"  # list of floats
    CELL = "cell"  # whatever it is, as a string; see ``cells``


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows; ``start`` is the 0-based row of the first one."""

    start: int
    table: pa.Table = field(repr=False)


class Reader(Protocol):
    """One format. Types are the same in all batches of a read; rows come in file order."""

    @property
    def name(self) -> str:
        """What messages call the source."""

    def columns(self) -> list[str]:
        """The columns there are, in order.

        Raises:
            InputError: the source cannot be read that far.
        """

    def every_column(self) -> list[str]:
        """The same after a look at every row, where a row may bring a column of its own.

        Raises: as ``columns``.
        """

    def batches(self, parts: Mapping[str, Part], batch_rows: int) -> Iterator[Batch]:
        """Batches of at most ``batch_rows`` rows with the columns of ``parts``, all present.

        Raises:
            InputError: ``source_encoding``, ``source_corrupt`` or ``column_type``.
        """

    def chunks(self) -> Iterator[bytes]:
        """The source's bytes as stored, for a (keyed) digest."""
