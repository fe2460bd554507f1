"""Rows without consent for the purpose, dropped as they are read.

A cell gives consent where it says yes, or where the purpose is among those that it lists. What says
nothing gives none. Rows are then numbered among those that are left.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pyarrow as pa

from cipherset.core.errors import PolicyError
from cipherset.core.rows import Rows
from cipherset.pipeline.ingest.cells import as_text
from cipherset.pipeline.ingest.columnar import ParquetReader
from cipherset.pipeline.ingest.reader import Batch, Part, Reader

_YES: Final = frozenset({"true", "yes", "1"})
_BETWEEN: Final = re.compile(r"[,;|]")


@dataclass(frozen=True, slots=True)
class Consent:
    """Which column says what a row's person agreed to, and what the rows are wanted for."""

    column: str
    purpose: str

    def is_given(self, cell: object) -> bool:
        """Whether the cell gives consent for the purpose; letter case does not matter.

        >>> one = Consent("consent", "Routing")
        >>> one.is_given("yes"), one.is_given("billing; routing"), one.is_given(None)
        (True, True, False)
        """
        said = (as_text(cell) or "").strip().lower()
        purposes = {each.strip() for each in _BETWEEN.split(said)} - {""}
        return said in _YES or self.purpose.strip().lower() in purposes


@final
class ConsentReader:
    """A reader without the rows that gave no consent; ``dropped`` counts those of the last read."""

    def __init__(self, reader: Reader, consent: Consent) -> None:
        self._reader = reader
        self._consent = consent
        self.dropped = 0

    @property
    def name(self) -> str:
        """What messages call the source: its rows are counted among those with consent."""
        return f"{self._reader.name} (rows with consent)"

    def parts(self, least_rows: int) -> "list[ConsentReader]":
        """The rows in parts as the reader's; one where it has none. Each numbers its own."""
        inner = self._reader.parts(least_rows) if isinstance(self._reader, ParquetReader) else []
        return [ConsentReader(part, self._consent) for part in inner] or [self]

    def columns(self) -> list[str]:
        """As the reader's."""
        return self._reader.columns()

    def every_column(self) -> list[str]:
        """As the reader's."""
        return self._reader.every_column()

    def check_text(self, column: str) -> None:
        """As the reader's."""
        self._reader.check_text(column)

    def schema(self, text: Sequence[str]) -> pa.Schema:
        """As the reader's."""
        return self._reader.schema(text)

    def whole(self) -> Iterator[Rows]:
        """As the reader's, with the rows that gave consent only; ``dropped`` stays as it is."""
        for rows in self._reader.whole():
            cells = rows.cells(self._consent.column)
            given = [i for i, cell in enumerate(cells) if self._consent.is_given(cell)]
            if given:
                yield rows.taken(given)

    def chunks(self) -> Iterator[bytes]:
        """As the reader's: the bytes are those of the whole source."""
        return self._reader.chunks()

    def batches(self, parts: Mapping[str, Part], batch_rows: int) -> Iterator[Batch]:
        """As the reader's, with the rows that gave consent only.

        Raises:
            PolicyError: ``no_consent``: there is no such row.
        """
        column, dropped, kept = self._consent.column, 0, 0
        wanted = {column: Part.CELL, **parts}
        for batch in self._reader.batches(wanted, batch_rows):
            cells = batch.table.column(column).to_pylist()
            given = np.array([self._consent.is_given(cell) for cell in cells])
            dropped += int((~given).sum())
            if given.any():
                table = batch.table if column in parts else batch.table.drop_columns([column])
                yield Batch(kept, table.filter(given))
                kept += int(given.sum())
        self.dropped = dropped
        if dropped and not kept:
            raise PolicyError(
                f"{self._reader.name}: none of its {dropped} rows has consent in column {column!r}",
                code="no_consent",
                hint="say what the rows are for with --for PURPOSE, as the column names it",
            )
