"""What a store answers is held to the form of rows, and what fails in it is ours to say."""

from types import SimpleNamespace

import numpy as np
import pytest
from index_samples import DIM, found, rows, same

from cipherset.core.errors import BackendError, IntegrityError
from cipherset.pipeline.index import Filter, Tag, check_answer, milvus
from cipherset.pipeline.index.entries import concatenated
from cipherset.pipeline.index.lance import LanceIndex
from cipherset.pipeline.index.payload import entries_of_payloads, hexed, payloads_of
from cipherset.pipeline.index.qdrant import QdrantIndex


def code_of(call, *args):
    with pytest.raises((IntegrityError, BackendError)) as refused:
        call(*args)
    return refused.value.code


def test_payloads_there_and_back_to_the_bit():
    every = rows(9)
    back = entries_of_payloads(hexed(every.ids), every.vectors.tolist(), payloads_of(every), DIM)
    assert same(back, every)
    assert len(entries_of_payloads([], [], [], DIM)) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("seal", "zz" * 44), ("seal", "ab"), ("seal", None), ("label", 7)),
        *(("version", "one"), ("version", 2**31), ("version", 10**400)),
    ],
)
def test_payloads_that_are_no_rows(field, value):
    every = rows(3)
    payloads = payloads_of(every)
    payloads[1][field] = value
    told = (hexed(every.ids), every.vectors.tolist(), payloads, DIM)
    assert code_of(entries_of_payloads, *told) == "index_answer"
    del payloads[1][field]
    assert code_of(entries_of_payloads, *told) == "index_answer"


@pytest.mark.parametrize("value", [1e300, 10**400, "x"])
def test_vectors_that_are_no_rows(value):
    every = rows(3)
    vectors = every.vectors.tolist()
    vectors[1][2] = value
    told = (hexed(every.ids), vectors, payloads_of(every), DIM)
    assert code_of(entries_of_payloads, *told) == "index_answer"


class Lying:
    """What is answered by a Milvus server that says what it likes: the same, whatever is asked."""

    def __init__(self, *rows: object) -> None:
        self.query = lambda *_, **__: rows
        self.search = lambda *_, **__: [rows]


@pytest.mark.parametrize(
    "told",
    [
        *((), ({},), ({"id": "00" * 16},), ({"id": "00" * 16, "entity": {}},), ("no row",)),
        ({"version": 1, "count(*)": 1},),
    ],
)
def test_a_server_of_milvus_that_answers_anything(told):
    """Nor is it asked for ever which versions there are, when it always names the same."""
    index = object.__new__(milvus.MilvusIndex)
    index.dim, index._name, index._client = DIM, "rows", Lying(*told)
    index._driver, index._grpc = SimpleNamespace(MilvusException=OSError), SimpleNamespace()
    index._grpc.RpcError = OSError
    if told:
        assert code_of(index.some, 5) == "index_answer"
        assert code_of(index.query, np.zeros(DIM, np.float32), 5) == "index_answer"
        assert code_of(index.versions) == "index_answer"
    else:
        assert code_of(index.delete, rows(1).ids) == "index_answer"


class Noting:
    """A client of Milvus without a server: it notes how long each call is to wait."""

    def __init__(self) -> None:
        self.times = {}

    def __getattr__(self, name):
        def call(*_, timeout=None, **__):
            self.times[name] = timeout
            return [[]] if name == "search" else [{"count(*)": 0}]

        return call


def test_no_call_to_a_server_of_milvus_waits_for_ever():
    """Its client would, though it is told how long to wait when it is made."""
    index = object.__new__(milvus.MilvusIndex)
    index.dim, index._name, index._client = DIM, "rows", Noting()
    index._driver, index._grpc = SimpleNamespace(MilvusException=OSError), SimpleNamespace()
    index._grpc.RpcError = OSError
    index._load()
    index.add(rows(3))
    index.replace(rows(3))
    index.query(np.zeros(DIM, np.float32), 5)
    index.delete(rows(3).ids)
    index.drop()
    assert index._client.times.keys() == {
        *("has_collection", "load_collection", "drop_collection"),
        *("insert", "upsert", "delete", "query", "search"),
    }
    assert all(index._client.times.values())


def test_an_answer_is_what_was_asked_for():
    every = rows(20)
    token = every.tags[0, Tag.TENANT].tobytes()
    where = Filter({Tag.TENANT: frozenset({token})}, 1)
    mine = every.take(every.tags[:, Tag.TENANT, 0] == token[0])
    check_answer(mine, 20, where)
    for false in (every, concatenated([mine, mine])):
        assert code_of(check_answer, false, 40, where) == "index_answer"
    assert code_of(check_answer, mine, len(mine) - 1, where) == "index_answer"
    assert code_of(check_answer, mine, 20, Filter(version=2)) == "index_answer"


@pytest.mark.extra
@pytest.mark.parametrize("column", ["id", "seal", "label"])
def test_a_database_that_answers_with_bytes_of_another_length(table, column):
    table.add(rows(3))
    with table._transaction() as cursor:
        cursor.execute(
            f"UPDATE {table._table} SET {column} = '\\x00' WHERE version = 1 AND id = %s",
            (rows(3).ids[1].tobytes(),),
        )
    assert code_of(table.some, 5) == "index_answer"
    assert code_of(table.query, np.zeros(DIM, np.float32), 5) == "index_answer"


@pytest.mark.extra
def test_a_table_of_lancedb_with_other_columns(tmp_path):
    import lancedb
    import pyarrow as pa

    lancedb.connect(str(tmp_path)).create_table("rows", pa.table({"id": [b"x"]}))
    assert code_of(lambda: LanceIndex(tmp_path, DIM).some(5)) in {"index_answer", "index_database"}


@pytest.mark.extra
@pytest.mark.parametrize("store", [LanceIndex, QdrantIndex])
def test_a_folder_that_is_none(store, tmp_path):
    (tmp_path / "rows").write_text("no folder")
    assert code_of(store, tmp_path / "rows", DIM) in {"index_database", "disk"}


@pytest.mark.extra
def test_a_shard_that_was_overwritten(tmp_path):
    QdrantIndex(tmp_path / "rows", DIM).close()
    for path in (tmp_path / "rows" / "shard").rglob("*.json"):
        path.write_text("{")
    assert code_of(QdrantIndex, tmp_path / "rows", DIM) == "index_database"


@pytest.mark.extra
def test_what_was_stored_before_a_message_was_refused_is_taken_back(collection, monkeypatch):
    monkeypatch.setattr(milvus, "_MESSAGE_BYTES", 5 * (4 * DIM + milvus._ROW_BYTES))
    kept, every = rows(2, seed=1), rows(20)
    collection.add(kept)
    every.vectors[17] = np.nan
    assert code_of(collection.add, every) == "index_database"
    assert sorted(found(collection.some(30))) == sorted(found(kept))


@pytest.mark.extra
def test_one_process_after_the_other_has_the_folder_of_qdrant(tmp_path):
    """Who comes second waits, and sees what the first has written."""
    import threading

    first = QdrantIndex(tmp_path / "rows", DIM)
    seen: list[int] = []

    def second():
        index = QdrantIndex(tmp_path / "rows", DIM)
        seen.append(index.rows())
        index.close()

    waiting = threading.Thread(target=second, daemon=True)  # or a failure here waits for it
    waiting.start()
    first.add(rows(6))
    assert not seen
    first.close()
    waiting.join(300)
    assert seen == [6]
