"""Whole rows of a source, every column of them: what is read, changed in places, and written again.

Unlike ``Records`` they keep what nobody asked about. A batch holds them in the source's own form,
so that what is not changed comes out as it went in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa


class Rows(Protocol):
    """Consecutive rows; in file order."""

    @property
    def start(self) -> int:
        """The 0-based row of the first one, as it was read."""

    @property
    def n_rows(self) -> int: ...

    def cells(self, column: str) -> list[object]:
        """A column's values, None where there is none; strings where it holds text."""

    def with_texts(self, texts: Mapping[str, Sequence[object]]) -> "Rows":
        """The same rows with other values in the columns of ``texts``."""

    def taken(self, positions: Sequence[int]) -> "Rows":
        """The rows at ``positions``, from 0 on."""

    def selected(self, wanted: Callable[[str], bool]) -> "Rows":
        """The same rows with the columns that are ``wanted``, in their order."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Each row as JSON values by column; what it has not got is not in it."""

    def table(self, schema: pa.Schema) -> pa.Table:
        """The columns of ``schema``.

        Raises:
            InputError: ``column_type``: a value does not fit.
        """
