"""LangChain's and LlamaIndex's vector stores over an index that a real gateway serves."""

import asyncio
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from http_server import running

import cipherset
from cipherset.app.index.build import build
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.keys import create
from cipherset.app.workspace import Session
from cipherset.core.errors import InputError, PolicyError, UsageError
from cipherset.interfaces.cli import settings
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.frameworks.encrypted import EncryptedIndex
from cipherset.interfaces.http.limits import DEFAULT_LIMITS

pytestmark = pytest.mark.extra
DIM = 24
WORDS = ("parcel", "refund", "invoice", "password", "printer", "holiday", "recipe", "tractor")
CANARY = "canary-frameworks-2207"


def vector_of(text: str) -> list[float]:
    """Texts that begin with the same word are near each other, and equal ones the same."""
    word, _, rest = text.partition(" ")
    toward = np.random.default_rng(sum(word.encode()) + 1000).normal(size=DIM)
    aside = np.random.default_rng(sum(rest.encode())).normal(size=DIM)
    return (toward + 0.2 * aside).tolist()


def built(folder, table, columns) -> None:
    home = folder / "workspace"
    session = Session(home, "root", folder, TerminalProgress())
    create(session, "support", purpose="", provider=None)
    pq.write_table(table, folder / "rows.parquet")
    request = BuildRequest(
        str(folder / "rows.parquet"),
        "support",
        folder / "rows.index",
        columns=columns,
        approximation_factor=4.0,
        accept_risk="a test",
    )
    build(session, request)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Of a gateway over an index of vectors, which has rows that no framework knows."""
    folder = tmp_path_factory.mktemp("frameworks")
    x = np.random.default_rng(0).normal(size=(420, DIM))
    topics = [f"its-{i % 5}" for i in range(420)]
    table = pa.table({"vec": x.tolist(), "topic": topics})
    built(folder, table, Columns(vector="vec", label="topic"))
    with (
        running(folder / "workspace", DEFAULT_LIMITS) as found,
        cipherset.Client(f"http://127.0.0.1:{found.port}") as made,
    ):
        yield made


@pytest.fixture(scope="module")
def of_texts(tmp_path_factory):
    """Of a gateway over an index of texts."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "encoders").symlink_to(settings.cache() / "encoders")
    texts = [f"the {WORDS[i % 8]} number {i} is here" for i in range(96)]
    built(folder, pa.table({"body": texts}), Columns(text=("body",)))
    with (
        running(folder / "workspace", DEFAULT_LIMITS) as found,
        cipherset.Client(f"http://127.0.0.1:{found.port}") as made,
    ):
        yield made


def rows_in(client) -> int:
    return client.index_status("rows.index")["rows"]


