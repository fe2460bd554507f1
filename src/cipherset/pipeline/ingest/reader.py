"""What a file format gives: the columns asked for, batch by batch, in a few fixed types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

import pyarrow as pa

from cipherset.core.rows import Rows

LINE_BYTES: Final = 1 << 24  # longest line or cell; bounds the memory an unclosed quote takes


class Part(Enum):
    """What a column is needed for, which decides the type it is read as."""

    TEXT = "text"  # string
    SCALAR = "scalar"  # string or number, as in the source: labels, groups, kept columns
    VECTOR = "vector"  # list of floats
    IMAGE = "image"  # the bytes of an image file
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

    def whole(self) -> Iterator[Rows]:
        """Batches of all columns, each value as it is; bounded in rows and in size.

        Raises:
            InputError: as ``batches``.
        """

    def check_text(self, column: str) -> None:
        """See that a column may hold text, as far as the format says.

        Raises:
            InputError: ``column_type``.
        """

    def schema(self, text: Sequence[str]) -> pa.Schema:
        """The columns, in order, with the types they have or are given in Parquet.

        Raises:
            InputError: as ``batches``; ``column_type`` where a key has values of several types.
        """

    def chunks(self) -> Iterator[bytes]:
        """The source's bytes as stored, for a (keyed) digest."""
