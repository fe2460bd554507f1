"""LangChain's vector store over a gateway's encrypted index: ``cipherset[langchain]``.

The index holds no text: the docstore does, on your side. It keeps each document under its row's id,
and under ``id:ID`` which row the document with that id is. Hits that it does not know are left out,
so one index is for one docstore.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.stores import BaseStore
from langchain_core.vectorstores import VectorStore

from cipherset.interfaces.frameworks.encrypted import AT_ONCE, EncryptedIndex, delete_all

_TOP: Final = 4  # LangChain's own


class CiphersetVectorStore(VectorStore):  # type: ignore[misc]  # LangChain may not be here
    """Documents in ``docstore``, found by an encrypted index.

    Leaks: to the gateway, texts or vectors; to whoever keeps the index, what it leaks; to whoever
    runs the docstore, every document.

    Example:
        >>> store = CiphersetVectorStore(  # doctest: +SKIP
        ...     EncryptedIndex(Client("http://127.0.0.1:8443"), "tickets.index"), InMemoryStore()
        ... )
        >>> store.add_texts(["my parcel is late"])  # doctest: +SKIP
    """

    def __init__(
        self,
        index: EncryptedIndex,
        docstore: BaseStore[str, Document],
        embedding: Embeddings | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            index: Where rows are encrypted and found.
            docstore: Where the documents are: a store of LangChain's that outlives the process.
            embedding: Gives the vectors for an index that was built of vectors. Without it the
                gateway embeds.
        """
        self._index = index
        self._docstore = docstore
        self._embedding = embedding

    @property
    def embeddings(self) -> Embeddings | None:
        """What gives vectors here; None where the gateway embeds."""
        return self._embedding

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
    ) -> list[str]:
        """Encrypt texts into the index; their ids, in order.

        A document takes the place of the one with the same id. Without an id it has its row's.

        Raises:
            ValueError: there are not as many metadatas or ids as texts.
            CiphersetError: as the gateway refused it; what was added before stays.
        """
        every = list(texts)
        parts = (every, metadatas or [{} for _ in every], ids or [None for _ in every])
        documents = [
            Document(page_content=text, metadata=told, id=one)
            for text, told, one in zip(*parts, strict=True)
        ]
        # Of two with the same id the later one stays.
        latest = {one.id or i: one for i, one in enumerate(documents)}
        names = dict(zip(latest, self._added(list(latest.values())), strict=True))
        return [names[one.id or i] for i, one in enumerate(documents)]

    def delete(self, ids: Sequence[str] | None = None) -> bool:
        """Delete documents, and their rows for good; those that are not there are gone already.

        Raises:
            UsageError: ``store_delete_all``: no ids.
            CiphersetError: as the gateway refused it.
        """
        if ids is None:
            raise delete_all()
        self._forget(self._rows_of(ids))
        self._docstore.mdelete([_pointer(one) for one in ids])
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these ids that are there."""
        return [one for one in self._docstore.mget(self._rows_of(ids)) if one is not None]

    def similarity_search(
        self, query: str, k: int = _TOP, *, filter: Mapping[str, str] | None = None
    ) -> list[Document]:
        """The documents nearest to a text, nearest first; see ``similarity_search_with_score``."""
        return [one for one, _ in self.similarity_search_with_score(query, k, filter=filter)]

    def similarity_search_with_score(
        self, query: str, k: int = _TOP, *, filter: Mapping[str, str] | None = None
    ) -> list[tuple[Document, float]]:
        """The documents nearest to a text, nearest first, and their cosines to two digits.

        Args:
            query: The text.
            k: How many at most, 1 to 200.
            filter: The label that rows must have: ``{field: text}`` of the index's label.

        Raises:
            UsageError: ``store_filter``.
            CiphersetError: as the gateway refused it.
        """
        vector = None if self._embedding is None else self._embedding.embed_query(query)
        return self._found(query if vector is None else vector, k, filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = _TOP, *, filter: Mapping[str, str] | None = None
    ) -> list[Document]:
        """The documents nearest to a vector, where the index was built of vectors.

        Raises:
            UsageError: ``store_filter``.
            CiphersetError: as the gateway refused it; ``search_vector``: it was built of texts.
        """
        return [one for one, _ in self._found(embedding, k, filter)]

    @classmethod
    def from_texts(  # house: LangChain's form
        cls,
        texts: list[str],
        embedding: Embeddings | None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str | None] | None = None,
        index: EncryptedIndex,
        docstore: BaseStore[str, Document],
    ) -> Self:
        """A store with these texts added, to an index that its owner has built.

        Raises: as ``add_texts``.
        """
        store = cls(index, docstore, embedding)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        """Of a cosine, a relevance from 0 to 1 as LangChain has it."""
        return lambda cosine: min(max(cosine, 0.0), 1.0)

    def _added(self, documents: list[Document]) -> list[str]:
        """Their ids; each part is in the docstore before the next is sent."""
        names: list[str] = []
        for start in range(0, len(documents), AT_ONCE):
            some = documents[start : start + AT_ONCE]
            texts = [one.page_content for one in some]
            metadatas = [one.metadata for one in some]
            if self._embedding is None:
                rows = self._index.add(metadatas, texts=texts)
            else:
                vectors = self._embedding.embed_documents(texts)
                rows = self._index.add(metadatas, vectors=vectors)
            earlier = self._rows_of([one.id for one in some if one.id])
            for row, one in zip(rows, some, strict=True):
                name = one.id or row
                names.append(name)
                kept = one.model_copy(update={"id": name})
                pointer = Document(page_content=row)
                self._docstore.mset([(row, kept), (_pointer(name), pointer)])
            self._forget(earlier)
        return names

    def _found(
        self, asked: str | list[float], k: int, where: Mapping[str, str] | None
    ) -> list[tuple[Document, float]]:
        hits = self._index.find(asked, k, where)
        documents = self._docstore.mget([hit.row for hit in hits])
        scored = zip(documents, [hit.score for hit in hits], strict=True)
        return [(one, score) for one, score in scored if one is not None]

    def _forget(self, rows: list[str]) -> None:
        """The index first: what fails can be done again, for the docstore still knows the row."""
        self._index.delete(rows)
        self._docstore.mdelete(rows)

    def _rows_of(self, ids: Sequence[str]) -> list[str]:
        found = self._docstore.mget([_pointer(one) for one in ids])
        return [one.page_content for one in found if one is not None]


def _pointer(name: str) -> str:
    return f"id:{name}"
