"""An index in Qdrant's engine (qdrant-edge): in this process, over files in a folder.

One process has the folder at a time, and others wait for it. A write is in the engine's log before
it is answered. What was deleted answers no more; its ciphertext leaves the files when the engine
writes the segment anew. The files are not signed: what comes back from them is checked as what any
database gives.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np

from cipherset.core.errors import CiphersetError
from cipherset.core.files import disk_errors
from cipherset.core.values import Float32s
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
    row_exists,
    unreachable,
)
from cipherset.pipeline.index.payload import entries_of_payloads, payloads_of

_LOCK: Final = ".lock"
_SHARD: Final = "shard"
_MOST_VERSIONS: Final = 1_000


class QdrantIndex:
    """A ``VectorIndex`` in one folder; exact, by looking at every row that the filter allows."""

    __slots__ = ("_driver", "_lock", "_shard", "dim")

    def __init__(self, folder: Path, dim: int) -> None:
        """Use the shard in ``folder``, made where it is not there; waits for who has it open.

        Raises:
            BackendError: ``index_driver``: the engine is not installed; ``index_database``.
        """
        self._driver = driver_of("qdrant_edge", "qdrant")
        self.dim = dim
        with disk_errors(folder):
            folder.mkdir(exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._shard = self._opened(folder / _SHARD)
        except CiphersetError:
            os.close(self._lock)
            raise

    def add(self, entries: Entries) -> None:
        """Store all of the rows, or none; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        if self._there(entries.ids):
            raise row_exists()
        self._upsert(entries)

    def delete(self, ids: Bytes) -> int:
        """Remove rows; see ``VectorIndex``."""
        gone = self._there(np.asarray(ids, np.uint8).reshape(-1, ID_BYTES))
        with _Failures():
            self._shard.update(self._driver.UpdateOperation.delete_points(gone))
            self._shard.flush()
            self._shard.optimize()
        return len(gone)

    def replace(self, entries: Entries) -> None:
        """Put rows in the place of others; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        self._upsert(entries)
        with _Failures():
            self._shard.optimize()

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """The nearest rows; see ``VectorIndex``."""
        asked = checked_query(ciphertext, top, self.dim)
        request = self._driver.SearchRequest(
            self._driver.Query.Nearest(asked.tolist()),
            top,
            filter=self._condition(where),
            params=self._driver.SearchParams(exact=True),
            with_vector=True,
            with_payload=True,
        )
        with _Failures():
            found = self._shard.search(request)
        return _entries(found, self.dim)

    def some(self, most: int, where: Filter = ANY) -> Entries:
        """Any rows; see ``VectorIndex``."""
        check_top(most)
        request = self._driver.ScrollRequest(
            limit=most, filter=self._condition(where), with_vector=True, with_payload=True
        )
        with _Failures():
            found, _ = self._shard.scroll(request)
        return _entries(found, self.dim)

    def rows(self) -> int:
        """How many rows there are."""
        with _Failures():
            return int(self._shard.count(self._driver.CountRequest(exact=True)))

    def versions(self) -> Mapping[int, int]:
        """How many rows there are under each version of the key."""
        request = self._driver.FacetRequest("version", _MOST_VERSIONS, exact=True)
        with _Failures():
            found = self._shard.facet(request).hits
        return {int(hit.value): int(hit.count) for hit in found if hit.count}

    def close(self) -> None:
        """Let others have the folder."""
        with _Failures():
            self._shard.close()
        os.close(self._lock)

    def _opened(self, folder: Path) -> Any:  # noqa: ANN401 -- the engine has no types
        engine = self._driver
        with _Failures():
            if folder.is_dir():
                return engine.EdgeShard.load(str(folder))
            vectors = engine.EdgeVectorParams(size=self.dim, distance=engine.Distance.Euclid)
            plain = engine.EdgeOptimizersConfig(indexing_threshold=0)  # no graph: search is exact
            folder.mkdir()
            config = engine.EdgeConfig(vectors=vectors, optimizers=plain)
            shard = engine.EdgeShard.create(str(folder), config)
            indexed = engine.UpdateOperation.create_field_index
            for name in ("tenant", "dataset", "label"):
                shard.update(indexed(name, engine.PayloadSchemaType.Keyword))
            shard.update(indexed("version", engine.PayloadSchemaType.Integer))
            return shard

    def _there(self, ids: Bytes) -> list[str]:
        """Those of the ids that are taken, as the engine calls them."""
        names = [str(UUID(bytes=one.tobytes())) for one in ids]
        with _Failures():
            found = self._shard.retrieve(names, with_payload=False, with_vector=False)
        return [str(one.id) for one in found]

    def _upsert(self, entries: Entries) -> None:
        names = [str(UUID(bytes=one.tobytes())) for one in entries.ids]
        rows = zip(names, entries.vectors.tolist(), payloads_of(entries), strict=True)
        points = [self._driver.Point(*row) for row in rows]
        with _Failures():
            self._shard.update(self._driver.UpdateOperation.upsert_points(points))
            self._shard.flush()

    def _condition(self, where: Filter) -> Any:  # noqa: ANN401 -- the engine has no types
        engine = self._driver
        tests = [
            engine.FieldCondition(
                tag.name.lower(), match=engine.MatchAny([token.hex() for token in sorted(tokens)])
            )
            for tag, tokens in where.tags.items()
        ]
        if where.version is not None:
            tests.append(
                engine.FieldCondition("version", match=engine.MatchValue(int(where.version)))
            )
        return engine.Filter(must=tests) if tests else None


class _Failures:
    """Inside, the engine's failures become ours: it raises ``Exception`` and nothing narrower."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: object, where: object) -> None:
        """Say that the engine failed, without its text."""
        if kind is Exception:
            raise unreachable("the engine") from None


def _entries(found: list[Any], dim: int) -> Entries:
    ids = [str(one.id).replace("-", "") for one in found]
    return entries_of_payloads(
        ids, [one.vector for one in found], [one.payload for one in found], dim
    )
