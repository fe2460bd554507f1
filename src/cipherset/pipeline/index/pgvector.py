"""An index in a table of PostgreSQL with the extension pgvector.

The database computes distances on ciphertexts and holds nothing else; ``float4`` keeps every bit,
so that seals fit what comes back. Without an index of its own the database looks at every row
and is exact; ``build_graph`` adds one (HNSW) that is faster and may miss rows.

Whoever runs the database can leave rows out of an answer, or bring back deleted ones: seals are
checked by whoever holds the key, and say of each row that it was stored under it, not that none
is missing.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cipherset.core.errors import CiphersetError, UsageError
from cipherset.core.values import Float32s
from cipherset.pipeline.index.entries import (
    ANY,
    ID_BYTES,
    SEAL_BYTES,
    TAG_BYTES,
    Bytes,
    Entries,
    Filter,
    Tag,
    check_rows,
    check_table,
    check_top,
    checked_query,
    driver_of,
    failing_as_ours,
    reading_answer,
    row_exists,
)

if TYPE_CHECKING:
    import psycopg

_TABLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,40}")
# Source: PostgreSQL documentation, COPY, "Binary Format": signature, flags, extension; trailer.
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END: Final = b"\xff\xff"
_COLUMNS: Final = ("id", "embedding", "seal", *(tag.name.lower() for tag in Tag), "version")
_MOST_DIM: Final = 16_000  # of pgvector's type vector
_MOST_GRAPH_DIM: Final = 2_000


class PgVectorIndex:
    """A ``VectorIndex`` in one table; one connection, so one thread at a time."""

    __slots__ = ("_connection", "_table", "dim")

    def __init__(self, connection: "psycopg.Connection[Any]", table: str, dim: int) -> None:
        """Use ``table``, made where it is not there.

        Raises:
            UsageError: ``index_table``: not a plain name, or more numbers than pgvector takes.
            BackendError: ``index_database``: no extension, no permission, no connection.
        """
        check_table(table, _TABLE, dim, _MOST_DIM)
        self._connection = connection
        self._table = table
        self.dim = dim
        with self._transaction() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id bytea PRIMARY KEY, "
                f"embedding vector({dim}) NOT NULL, seal bytea NOT NULL, tenant bytea NOT NULL, "
                "dataset bytea NOT NULL, label bytea NOT NULL, version int NOT NULL)"
            )

    def add(self, entries: Entries) -> None:
        """Store all of the rows, or none; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        with self._transaction() as cursor:
            self._copy(cursor, entries)

    def replace(self, entries: Entries) -> None:
        """Put rows in the place of others; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        with self._transaction() as cursor:
            self._delete(cursor, entries.ids)
            self._copy(cursor, entries)

    def delete(self, ids: Bytes) -> int:
        """Remove rows; see ``VectorIndex``."""
        with self._transaction() as cursor:
            return self._delete(cursor, ids)

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """The nearest rows; see ``VectorIndex``."""
        asked = checked_query(ciphertext, top, self.dim)
        tests, values = _conditions(where)
        text = "[" + ",".join(map(repr, asked.tolist())) + "]"
        rest = f"{tests} ORDER BY embedding <-> %s::vector LIMIT %s"
        return self._selected(rest, (*values, text, top))

    def some(self, most: int, where: Filter = ANY) -> Entries:
        """Any rows; see ``VectorIndex``."""
        check_top(most)
        tests, values = _conditions(where)
        return self._selected(f"{tests} LIMIT %s", (*values, most))

    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.versions().values())

    def versions(self) -> Mapping[int, int]:
        """How many rows there are under each version of the key."""
        with self._transaction() as cursor:
            cursor.execute(
                f"SELECT version, count(*) FROM {self._table} GROUP BY version ORDER BY version"  # noqa: S608 -- a checked name
            )
            return {int(version): int(count) for version, count in cursor.fetchall()}

    def build_graph(self) -> None:
        """Let the database answer from a graph (HNSW): faster, and it may miss rows.

        Raises:
            UsageError: ``index_graph``: more numbers than the graph takes.
            BackendError: as ``__init__``.
        """
        if self.dim > _MOST_GRAPH_DIM:
            raise UsageError(
                f"a graph takes rows of at most {_MOST_GRAPH_DIM} numbers; these have {self.dim}",
                code="index_graph",
                hint="search without one, or use an encoder with fewer dimensions",
            )
        with self._transaction() as cursor:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {self._table}_graph ON {self._table} "
                "USING hnsw (embedding vector_l2_ops)"
            )

    def drop(self) -> None:
        """Remove the table and all that is in it."""
        with self._transaction() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {self._table}")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _selected(self, rest: str, values: tuple[Any, ...]) -> Entries:
        statement = (
            "SELECT id, vector_send(embedding), seal, tenant, dataset, label, version "  # noqa: S608 -- a checked name
            f"FROM {self._table} {rest}"
        )
        with self._transaction() as cursor:
            cursor.execute(statement, values)
            return _entries(cursor.fetchall(), self.dim)

    def _copy(self, cursor: "psycopg.Cursor[Any]", entries: Entries) -> None:
        statement = f"COPY {self._table} ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            copy.write(_COPY_HEAD + _rows_as_copied(entries) + _COPY_END)

    def _delete(self, cursor: "psycopg.Cursor[Any]", ids: Bytes) -> int:
        gone = [one.tobytes() for one in np.asarray(ids, np.uint8).reshape(-1, ID_BYTES)]
        cursor.execute(f"DELETE FROM {self._table} WHERE id = ANY(%s)", (gone,))  # noqa: S608 -- a checked name
        return int(cursor.rowcount)

    @contextmanager
    def _transaction(self) -> Iterator["psycopg.Cursor[Any]"]:
        driver = driver_of("psycopg", "postgres")
        with failing_as_ours(driver.Error):
            try:
                with self._connection.transaction(), self._connection.cursor() as cursor:
                    yield cursor
            except driver.errors.UniqueViolation:
                raise row_exists() from None


def open_pgvector(url: str, table: str, dim: int, *, password: str | None = None) -> PgVectorIndex:
    """The index in ``table`` of the database at ``url``, which holds no password.

    Permissions: CREATE on the schema when it is made; then SELECT, INSERT and DELETE.

    Raises:
        UsageError: ``index_table``.
        BackendError: ``index_database``; ``index_driver``: psycopg is not installed.
    """
    driver = driver_of("psycopg", "postgres")
    given = {} if password is None else {"password": password}
    with failing_as_ours(driver.Error):
        connection = driver.connect(url, autocommit=True, connect_timeout=10, **given)
    try:
        return PgVectorIndex(connection, table, dim)
    except CiphersetError:
        connection.close()
        raise


def _conditions(where: Filter) -> tuple[str, list[Any]]:
    tests: list[str] = []
    values: list[Any] = []
    for tag, tokens in where.tags.items():
        tests.append(f"{tag.name.lower()} = ANY(%s)")
        values.append(sorted(tokens))
    if where.version is not None:
        tests.append("version = %s")
        values.append(where.version)
    return ("WHERE " + " AND ".join(tests) if tests else ""), values


def _rows_as_copied(entries: Entries) -> bytes:
    """The rows in COPY's binary format, big-endian: a length before each value."""
    n, dim = entries.vectors.shape
    fields: list[tuple[str, Any, Any]] = [
        ("fields", ">i2", len(_COLUMNS)),
        *_sized("id", f"({ID_BYTES},)u1", ID_BYTES, entries.ids),
        ("embedding_size", ">i4", 4 + 4 * dim),
        ("width", ">i2", dim),
        ("unused", ">i2", 0),
        ("embedding", f"({dim},)>f4", entries.vectors),
        *_sized("seal", f"({SEAL_BYTES},)u1", SEAL_BYTES, entries.seals),
    ]
    for tag in Tag:
        fields += _sized(tag.name, f"({TAG_BYTES},)u1", TAG_BYTES, entries.tags[:, tag])
    fields += _sized("version", ">i4", 4, entries.versions)
    out = np.empty(n, dtype=[(name, kind) for name, kind, _ in fields])
    for name, _, value in fields:
        out[name] = value
    return out.tobytes()


def _sized(name: str, kind: str, size: int, value: Any) -> list[tuple[str, Any, Any]]:  # noqa: ANN401 -- an array or a number
    return [(f"{name}_size", ">i4", size), (name, kind, value)]


def _entries(found: list[tuple[Any, ...]], dim: int) -> Entries:
    if not found:
        return Entries.none(dim)
    ids, vectors, seals, *tags, versions = zip(*found, strict=True)
    with reading_answer():
        floats = np.frombuffer(b"".join(bytes(one)[4:] for one in vectors), dtype=">f4")
        columns = [_bytes(column, TAG_BYTES) for column in tags]
        return Entries(
            _bytes(ids, ID_BYTES),
            floats.astype(np.float32).reshape(-1, dim),
            _bytes(seals, SEAL_BYTES),
            np.stack(columns, axis=1),
            np.array(versions, dtype=np.int32),
        )


def _bytes(column: tuple[Any, ...], width: int) -> Bytes:
    raw = b"".join(bytes(one) for one in column)
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, width)
