"""An index in files that answers from a graph (HNSW, by FAISS): faster, and it may miss rows.

The rows are those of ``FileIndex``, checked against the signed manifest. The graph is made of them
in memory by the first query after each change, and is never read from a file: FAISS trusts what it
reads. So it is for a process that answers many, as ``cipherset serve`` does.

Source: Malkov, Yashunin 2018, Efficient and robust approximate nearest neighbor search using
Hierarchical Navigable Small World graphs, IEEE TPAMI 42(4), algorithms 1 and 5.
"""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from securesystemslib.signer import Signer

from cipherset.core.values import Float32s
from cipherset.pipeline.index.entries import (
    ANY,
    Entries,
    Filter,
    checked_query,
    concatenated,
    driver_of,
)
from cipherset.pipeline.index.files import FileIndex
from cipherset.pipeline.index.scan import allowed_rows

LEAST_ROWS: Final = 5_000  # fewer are looked at one by one
_NEIGHBORS: Final = 32
_BUILD_WIDTH: Final = 80
_LEAST_WIDTH: Final = 256  # of the search, in rows; at least twice what is asked for
# Where the filter allows less of the rows, the graph would lead through the others.
_LEAST_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    digest: str
    entries: Entries = field(repr=False)
    search: Any = field(repr=False)


class GraphIndex(FileIndex):
    """A ``VectorIndex`` in a folder; for many threads at once."""

    __slots__ = ("_building", "_driver", "_graph", "_least_rows")

    def __init__(self, folder: Path, signer: Signer, *, least_rows: int = LEAST_ROWS) -> None:
        """Open and verify; see ``FileIndex``.

        Raises:
            BackendError: ``index_driver``: FAISS is not installed.
            IntegrityError: as ``FileIndex``.
        """
        self._driver = driver_of("faiss", "faiss")
        self._least_rows = least_rows
        self._graph: _Graph | None = None
        self._building = Lock()
        super().__init__(folder, signer)

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """Rows that are nearest, of which a few may be missing; see ``VectorIndex``."""
        asked = checked_query(ciphertext, top, self.dim)
        if self.rows() < max(self._least_rows, 1):
            return super().query(asked, top, where)
        graph = self._built()
        allowed = allowed_rows(graph.entries, where)
        if allowed is not None and allowed.mean() < _LEAST_SHARE:
            return super().query(asked, top, where)
        options = self._driver.SearchParametersHNSW(efSearch=max(2 * top, _LEAST_WIDTH))
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")  # kept while the graph is searched
            chosen = self._driver.IDSelectorBitmap(len(allowed), self._driver.swig_ptr(bits))
            options.sel = chosen
        count = min(top, len(graph.entries))
        _, rows = graph.search.search(asked[np.newaxis], count, params=options)
        return graph.entries.take(rows[0][rows[0] >= 0])

    def _built(self) -> _Graph:
        """The graph of the rows as they are now."""
        with self._building:
            graph = self._graph
            if graph is None or graph.digest != self.digest:
                digest = self.digest
                entries = concatenated([Entries.none(self.dim), *self.parts()])
                search = self._driver.IndexHNSWFlat(self.dim, _NEIGHBORS)
                search.hnsw.efConstruction = _BUILD_WIDTH
                search.add(np.ascontiguousarray(entries.vectors))
                graph = self._graph = _Graph(digest, entries, search)
            return graph