class TestLangChain:
    """By the calls of LangChain's own suite for vector stores, and what is ours beside."""

    @pytest.fixture
    def index(self, client, request) -> EncryptedIndex:
        """One tenant for each test, so that tests see their own rows alone."""
        return EncryptedIndex(client, "rows.index", "topic", tenant=request.node.name)

    @pytest.fixture
    def documents(self):
        from langchain_core.stores import InMemoryStore

        return InMemoryStore()

    @pytest.fixture
    def embedding(self):
        from langchain_core.embeddings import Embeddings

        class Given(Embeddings):
            def embed_documents(self, texts):
                return list(map(vector_of, texts))

            def embed_query(self, text):
                return vector_of(text)

        return Given()

    @pytest.fixture
    def store(self, index, documents, embedding):
        from cipherset.interfaces.frameworks.langchain import CiphersetVectorStore

        return CiphersetVectorStore(index, documents, embedding)

    def document(self, text, topic="a", **more):
        from langchain_core.documents import Document

        return Document(page_content=text, metadata={"topic": topic}, **more)

    def test_what_was_added_is_found_and_nothing_else(self, store):
        from langchain_core.stores import InMemoryStore

        from cipherset.interfaces.frameworks.langchain import CiphersetVectorStore

        assert store.similarity_search("parcel", k=5) == []
        documents = [self.document(f"{word} is late") for word in WORDS]
        ids = store.add_documents(documents)
        found = store.similarity_search("refund is late", k=2)
        assert found[0] == self.document("refund is late", id=ids[1])
        scored = store.similarity_search_with_score("refund is late", k=8)
        scores = [score for _, score in scored]
        assert scores[0] == pytest.approx(1.0, abs=0.01)
        assert scores == sorted(scores, reverse=True)
        assert all(round(score, 2) == score for score in scores)
        stranger = CiphersetVectorStore(store._index, InMemoryStore(), store.embeddings)
        assert stranger.similarity_search("refund is late") == []  # rows that it does not know
        nearest = store.similarity_search_by_vector(vector_of("invoice is late"), k=1)
        assert nearest[0].page_content == "invoice is late"
        sure = store.similarity_search_with_relevance_scores("recipe is late", score_threshold=0.9)
        assert [one.page_content for one, _ in sure] == ["recipe is late"]
        retriever = store.as_retriever(search_kwargs={"k": 1})
        assert retriever.invoke("tractor is late")[0].page_content == "tractor is late"
        assert store.embeddings.embed_query("a") == vector_of("a")

    def test_the_same_id_is_the_same_document(self, store, client):
        first = [self.document("parcel one", id="1"), self.document("refund two", id="2")]
        assert store.add_documents(first) == ["1", "2"]
        rows = rows_in(client)
        assert store.add_documents(first) == ["1", "2"]
        again = [self.document("tractor three", id="1"), self.document("recipe four", id="1")]
        assert store.add_documents(again) == ["1", "1"]
        assert rows_in(client) == rows
        found = store.similarity_search("parcel one", k=5)
        assert {one.id: one.page_content for one in found} == {
            "1": "recipe four",
            "2": "refund two",
        }
        assert store.get_by_ids(["2", "none", "1"]) == [
            self.document("refund two", id="2"),
            self.document("recipe four", id="1"),
        ]

    def test_what_was_deleted_is_gone_everywhere(self, store, documents, client):
        rows = rows_in(client)
        ids = store.add_documents([self.document(f"{word} is here") for word in WORDS[:4]])
        store.delete(ids[:3])
        store.delete([ids[0], "never there"])
        assert [one.id for one in store.similarity_search("parcel is here", k=5)] == ids[3:]
        assert store.get_by_ids(ids) == [self.document("password is here", id=ids[3])]
        store.delete(ids)
        assert (rows_in(client), list(documents.yield_keys())) == (rows, [])
        with pytest.raises(UsageError) as refused:
            store.delete()
        assert refused.value.code == "store_delete_all"

    def test_rows_are_chosen_by_their_label(self, store):
        store.add_documents([self.document(f"parcel {i}", "ab"[i % 2]) for i in range(6)])
        found = store.similarity_search("parcel 1", k=6, filter={"topic": "a"})
        assert [one.metadata["topic"] for one in found] == ["a"] * 3
        for wrong in ({"topic": ["a", "b"]}, {"other": "a"}, {"topic": "a", "other": "a"}):
            with pytest.raises(UsageError) as refused:
                store.similarity_search("parcel", filter=wrong)
            assert refused.value.code == "store_filter"
        with pytest.raises(UsageError) as refused:
            store.add_texts(["parcel"], [{"other": "a"}])
        assert refused.value.code == "store_label"

    def test_many_go_in_parts(self, store, client):
        rows = rows_in(client)
        texts = [f"{WORDS[i % 8]} {i}" for i in range(300)]
        ids = store.add_texts(texts, [{"topic": "a"}] * 300)
        assert (rows_in(client), len(set(ids))) == (rows + 300, 300)
        assert [one.page_content for one in store.get_by_ids(ids)] == texts
        store.delete(ids)
        assert rows_in(client) == rows

    def test_what_does_not_belong_together_sends_nothing(self, store, client):
        rows = rows_in(client)
        with pytest.raises(ValueError, match="zip"):
            store.add_texts(["parcel", "refund"], [{"topic": "a"}])
        with pytest.raises(TypeError):
            store.similarity_search("parcel", fetch_k=20)
        with pytest.raises(InputError):
            store.similarity_search("parcel", k=201)
        assert rows_in(client) == rows

    def test_from_texts_adds_to_an_index_that_is_there(self, index, documents, embedding):
        from cipherset.interfaces.frameworks.langchain import CiphersetVectorStore

        given = [self.document("parcel a"), self.document("refund b")]
        store = CiphersetVectorStore.from_documents(
            given, embedding, index=index, docstore=documents
        )
        assert store.similarity_search("refund b", k=1)[0].page_content == "refund b"
        with pytest.raises(UsageError) as refused:
            CiphersetVectorStore.from_documents(
                given, embedding, index=replace(index, name="none"), docstore=documents
            )
        assert refused.value.code == "index_unknown"

    def test_asynchronously_it_is_the_same(self, store):
        async def life():
            ids = await store.aadd_documents([self.document("parcel now")])
            found = await store.asimilarity_search("parcel now", k=1)
            await store.adelete(ids)
            return found, await store.asimilarity_search("parcel now", k=1)

        found, after = asyncio.run(life())
        assert ([one.page_content for one in found], after) == (["parcel now"], [])

    def test_texts_are_embedded_at_the_gateway(self, of_texts, documents):
        from cipherset.interfaces.frameworks.langchain import CiphersetVectorStore

        index = EncryptedIndex(of_texts, "rows.index", tenant="langchain")
        store = CiphersetVectorStore(index, documents)
        texts = ["my parcel did not arrive", "bake the bread for an hour", "the engine stutters"]
        store.add_texts(texts)
        found = store.similarity_search("the package is lost in the mail", k=1)
        assert found[0].page_content == texts[0]
        with pytest.raises(InputError) as refused:
            store.similarity_search_by_vector([0.1] * 384)
        assert refused.value.code == "search_vector"


