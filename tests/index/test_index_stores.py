"""Every store from a source to its hits, through a rotation: one life, in the real thing.

Speed is nothing here; what is asked is that each store gives what plain search gives.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from milvus_server import running
from thread_samples import Owner, bytes_below, vector_rows, write_rows

from cipherset.app.index.search import SearchRequest, search
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.core.errors import BackendError, UsageError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.index import stores
from cipherset.pipeline.index.milvus import MilvusIndex

pytestmark = pytest.mark.extra
STORES = ("files", "faiss", "lancedb", "qdrant", "postgresql", "milvus")
DEADLINE_S = 300
PASSWORD = "canary-milvus-5518"
WRONG = "canary-wrong-9920"
OPTIONS = ("--approximation-factor", "4", "--accept-risk", "a test")
COLUMNS = ("--vector", "vec", "--label", "topic", "--tenant", "region")


@pytest.fixture
def store(request):
    """What ``--store`` is given."""
    if request.param == "postgresql":
        return request.getfixturevalue("database").replace(":@", "@") + "#life_of_rows"
    if request.param == "milvus":
        return "milvus://" + request.getfixturevalue("milvus").partition("://")[2] + "#life_of_rows"
    return request.param


class Life:
    """An owner, an index, and the plain rows that are in it."""

    def __init__(self, folder, store):
        self.owner = Owner(folder)
        self.owner.key("support")
        self.index = folder / "rows.index"
        self.rows = vector_rows(150, dim=24)
        self.alive = {("rows.parquet", i): row for i, row in enumerate(self.rows)}
        source = write_rows(folder / "rows.parquet", self.rows)
        to = ("--key", "support", "--to", self.index, "--store", store)
        self.owner.ok("index", "build", source, *COLUMNS, *to, *OPTIONS)

    def add(self, n):
        more = vector_rows(n, dim=24, seed=4)
        source = write_rows(self.owner.folder / "more.parquet", more)
        self.alive |= {("more.parquet", i): row for i, row in enumerate(more)}
        return self.owner.ok("index", "add", self.index, source)

    def delete(self, source, row):
        del self.alive[source, row]
        args = ("--row", str(row), "--source", source)
        return self.owner.ok("index", "delete", self.index, *args)

    def found(self, vector, tenant):
        request = SearchRequest(self.index, vector=tuple(vector), top=10, tenant=tenant)
        session = Session(self.owner.home, "ada", self.owner.folder, TerminalProgress())
        return [(hit.source, hit.row) for hit in search(session, request)]

    def check_afar(self, password):
        """Who serves the workspace searches with the password, which no repr shows."""
        session = Session(
            self.owner.home, "ada", self.owner.folder, TerminalProgress(), store_password=password
        )
        with hold(session) as held:
            request = SearchRequest(self.index, vector=tuple(self.rows[8]["vec"]), top=1)
            assert [hit.row for hit in search(held, request)] == [8]
            with open_workspace(held) as workspace:
                assert password not in repr(held) + repr(workspace)

    def check(self):
        """Search finds what plain search over the rows that are alive finds."""
        for vector, tenant in ((self.rows[3]["vec"], None), (self.rows[8]["vec"], "south")):
            fit = {
                name: float(np.dot(row["vec"], vector))
                for name, row in self.alive.items()
                if tenant in {None, row["region"]}
            }
            expected = sorted(fit, key=fit.__getitem__, reverse=True)[:10]
            assert self.found(vector, tenant) == expected


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_a_life_through_a_rotation(store, tmp_path):
    life = Life(tmp_path, store)
    life.check()
    life.owner.ok("key", "rotate", "support")
    assert life.add(30)["key_versions"] == [1, 2]
    assert life.delete("rows.parquet", 3)["rows"] == 179
    life.check()  # both versions are live, and what they find is merged
    done = life.owner.ok("index", "reencrypt", life.index)
    assert (done["key_versions"], done["changed"], done["rows"]) == ([2], 149, 179)
    life.owner.ok("key", "destroy", "support", "--version", "1", "--yes", "--force")
    life.check()
    assert life.delete("more.parquet", 8)["rows"] == 178
    life.check()


@pytest.mark.parametrize("store", ["faiss", "lancedb", "qdrant"], indirect=True)
def test_nothing_plain_is_in_the_folder(store, tmp_path):
    life = Life(tmp_path, store)
    raw = b"".join(bytes_below(life.index).values())
    assert len(raw) > 150 * 24 * 4
    assert not any(np.float32(row["vec"]).tobytes() in raw for row in life.rows)
    assert b"south" not in raw
    assert b"refund" not in raw


@pytest.mark.parametrize(
    ("module", "kind", "extra"),
    [
        ("faiss", "faiss", "faiss"),
        ("lancedb", "lancedb", "lancedb"),
        ("qdrant_edge", "qdrant", "qdrant"),
        ("pymilvus", "milvus://127.0.0.1:1#rows", "milvus"),
    ],
)
def test_a_store_whose_package_is_not_here(module, kind, extra, folder, signer, monkeypatch):
    from index_samples import manifest

    monkeypatch.setitem(sys.modules, module, None)
    told = manifest(signer).model_copy(
        update={"store": stores.store_kind(kind), "address": kind if "#" in kind else None}
    )
    with pytest.raises(BackendError) as refused:
        stores.open_store(told, folder, signer)
    assert refused.value.code == "index_driver"
    assert f"cipherset[{extra}]" in refused.value.hint


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Where a Milvus is that lets in nobody but root, with ``PASSWORD``."""
    from pymilvus import MilvusClient

    with running(tmp_path_factory.mktemp("guarded"), asks_who=True) as address:
        client = MilvusClient(uri=address, user="root", password="Milvus", timeout=DEADLINE_S)
        client.create_user("ada", PASSWORD, timeout=DEADLINE_S)
        client.update_password("root", "Milvus", PASSWORD, timeout=DEADLINE_S)
        client.close()
        yield address.partition("://")[2]


