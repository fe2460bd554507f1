"""An index in a table of LanceDB: an engine in this process, over files in a folder.

Each change is a version of the table that is there as a whole or not at all. After one that
removes rows, older versions are taken away, and files of which a tenth is gone are written anew:
until then what was deleted answers no more, but its ciphertext is in a file. The files are not
signed: what comes back from them is checked as what any database gives.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cipherset.core.values import Float32s
from cipherset.pipeline.index.arrow import entries_of, table_of
from cipherset.pipeline.index.entries import (
    ANY,
    ID_BYTES,
    Bytes,
    Entries,
    Filter,
    check_rows,
    check_top,
    checked_query,
    driver_of,
    failing_as_ours,
    reading_answer,
    row_exists,
)

_TABLE: Final = "rows"
_IDS_AT_ONCE: Final = 1_000
# What is older goes; zero would be warned of, for it fails who reads just now.
_OLD: Final = timedelta(milliseconds=1)
_FAILURES: Final = (RuntimeError, ValueError, OSError)


class LanceIndex:
    """A ``VectorIndex`` in one folder; exact, by looking at every row that the filter allows."""

    __slots__ = ("_table", "dim")

    def __init__(self, folder: Path, dim: int) -> None:
        """Use the table in ``folder``, made where it is not there.

        Raises:
            BackendError: ``index_driver``: LanceDB is not installed; ``index_database``.
        """
        driver = driver_of("lancedb", "lancedb")
        # It warns of each table that is not there yet; what fails is raised all the same.
        logging.getLogger("lance").setLevel(logging.ERROR)
        self.dim = dim
        schema = table_of(Entries.none(dim)).schema
        with failing_as_ours(*_FAILURES):
            database = driver.connect(str(folder))
            self._table: Any = database.create_table(_TABLE, schema=schema, exist_ok=True)

    def add(self, entries: Entries) -> None:
        """Store all of the rows, or none; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        if not len(entries):
            return
        with failing_as_ours(*_FAILURES):
            is_taken = any(self._table.count_rows(named) for named in _named(entries.ids))
        if is_taken:
            raise row_exists()
        with failing_as_ours(*_FAILURES):
            self._table.add(table_of(entries))

    def delete(self, ids: Bytes) -> int:
        """Remove rows; see ``VectorIndex``."""
        gone = 0
        with failing_as_ours(*_FAILURES):
            for named in _named(np.asarray(ids, np.uint8).reshape(-1, ID_BYTES)):
                gone += int(self._table.delete(named).num_deleted_rows)
            self._table.optimize(cleanup_older_than=_OLD)
        return gone

    def replace(self, entries: Entries) -> None:
        """Put rows in the place of others; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        with failing_as_ours(*_FAILURES):
            merge = self._table.merge_insert("id").when_matched_update_all()
            merge.execute(table_of(entries))
            self._table.optimize(cleanup_older_than=_OLD)

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """The nearest rows; see ``VectorIndex``."""
        asked = checked_query(ciphertext, top, self.dim)
        with failing_as_ours(*_FAILURES):
            search = self._table.search(asked, vector_column_name="vector")
            search = search.distance_type("l2").bypass_vector_index()
            found = search.where(_condition(where), prefilter=True).limit(top).to_arrow()
        return _entries(found, self.dim)

    def some(self, most: int, where: Filter = ANY) -> Entries:
        """Any rows; see ``VectorIndex``."""
        check_top(most)
        with failing_as_ours(*_FAILURES):
            found = self._table.search().where(_condition(where)).limit(most).to_arrow()
        return _entries(found, self.dim)

    def rows(self) -> int:
        """How many rows there are."""
        with failing_as_ours(*_FAILURES):
            return int(self._table.count_rows())

    def versions(self) -> Mapping[int, int]:
        """How many rows there are under each version of the key."""
        with failing_as_ours(*_FAILURES):
            column = self._table.search().select(["version"]).to_arrow().column("version")
        numbers, counts = np.unique(column.to_numpy(), return_counts=True)
        return {int(number): int(count) for number, count in zip(numbers, counts, strict=True)}

    def close(self) -> None:
        """Nothing is held but memory."""


def _named(ids: Bytes) -> Iterator[str]:
    """Conditions that are true of the rows with these ids."""
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = (one.tobytes() for one in ids[start : start + _IDS_AT_ONCE])
        yield f"id IN ({_literals(some)})"


def _literals(values: Iterator[bytes]) -> str:
    return ", ".join(f"X'{value.hex()}'" for value in values)


def _condition(where: Filter) -> str:
    tests = ["true" if where.version is None else f"version = {int(where.version)}"]
    for tag, tokens in where.tags.items():
        # no token is no row; SQL has no empty list
        listed = f"{tag.name.lower()} IN ({_literals(iter(sorted(tokens)))})"
        tests.append(listed if tokens else "false")
    return " AND ".join(tests)


def _entries(found: pa.Table, dim: int) -> Entries:
    with reading_answer():
        return entries_of(found, dim) if found.num_rows else Entries.none(dim)
