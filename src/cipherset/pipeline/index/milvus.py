"""An index in a collection of a Milvus server (2.3 or newer).

Milvus has no transactions: rows go in messages of a few megabytes each, and where one is refused,
those before it are taken back. A run that is killed in between leaves some, each under a seal. It
does not refuse an id that is taken either: that is asked before. Reads see every write that was
answered (consistency level Strong). What was deleted answers no more; its ciphertext leaves the
server's files when it compacts them.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any, Final

import numpy as np

from cipherset.core.errors import CiphersetError
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
    bad_answer,
    check_rows,
    check_table,
    check_top,
    checked_query,
    driver_of,
    failing_as_ours,
    reading_answer,
    row_exists,
)
from cipherset.pipeline.index.payload import FIELDS, entries_of_payloads, hexed, payloads_of

_COLLECTION: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")
_MOST_DIM: Final = 32_768
# gRPC takes 64 MB in a message; a row has some 500 bytes beside its numbers.
_MESSAGE_BYTES: Final = 8_000_000
_ROW_BYTES: Final = 500
_IDS_AT_ONCE: Final = 10_000
# The client takes the time that it is made with for the connection alone. A call without one of its
# own waits for ever; where the server is gone it tries 75 times, each as long as connecting takes.
_CONNECT_S: Final = 60.0
_ANSWER_S: Final = 300.0
_LOADED_S: Final = 3600.0  # many millions of rows


class MilvusIndex:
    """A ``VectorIndex`` in one collection; exact (index type FLAT)."""

    __slots__ = ("_client", "_driver", "_grpc", "_name", "dim")

    def __init__(
        self, address: str, collection: str, dim: int, *, login: tuple[str, str] = ("", "")
    ) -> None:
        """Use ``collection`` of the server at ``address``, made where it is not there.

        ``login`` is a user and their password. Permissions: CreateCollection and CreateIndex when
        it is made; then HasCollection, Load, Insert, Upsert, Delete, Query and Search.

        Raises:
            UsageError: ``index_table``: not a plain name, or more numbers than Milvus takes.
            BackendError: ``index_driver``: pymilvus is not installed; ``index_database``.
        """
        check_table(collection, _COLLECTION, dim, _MOST_DIM)
        self._driver = driver_of("pymilvus", "milvus")
        self._grpc = driver_of("grpc", "milvus")
        # It logs what failed and what was sent; what fails is raised all the same.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self.dim = dim
        self._name = collection
        with self._failures():
            self._client = self._driver.MilvusClient(
                uri=address, user=login[0], password=login[1], timeout=_CONNECT_S
            )
        try:
            self._load()
        except CiphersetError:
            with suppress(CiphersetError):  # what it failed for is what is told
                self.close()
            raise

    def add(self, entries: Entries) -> None:
        """Store all of the rows; see ``VectorIndex``, and above."""
        check_rows(entries, self.dim)
        if self._count(entries.ids):
            raise row_exists()
        try:
            for batch in self._batches(entries):
                with self._failures():
                    self._client.insert(self._name, batch, timeout=_ANSWER_S)
        except CiphersetError:
            self.delete(entries.ids)
            raise

    def delete(self, ids: Bytes) -> int:
        """Remove rows; see ``VectorIndex``."""
        gone = np.asarray(ids, np.uint8).reshape(-1, ID_BYTES)
        count = self._count(gone)
        for start in range(0, len(gone), _IDS_AT_ONCE):
            with self._failures():
                some = hexed(gone[start : start + _IDS_AT_ONCE])
                self._client.delete(self._name, ids=some, timeout=_ANSWER_S)
        return count

    def replace(self, entries: Entries) -> None:
        """Put rows in the place of others; see ``VectorIndex``, and above."""
        check_rows(entries, self.dim)
        for batch in self._batches(entries):
            with self._failures():
                self._client.upsert(self._name, batch, timeout=_ANSWER_S)

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """The nearest rows; see ``VectorIndex``."""
        asked = checked_query(ciphertext, top, self.dim)
        with self._failures():
            found = self._client.search(
                self._name,
                [asked.tolist()],
                filter=_condition(where),
                limit=top,
                output_fields=["vector", *FIELDS],
                consistency_level="Strong",
                timeout=_ANSWER_S,
            )
        with reading_answer():
            rows = [{**hit["entity"], "id": hit["id"]} for hit in found[0]]
        return self._entries(rows)

    def some(self, most: int, where: Filter = ANY) -> Entries:
        """Any rows; see ``VectorIndex``."""
        check_top(most)
        return self._entries(self._asked(_condition(where), ["vector", *FIELDS], most))

    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.versions().values())

    def versions(self) -> Mapping[int, int]:
        """How many rows there are under each version of the key."""
        found: dict[int, int] = {}
        while True:  # it cannot group: one version after the other
            rest = f"version not in {sorted(found)}" if found else "version >= 0"
            other = self._asked(rest, ["version"], 1)
            if not other:
                return dict(sorted(found.items()))
            with reading_answer():
                version = int(other[0]["version"])
            if version in found:
                raise bad_answer("is what it was not asked for")
            found[version] = self._counted(f"version == {version}")

    def drop(self) -> None:
        """Remove the collection and all that is in it."""
        with self._failures():
            self._client.drop_collection(self._name, timeout=_ANSWER_S)

    def close(self) -> None:
        """Let go of the connection."""
        with self._failures():
            self._client.close()

    def _load(self) -> None:
        with self._failures():
            if not self._client.has_collection(self._name, timeout=_ANSWER_S):
                self._create()
            self._client.load_collection(self._name, timeout=_LOADED_S)

    def _create(self) -> None:
        kinds = self._driver.DataType
        schema = self._driver.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", kinds.VARCHAR, is_primary=True, max_length=2 * ID_BYTES)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=self.dim)
        schema.add_field("seal", kinds.VARCHAR, max_length=2 * SEAL_BYTES)
        for tag in Tag:
            schema.add_field(tag.name.lower(), kinds.VARCHAR, max_length=2 * TAG_BYTES)
        schema.add_field("version", kinds.INT32)
        graph = self._client.prepare_index_params()
        graph.add_index("vector", index_type="FLAT", metric_type="L2")
        self._client.create_collection(
            self._name,
            schema=schema,
            index_params=graph,
            consistency_level="Strong",
            timeout=_ANSWER_S,
        )

    def _batches(self, entries: Entries) -> Iterator[list[dict[str, Any]]]:
        at_once = max(1, _MESSAGE_BYTES // (4 * self.dim + _ROW_BYTES))
        for start in range(0, len(entries), at_once):
            some = entries.take(np.arange(start, min(start + at_once, len(entries))))
            rows = zip(hexed(some.ids), some.vectors, payloads_of(some), strict=True)
            yield [{"id": one, "vector": x, **payload} for one, x, payload in rows]

    def _count(self, ids: Bytes) -> int:
        """How many of the ids are taken."""
        parts = (ids[at : at + _IDS_AT_ONCE] for at in range(0, len(ids), _IDS_AT_ONCE))
        return sum(self._counted(f"id in {_listed(hexed(part))}") for part in parts)

    def _counted(self, condition: str) -> int:
        found = self._asked(condition, ["count(*)"], None)
        with reading_answer():
            return int(found[0]["count(*)"])

    def _asked(self, condition: str, fields: list[str], most: int | None) -> list[dict[str, Any]]:
        limit = {} if most is None else {"limit": most}
        with self._failures():
            found = self._client.query(
                self._name,
                filter=condition or "version >= 0",
                output_fields=fields,
                consistency_level="Strong",
                timeout=_ANSWER_S,
                **limit,
            )
        return list(found)

    def _entries(self, found: list[dict[str, Any]]) -> Entries:
        with reading_answer():
            ids, vectors = [one["id"] for one in found], [one["vector"] for one in found]
        return entries_of_payloads(ids, vectors, found, self.dim)

    def _failures(self) -> AbstractContextManager[None]:
        # Who may not do it is told by gRPC itself.
        return failing_as_ours(self._driver.MilvusException, self._grpc.RpcError)


def _listed(texts: list[str]) -> str:
    return "[" + ", ".join(f'"{one}"' for one in texts) + "]"


def _condition(where: Filter) -> str:
    tests = [
        f"{tag.name.lower()} in {_listed([token.hex() for token in sorted(tokens)])}"
        for tag, tokens in where.tags.items()
    ]
    if where.version is not None:
        tests.append(f"version == {int(where.version)}")
    return " and ".join(tests)