def test_a_server_that_asks_for_a_password(guarded, tmp_path, monkeypatch, caplog):
    kept = tmp_path / "password"
    kept.write_text(PASSWORD + "\n")
    kept.chmod(0o600)
    monkeypatch.setenv("CIPHERSET_MILVUS_PASSWORD_FILE", str(kept))
    folder = tmp_path / "owner"
    folder.mkdir()
    life = Life(folder, f"milvus://root@{guarded}#guarded_rows")
    life.add(5)
    life.delete("rows.parquet", 3)
    life.check_afar(PASSWORD)
    monkeypatch.delenv("CIPHERSET_MILVUS_PASSWORD_FILE")

    def deleted(password):
        if password is not None:
            monkeypatch.setenv("CIPHERSET_MILVUS_PASSWORD", password)
        args = ("--row", "0", "--source", "rows.parquet")
        return life.owner.run("index", "delete", life.index, *args)

    none, wrong = deleted(None), deleted(WRONG)
    assert (none.code, none.error["code"]) == (2, "index_password")
    assert (wrong.code, wrong.error["code"]) == (6, "index_database")
    assert WRONG not in wrong.out + wrong.err
    assert deleted(PASSWORD).json["changed"] == 1
    # nobody, and somebody who may do nothing there
    for login in (("", ""), ("ada", PASSWORD)):
        with pytest.raises(BackendError) as refused:
            MilvusIndex(f"http://{guarded}", "guarded_rows", 24, login=login)
        assert refused.value.code == "index_database"
    raw = b"".join(bytes_below(folder).values())
    assert len(raw) > 1_000
    for secret in (PASSWORD, WRONG):
        assert secret.encode() not in raw
        assert secret not in caplog.text


def test_a_server_that_is_not_there():
    with pytest.raises(BackendError) as refused:
        MilvusIndex("http://127.0.0.1:1", "rows", 12)
    assert refused.value.code == "index_database"


def test_a_collection_that_fails_to_open_leaves_no_connection(monkeypatch):
    import pymilvus

    closed = []

    class Failing:
        """A client whose server lets it in, and then does nothing for it."""

        def __init__(self, **_: object) -> None:
            pass

        def has_collection(self, _: str, **__: object) -> bool:
            raise pymilvus.MilvusException(message=PASSWORD)

        def close(self) -> None:
            closed.append(self)
            raise pymilvus.MilvusException(message=PASSWORD)

    monkeypatch.setattr(pymilvus, "MilvusClient", Failing)
    with pytest.raises(BackendError) as refused:
        MilvusIndex("http://127.0.0.1:1", "rows", 12)
    assert refused.value.code == "index_database"
    assert PASSWORD not in refused.value.message
    assert len(closed) == 1


@pytest.mark.parametrize(("name", "dim"), [("rows; drop", 12), ("rows", 32_769)])
def test_a_collection_that_cannot_be_used(name, dim):
    with pytest.raises(UsageError) as refused:
        MilvusIndex("http://127.0.0.1:1", name, dim)
    assert refused.value.code == "index_table"