class TestLlamaIndex:
    """Through LlamaIndex's own index over the store."""

    @pytest.fixture
    def names(self):
        from llama_index.core.storage.kvstore import SimpleKVStore

        return SimpleKVStore()

    @pytest.fixture
    def store(self, client, names, request):
        from cipherset.interfaces.frameworks.llamaindex import CiphersetVectorStore

        index = EncryptedIndex(client, "rows.index", "topic", tenant=request.node.name)
        return CiphersetVectorStore(index, names, is_embedding_query=True)

    @pytest.fixture
    def model(self):
        from llama_index.core.embeddings import BaseEmbedding

        class Given(BaseEmbedding):
            def _get_text_embedding(self, text):
                return vector_of(text.rpartition("\n")[2])

            def _get_query_embedding(self, query):
                return vector_of(query)

            async def _aget_query_embedding(self, query):
                return vector_of(query)

        return Given()

    def index(self, store, model):
        from llama_index.core import StorageContext, VectorStoreIndex

        context = StorageContext.from_defaults(vector_store=store)
        return VectorStoreIndex([], storage_context=context, embed_model=model)

    def document(self, name, text, topic="a"):
        from llama_index.core import Document

        return Document(doc_id=name, text=text, metadata={"topic": topic})

    def found(self, index, asked, **options):
        return [one.text for one in index.as_retriever(**options).retrieve(asked)]

    def test_documents_are_found_updated_and_deleted(self, store, model, client, names):
        rows = rows_in(client)
        index = self.index(store, model)
        assert self.found(index, "parcel is late") == []
        for i, word in enumerate(WORDS):
            index.insert(self.document(f"d{i}", f"{word} is late"))
        assert self.found(index, "refund is late", similarity_top_k=1) == ["refund is late"]
        scores = [one.score for one in index.as_retriever(similarity_top_k=8).retrieve("recipe")]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 8
        index.update_ref_doc(self.document("d1", "tractor is new"))
        assert "refund is late" not in self.found(index, "refund is late", similarity_top_k=8)
        assert self.found(index, "tractor is new", similarity_top_k=1) == ["tractor is new"]
        assert rows_in(client) == rows + 8
        for i in range(8):
            index.delete_ref_doc(f"d{i}", delete_from_docstore=True)
        index.delete_ref_doc("d1")
        assert rows_in(client) == rows
        assert [names.get_all(collection=one) for one in kept_in()] == [{}, {}, {}]

    def test_the_nodes_of_a_document_are_put_down_at_once(self, store, names, monkeypatch):
        """One by one, each time with all before it, a long document would take for ever."""
        from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

        of = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id="book")}
        nodes = [
            TextNode(
                id_=f"page-{i}",
                text="parcel",
                metadata={"topic": "a"},
                embedding=vector_of(f"parcel {i}"),
                relationships=of,
            )
            for i in range(20)
        ]
        written = []
        put = type(names).put

        def counted(self, key, val, collection):
            written.append((collection, key))
            put(self, key, val, collection)

        monkeypatch.setattr(type(names), "put", counted)
        store.add(nodes)
        store.add(nodes[:5])
        assert written.count(("cipherset/documents", "book")) == 2
        store.delete("book")
        assert self.asked(store, "parcel 3").ids == []
        assert [names.get_all(collection=one) for one in kept_in()] == [{}, {}, {}]

    def test_the_same_node_is_the_same_row(self, store, client):
        from llama_index.core.schema import TextNode

        node = TextNode(
            id_="n", text="parcel", metadata={"topic": "a"}, embedding=vector_of("parcel")
        )
        other = node.model_copy(update={"embedding": vector_of("refund")})
        assert store.add([node, other]) == ["n", "n"]
        rows = rows_in(client)
        assert store.add([node]) == ["n"]
        assert rows_in(client) == rows
        assert self.asked(store, "parcel").similarities == [pytest.approx(1.0, abs=0.01)]
        assert self.asked(store, "parcel", node_ids=["n"]).ids == ["n"]
        assert self.asked(store, "parcel", node_ids=["other"]).ids == []
        store.delete_nodes(["n", "never there"])
        assert self.asked(store, "parcel").ids == []
        for wrong in ({"node_ids": None}, {"node_ids": ["n"], "filters": self.where("==", "a")}):
            with pytest.raises(UsageError) as refused:
                store.delete_nodes(**wrong)
            assert refused.value.code == "store_delete_all"

    def test_rows_are_chosen_by_their_label(self, store, model):
        index = self.index(store, model)
        for i in range(6):
            index.insert(self.document(f"d{i}", f"parcel {i}", "ab"[i % 2]))
        options = {"similarity_top_k": 6, "filters": self.where("==", "a")}
        assert sorted(self.found(index, "parcel 1", **options)) == [
            f"parcel {i}" for i in (0, 2, 4)
        ]
        for wrong in (self.where("!=", "a"), self.where("==", "a", key="other")):
            with pytest.raises(UsageError) as refused:
                self.found(index, "parcel", filters=wrong)
            assert refused.value.code == "store_filter"

    def where(self, operator, value, key="topic"):
        from llama_index.core.vector_stores import MetadataFilter, MetadataFilters

        one = MetadataFilter(key=key, value=value, operator=operator)
        return MetadataFilters(filters=[one])

    def asked(self, store, text, **options):
        from llama_index.core.vector_stores.types import VectorStoreQuery

        vector = options.pop("query_embedding", vector_of(text))
        return store.query(VectorStoreQuery(query_embedding=vector, similarity_top_k=3, **options))

    @pytest.mark.parametrize(
        "options",
        [{"mode": "hybrid"}, {"query_embedding": None}, {"doc_ids": ["a"]}],
    )
    def test_what_an_encrypted_index_cannot_do_is_refused(self, store, options):
        with pytest.raises(UsageError) as refused:
            self.asked(store, "parcel", **options)
        assert refused.value.code == "store_query"

    def test_texts_are_embedded_at_the_gateway(self, of_texts, names):
        from llama_index.core import MockEmbedding

        from cipherset.interfaces.frameworks.llamaindex import CiphersetVectorStore

        index = EncryptedIndex(of_texts, "rows.index", tenant="llamaindex")
        store = CiphersetVectorStore(index, names)
        assert (store.client, store.class_name()) == (of_texts, "CiphersetVectorStore")
        over = self.index(store, MockEmbedding(embed_dim=1))
        for i, text in enumerate(("my parcel did not arrive", "bake the bread for an hour")):
            over.insert(self.document(f"d{i}", text))
        asked = "the package is lost in the mail"
        assert self.found(over, asked, similarity_top_k=1) == ["my parcel did not arrive"]


def kept_in():
    from cipherset.interfaces.frameworks import llamaindex

    return llamaindex._ROWS, llamaindex._NODES, llamaindex._DOCUMENTS


def test_who_may_not_gets_nothing_by_way_of_a_framework(client):
    """The gate stays at the gateway: its refusal comes through as it is."""
    from langchain_core.stores import InMemoryStore

    from cipherset.interfaces.frameworks.langchain import CiphersetVectorStore

    index = EncryptedIndex(client, f"{CANARY}@example.org")
    store = CiphersetVectorStore(index, InMemoryStore())
    with pytest.raises((PolicyError, InputError)) as refused:
        store.add_texts([CANARY])
    assert CANARY not in str(refused.value) + repr(refused.value) + repr(store)
