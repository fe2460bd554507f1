"""LlamaIndex's vector store over a gateway's encrypted index: ``cipherset[llamaindex]``.

The index holds no text: LlamaIndex's own docstore does, on your side. ``names`` keeps which node
each row is. Hits that it does not know are left out, so one index is for one such store.
"""

from collections.abc import Sequence
from typing import Any, Final

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.storage.kvstore.types import BaseKVStore
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)

from cipherset.core.errors import UsageError
from cipherset.interfaces.client.client import Client
from cipherset.interfaces.frameworks.encrypted import (
    AT_ONCE,
    EncryptedIndex,
    by_label_alone,
    delete_all,
)

_ROWS: Final = "cipherset/rows"
_NODES: Final = "cipherset/nodes"
_DOCUMENTS: Final = "cipherset/documents"


class CiphersetVectorStore(BasePydanticVectorStore):  # type: ignore[misc]  # may not be here
    """Nodes of LlamaIndex, found by an encrypted index.

    With ``is_embedding_query`` the vectors of LlamaIndex's embedding model are sent, to an index
    that was built of vectors. Without, texts are sent and the gateway embeds.

    Leaks: to the gateway, texts or vectors; to whoever keeps the index, what it leaks.
    """

    stores_text: bool = False
    is_embedding_query: bool = False

    _index: EncryptedIndex = PrivateAttr()
    _names: BaseKVStore = PrivateAttr()

    def __init__(
        self, index: EncryptedIndex, names: BaseKVStore, *, is_embedding_query: bool = False
    ) -> None:
        """Nothing is sent yet.

        Args:
            index: Where rows are encrypted and found.
            names: Where ids are kept: a store of LlamaIndex's that outlives the process.
            is_embedding_query: The index was built of vectors.
        """
        super().__init__(is_embedding_query=is_embedding_query)
        self._index = index
        self._names = names

    @classmethod
    def class_name(cls) -> str:
        """What LlamaIndex calls it."""
        return "CiphersetVectorStore"

    @property
    def client(self) -> Client:
        """The gateway's."""
        return self._index.client

    def add(self, nodes: Sequence[BaseNode]) -> list[str]:
        """Encrypt nodes into the index; their ids. One takes the place of that with the same id.

        Raises:
            CiphersetError: as the gateway refused it; what was added before stays.
        """
        every = list({one.node_id: one for one in nodes}.values())
        for start in range(0, len(every), AT_ONCE):
            some = every[start : start + AT_ONCE]
            metadatas = [one.metadata for one in some]
            if self.is_embedding_query:
                vectors = [one.get_embedding() for one in some]
                rows = self._index.add(metadatas, vectors=vectors)
            else:
                texts = [one.get_content(metadata_mode=MetadataMode.EMBED) for one in some]
                rows = self._index.add(metadatas, texts=texts)
            earlier = self._rows_of([one.node_id for one in some])
            self._gather(some)
            for row, one in zip(rows, some, strict=True):
                self._keep(row, one)
            self._forget(earlier)
        return [one.node_id for one in nodes]

    def delete(self, ref_doc_id: str) -> None:
        """Delete the nodes of a document, and their rows for good.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        named = self._names.get(ref_doc_id, collection=_DOCUMENTS) or {"nodes": []}
        told = [(one, self._names.get(one, collection=_NODES)) for one in named["nodes"]]
        self.delete_nodes([one for one, node in told if node and node["document"] == ref_doc_id])
        self._names.delete(ref_doc_id, collection=_DOCUMENTS)

    def delete_nodes(
        self, node_ids: Sequence[str] | None = None, filters: MetadataFilters | None = None
    ) -> None:
        """Delete nodes, and their rows for good; those that are not there are gone already.

        Raises:
            UsageError: ``store_delete_all``: no ids.
            CiphersetError: as the gateway refused it.
        """
        if node_ids is None or filters is not None:
            raise delete_all()
        self._forget(self._rows_of(node_ids))
        for one in node_ids:
            self._names.delete(one, collection=_NODES)

    def query(self, query: VectorStoreQuery) -> VectorStoreQueryResult:
        """The ids of the nodes nearest to what is asked, and their cosines to two digits.

        Where ``node_ids`` are named (LlamaIndex names all of its own), others are left out after
        they were found: there may be fewer than asked for.

        Raises:
            UsageError: ``store_query``, ``store_filter``: an encrypted index does not do that.
            CiphersetError: as the gateway refused it.
        """
        asked = query.query_embedding if self.is_embedding_query else query.query_str
        if query.mode is not VectorStoreQueryMode.DEFAULT or asked is None or query.doc_ids:
            raise UsageError(
                "an encrypted index gives the rows nearest to a text or a vector, nothing else",
                code="store_query",
                hint="ask in the mode DEFAULT, with a text (a vector: is_embedding_query), of all",
            )
        hits = self._index.find(asked, query.similarity_top_k, _where(query.filters))
        named = [(self._names.get(hit.row, collection=_ROWS), hit.score) for hit in hits]
        wanted = set(query.node_ids or [told["node"] for told, _ in named if told is not None])
        known = [(told["node"], score) for told, score in named if told and told["node"] in wanted]
        return VectorStoreQueryResult(
            ids=[one for one, _ in known], similarities=[score for _, score in known]
        )

    def _rows_of(self, node_ids: Sequence[str]) -> list[str]:
        found = [self._names.get(one, collection=_NODES) for one in node_ids]
        return [told["row"] for told in found if told is not None]

    def _forget(self, rows: list[str]) -> None:
        """The index first: what fails can be done again, for the row is known still."""
        self._index.delete(rows)
        for row in rows:
            self._names.delete(row, collection=_ROWS)

    def _keep(self, row: str, node: BaseNode) -> None:
        told = {"row": row, "document": node.ref_doc_id}
        self._names.put(row, {"node": node.node_id}, collection=_ROWS)
        self._names.put(node.node_id, told, collection=_NODES)

    def _gather(self, nodes: Sequence[BaseNode]) -> None:
        """Put down which documents nodes are of; before the nodes, or a document could not go."""
        of: dict[str, list[str]] = {}
        for one in nodes:
            if one.ref_doc_id is not None:
                of.setdefault(one.ref_doc_id, []).append(one.node_id)
        for document, new in of.items():
            before = self._names.get(document, collection=_DOCUMENTS) or {"nodes": []}
            every = dict.fromkeys([*before["nodes"], *new])
            self._names.put(document, {"nodes": list(every)}, collection=_DOCUMENTS)


def _where(filters: MetadataFilters | None) -> dict[str, Any]:
    """What rows must have: fields that are equal to a text, all of them.

    Raises:
        UsageError: ``store_filter``.
    """
    if filters is None:
        return {}
    wanted: dict[str, Any] = {}
    for one in filters.filters:
        is_equal = getattr(one, "operator", None) is FilterOperator.EQ
        if not is_equal or filters.condition is not FilterCondition.AND or one.key in wanted:
            raise by_label_alone()
        wanted[one.key] = one.value
    return wanted
