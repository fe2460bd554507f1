"""An encrypted index from a source to its hits, on vectors that stand for themselves."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from thread_samples import Owner, bytes_below, leftovers, vector_rows, write_rows

from cipherset.app.gate import Action
from cipherset.app.index import change, risk
from cipherset.app.index.opened import open_index, placed
from cipherset.app.index.parts import MOST, Parts
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.index.search import SearchRequest, _asked, search, searching
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import CiphersetError, InputError, UsageError
from cipherset.interfaces.cli import settings
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.index import StoreKind, split_store, store_kind, stores

CANARY = "canary-topic-5813"


def session_of(owner) -> Session:
    return Session(owner.home, "ada", owner.folder / "cache", TerminalProgress())


def refused(call, *args, **options):
    with pytest.raises(CiphersetError) as found:
        call(*args, **options)
    return found.value.exit_code, found.value.code


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    """A source of vectors, and its index; whoever changes something copies it."""
    owner = Owner(tmp_path_factory.mktemp("indexed"))
    owner.key("support")
    rows = vector_rows(200, dim=24)
    for i, row in enumerate(rows):
        row["topic"] = CANARY if i % 50 == 0 else row["topic"]
    source = write_rows(owner.folder / "rows.parquet", rows)
    columns = ("--vector", "vec", "--label", "topic", "--tenant", "region")
    given = ("--approximation-factor", "4", "--accept-risk", "a test")
    to = ("--key", "support", "--to", owner.folder / "rows.index")
    made = owner.ok("index", "build", source, *columns, *to, *given)
    return owner, np.array([row["vec"] for row in rows]), made


@pytest.fixture
def built(built_once, tmp_path):
    owner, x, made = built_once
    shutil.copytree(owner.folder, tmp_path / "copy")
    copy = Owner(tmp_path / "copy")
    place = next(copy.home.glob("indexes/*/place"))
    told = json.loads(place.read_bytes()) | {"path": str(copy.folder / "rows.index")}
    place.write_text(json.dumps(told, sort_keys=True, separators=(",", ":")))
    return copy, x, made


def asked(owner, x, **options):
    request = SearchRequest(owner.folder / "rows.index", vector=tuple(map(float, x)), **options)
    return search(session_of(owner), request)


def test_hits_are_the_nearest_rows_of_the_source_by_their_exact_cosine(built_once):
    owner, x, _ = built_once
    for i in (0, 7, 150):
        hits = asked(owner, x[i], top=5)
        expected = np.argsort(-(x @ x[i]), kind="stable")[:5]
        assert [hit.row for hit in hits] == expected.tolist()
        assert np.allclose([hit.score for hit in hits], np.sort(x @ x[i])[::-1][:5], atol=1e-5)
        assert {hit.source for hit in hits} == {"rows.parquet"}


def test_somebody_else_is_told_ids_and_not_rows(built_once):
    owner, x, _ = built_once
    hits = asked(owner, x[3], top=3, names_rows=False)
    assert all(hit.row == hit.id and len(hit.id) == 32 and hit.source is None for hit in hits)


def test_from_afar_an_index_of_texts_is_not_asked_with_vectors(built_once):
    """Vectors of one's choice are the equations of an inversion: 384 cosines give a row."""
    owner, x, _ = built_once
    folder, given = owner.folder / "rows.index", tuple(map(float, x[3]))
    with (
        open_workspace(session_of(owner)) as workspace,
        searching(workspace, folder, 1),
        open_index(workspace, folder) as opened,
    ):
        meta = opened.meta.model_copy(update={"encoder_spec": "an encoder"})
        of_texts, request = replace(opened, meta=meta), SearchRequest(folder, vector=given)
        with pytest.raises(InputError) as found:
            _asked(session_of(owner), of_texts, request, is_afar=True)
        assert found.value.code == "search_vector"
        own = _asked(session_of(owner), of_texts, request, is_afar=False)
    assert np.allclose(own, [x[3]], atol=1e-6)


def test_other_weights_than_those_of_the_rows_are_refused(built_once):
    owner, _, _ = built_once
    folder = owner.folder / "rows.index"
    with (
        open_workspace(session_of(owner)) as workspace,
        searching(workspace, folder, 1),
        open_index(workspace, folder) as opened,
    ):
        meta = opened.meta.model_copy(
            update={"encoder_spec": "minilm-l6-v2", "encoder": "sha256:" + "0" * 64}
        )
        with pytest.raises(CiphersetError) as found:
            replace(opened, meta=meta).encoder(replace(session_of(owner), cache=settings.cache()))
    assert found.value.code == "encoder_changed"


def test_over_a_network_a_cosine_has_two_digits(built_once):
    owner, x, _ = built_once
    request = SearchRequest(owner.folder / "rows.index", vector=tuple(map(float, x[3])))
    near = search(session_of(owner), request)
    afar = search(replace(session_of(owner), network="127.0.0.1"), request)
    assert [hit.row for hit in afar] == [hit.row for hit in near]
    assert [hit.score for hit in afar] == [round(hit.score, 2) for hit in near]


def test_only_rows_of_the_label_and_tenant_that_were_asked_for(built_once):
    owner, x, _ = built_once
    hits = asked(owner, x[1], top=20, label=CANARY, tenant="north")
    assert sorted(hit.row for hit in hits) == [0, 50, 100, 150]
    assert asked(owner, x[1], label=CANARY, tenant="south") == []
    assert asked(owner, x[1], label="no such label") == []


def test_nothing_plain_is_in_the_index_or_the_ledger(built_once):
    owner, x, made = built_once
    asked(owner, x[3], label=CANARY)
    stored = b"".join(bytes_below(owner.folder / "rows.index").values())
    events = "".join(event.body for event in owner.events())
    sealed = b"".join(bytes_below(owner.home / "indexes").values())
    for where in (stored, sealed, events.encode()):
        assert CANARY.encode() not in where
        assert b"north" not in where
        assert x[3].astype("<f4").tobytes() not in where
    assert leftovers(owner.folder) == []
    assert made["assessment"]["reid_high"] >= made["assessment"]["reid"]


def test_rows_and_queries_are_counted_for_ever(built):
    owner, x, made = built
    exported = [event for event in owner.events("export") if event.outcome == "done"]
    assert len(exported) == 1
    before = len(owner.events("search"))
    asked(owner, x[0])
    outcomes = [event.outcome for event in owner.events("search")[before:]]
    assert outcomes == ["intended", "done"]
    assert made["rows"] == 200


def test_copies_have_one_ciphertext_whenever_they_come(built):
    """Of copies with noise of their own the mean would be nearly without."""
    owner, x, _ = built
    again = write_rows(owner.folder / "again.parquet", vector_rows(200, dim=24))
    added = owner.ok("index", "add", owner.folder / "rows.index", again)
    assert (added["rows"], added["changed"]) == (400, 200)
    with open_workspace(session_of(owner)) as workspace:
        from cipherset.app.gate import Action

        folder = owner.folder / "rows.index"
        with workspace.gate.act(Action.AUDIT, "a test", {}), open_index(workspace, folder) as index:
            some = index.store.query(index.keys[1].cipher.encrypt_query(x[:1])[0], 400)
    _, counts = np.unique(some.vectors, axis=0, return_counts=True)
    assert set(counts.tolist()) == {2}


def test_rows_come_and_go(built):
    owner, x, _ = built
    index = owner.folder / "rows.index"
    assert asked(owner, x[7], top=1)[0].row == 7
    gone = owner.ok("index", "delete", index, "--row", "7", "--source", "rows.parquet")
    assert (gone["changed"], gone["rows"]) == (1, 199)
    assert asked(owner, x[7], top=1)[0].row != 7
    by_id = asked(owner, x[9], top=1)[0].id
    assert owner.ok("index", "delete", index, "--id", by_id)["rows"] == 198
    assert owner.ok("index", "show", index)["rows"] == 198


def test_values_that_are_given_are_found_by_their_ids(built):
    owner, x, _ = built
    folder = owner.folder / "rows.index"
    new = -x[0]
    values = change.Values(vectors=(tuple(map(float, new)),), labels=("mine",), tenant="east")
    added = change.add_values(session_of(owner), folder, values)
    hits = asked(owner, new, top=1, label="mine", tenant="east")
    assert [hit.id for hit in hits] == list(added.ids)
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)


def test_while_a_key_is_rotated_rows_of_both_versions_answer(built):
    owner, x, _ = built
    owner.ok("key", "rotate", "support")
    more = write_rows(owner.folder / "more.parquet", vector_rows(50, dim=24, seed=4))
    y = np.array([row["vec"] for row in vector_rows(50, dim=24, seed=4)])
    added = owner.ok("index", "add", owner.folder / "rows.index", more)
    assert added["key_versions"] == [1, 2]
    both = np.concatenate([x, y])
    hits = asked(owner, y[3], top=8)
    expected = np.argsort(-(both @ y[3]), kind="stable")[:8]
    names = {("rows.parquet", i): i for i in range(200)} | {
        ("more.parquet", i): 200 + i for i in range(50)
    }
    assert [names[hit.source, hit.row] for hit in hits] == expected.tolist()
    label = asked(owner, y[3], top=200, tenant="south")
    assert {hit.source for hit in label} == {"rows.parquet", "more.parquet"}
    owner.ok("key", "retire", "support", "--version", "1")
    assert refused(asked, owner, y[3]) == (5, "key_retired")


def test_an_older_copy_that_was_put_back_is_refused(built):
    """Or what was deleted would come back to life."""
    owner, x, _ = built
    index, old = owner.folder / "rows.index", owner.folder / "old"
    shutil.copytree(index, old)
    owner.ok("index", "delete", index, "--row", "7")
    shutil.rmtree(index)
    shutil.copytree(old, index)
    assert refused(asked, owner, x[7]) == (5, "index_old")


def test_another_workspace_cannot_use_it(built, stranger, tmp_path):
    owner, x, _ = built
    shutil.copytree(owner.folder / "rows.index", stranger.folder / "rows.index")
    assert refused(asked, stranger, x[7]) == (5, "signer")


@pytest.mark.parametrize("part", ["place", "meta"])
def test_a_sealed_part_that_is_missing(built, part):
    owner, x, _ = built
    next(owner.home.glob(f"indexes/*/{part}")).unlink()
    assert refused(asked, owner, x[7]) == (5, "sealed_missing")


def test_where_an_index_lost_its_place_no_other_is_found(built):
    owner = built[0]
    (owner.home / "indexes" / ("0" * 32)).mkdir()
    asked_for = session_of(owner), "rows.index", Action.SEARCH
    assert refused(placed, *asked_for) == (5, "sealed_missing")


def test_another_secret_under_the_key_s_name(built, monkeypatch):
    owner, x, _ = built
    from cipherset.app.index import opened

    def other(key, dim, factor):
        from cipherset.core.secret import KeyHandle, Secret

        return made(KeyHandle(key.key_id, key.version, Secret(bytes(32))), dim, factor)

    made = opened.encrypting
    monkeypatch.setattr(opened, "encrypting", other)
    assert refused(asked, owner, x[7]) == (5, "wrong_key")


def test_a_row_that_was_swapped_in_the_store_is_refused(built):
    """Even where whoever keeps the store can sign: the seal binds id, tags and ciphertext."""
    owner, x, _ = built
    with open_workspace(session_of(owner)) as workspace:
        from cipherset.app.gate import Action

        folder = owner.folder / "rows.index"
        with workspace.gate.act(Action.AUDIT, "a test", {}), open_index(workspace, folder) as index:
            some = index.store.query(index.keys[1].cipher.encrypt_query(x[:1])[0], 2)
            index.store.delete(some.ids)
            some.tags[0, 2], some.tags[1, 2] = bytes(16)[0], 1
            index.store.add(some)
    assert refused(asked, owner, x[0]) == (5, "seal")


def test_an_index_of_a_cipherset_is_of_its_source_vectors(exported, tmp_path):
    shutil.copytree(exported.owner.folder, tmp_path / "copy")
    owner = Owner(tmp_path / "copy")
    owner.key("other")
    given = ("--approximation-factor", "2", "--accept-risk", "a test")
    to = ("--key", "other", "--to", owner.folder / "rows.index")
    made = owner.ok("index", "build", owner.folder / "rows.cipherset", *to, *given)
    x = np.array([row["vec"] for row in vector_rows()])
    assert (made["rows"], made["dim"]) == x.shape
    assert asked(owner, x[11], top=1)[0].row == 11
    to = ("--key", "other", "--to", owner.folder / "again.index")
    clash = owner.run("index", "build", owner.folder / "rows.cipherset", "--vector", "v", *to)
    assert (clash.code, clash.error["code"]) == (2, "usage")


# ---- what it gives away


def test_too_little_noise_is_refused_and_recorded(owner):
    """Vectors of eight dimensions in three clouds: a weak setting must be broken."""
    source = write_rows(owner.folder / "rows.parquet", vector_rows(400, dim=8))
    target = owner.folder / "rows.index"
    call = ("index", "build", source, "--vector", "vec", "--key", "support", "--to", target)
    weak = owner.run(*call, "--approximation-factor", "0.05")
    assert (weak.code, weak.error["code"]) == (3, "measured_risk")
    assert not target.exists()
    assert list((owner.home / "indexes").iterdir()) == []
    assert owner.events("export") == []
    assert owner.ok(*call, "--approximation-factor", "0.05", "--accept-risk", "x")["risk_accepted"]
    assert owner.events("index")[-1].outcome == "done"


def test_with_no_setting_given_the_first_within_the_limit_is_taken(monkeypatch):
    seen = []

    def measured(_sample, factor, *, seed):
        seen.append((factor, seed))
        return risk.Risk(factor, 0.0, 0.0, 0.2 / factor, 100, ())

    monkeypatch.setattr(risk, "measure", measured)
    chosen = risk.choose(np.eye(4, dtype=np.float32), (1.0, 2.0, 4.0, 8.0), max_reid=0.06, seed=3)
    assert chosen.factor == 4.0
    assert seen == [(1.0, 3), (2.0, 3), (4.0, 3)]
    assert risk.choose(np.eye(4, dtype=np.float32), (1.0, 2.0), max_reid=0.06, seed=3).factor == 2.0


@pytest.mark.attack
def test_noise_and_only_noise_keeps_out_who_has_no_key():
    """On rows that spread over every dimension: broken at no noise, at chance with enough."""
    rng = np.random.default_rng(0)
    mixed = rng.gamma(0.7, size=(3000, 32)) @ rng.normal(size=(32, 32))
    x = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    weak, strong = (risk.measure(x, factor, seed=1) for factor in (0.01, 16.0))
    assert weak.low > 0.03  # tens of times what chance gets
    assert dict(weak.by_pairs)[100] > 0.9
    assert strong.high < 0.02
    assert dict(strong.by_pairs)[10] < 0.02


# ---- refusals


def test_too_few_rows_to_measure(owner):
    source = write_rows(owner.folder / "rows.parquet", vector_rows(3))
    target = owner.folder / "rows.index"
    done = owner.run(
        "index", "build", source, "--vector", "vec", "--key", "support", "--to", target
    )
    assert (done.code, done.error["code"]) == (4, "index_rows")


def test_a_source_without_a_column_to_search(owner):
    source = write_rows(owner.folder / "rows.parquet", vector_rows(9))
    done = owner.run("index", "build", source, "--key", "support", "--to", owner.folder / "i")
    assert (done.code, done.error["code"]) == (2, "usage")


@pytest.mark.parametrize(
    "options",
    [
        {"columns": Columns(("a",), "b")},
        {"max_reid": 1.0},
        {"approximation_factor": 0.0},
        {"approximation_factor": float("nan")},
    ],
)
def test_a_request_that_contradicts_itself(tmp_path, options):
    assert refused(BuildRequest, "rows.csv", "support", tmp_path, **options) == (2, "usage")


def test_a_password_goes_to_the_host_that_was_looked_at():
    """Not to what stands behind an @ of the path."""
    there = ("milvus", "root", "localhost/@host:19530")
    assert stores._parted("milvus://root@localhost/@host:19530") == there


@pytest.mark.parametrize(
    "store",
    [
        "mysql://host/db#rows",
        "postgresql://host/db",
        "postgresql://ada:canary@host/db#rows",
        "postgresql:///db?password=canary#rows",
        "milvus://root:canary@host:19530#rows",
        "milvus://host:19530",
        "milvus://root@host:19530#rows",
        "milvus://root@[::1#rows",
        "milvus://root@host/@localhost:19530#rows",
        "chalkboard",
    ],
)
def test_a_store_that_cannot_be_used(store):
    with pytest.raises(UsageError) as found:
        store_kind(store)
    assert found.value.code == "index_store"
    assert "canary" not in found.value.message + found.value.hint
    assert split_store("postgresql://ada@host/db#rows") == ("postgresql://ada@host/db", "rows")
    for milvus in ("milvus+tls://root@host:19530", "milvus://root@localhost:19530"):
        assert store_kind(f"{milvus}#rows") is StoreKind.MILVUS


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "search_value"),
        ({"text": "a", "vector": (1.0,)}, "search_value"),
        ({"text": "a", "top": 0}, "search_top"),
        ({"text": "a", "top": 201}, "search_top"),
    ],
)
def test_a_search_that_is_none(tmp_path, options, code):
    with pytest.raises(InputError) as found:
        SearchRequest(tmp_path, **options)
    assert found.value.code == code


def test_text_is_not_asked_of_an_index_of_vectors(built_once):
    owner, _, _ = built_once
    request = SearchRequest(owner.folder / "rows.index", text="where is it?")
    assert refused(search, session_of(owner), request) == (4, "value_is_text")


@pytest.mark.parametrize("vector", [(1.0,), (0.0,) * 24, (float("nan"),) * 24])
def test_a_vector_that_does_not_fit(built_once, vector):
    owner, _, _ = built_once
    request = SearchRequest(owner.folder / "rows.index", vector=vector)
    assert refused(search, session_of(owner), request) == (4, "index_vectors")


@pytest.mark.parametrize("ids", [["xyz"], ["ab"], ["ab" * 16, "cd" * 15]])
def test_an_id_that_is_none(built_once, ids):
    owner, _, _ = built_once
    folder = owner.folder / "rows.index"
    assert refused(change.delete, session_of(owner), folder, ids=ids) == (4, "index_ids")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"texts": ("a",), "vectors": ((1.0,),)},
        {"texts": ("a", "b"), "labels": ("x",)},
        {"texts": ("a",) * 1_025},
    ],
)
def test_values_that_do_not_belong_together(values):
    with pytest.raises(InputError) as found:
        change.Values(**values)
    assert found.value.code == "index_values"


def test_parts_are_kept_by_name_and_the_oldest_are_let_go():
    parts, made = Parts(), []

    def get(name):
        return parts.get(name, lambda: made.append(name) or name)

    assert [get(name) for name in (1, 2, 1)] == [1, 2, 1]
    assert made == [1, 2]
    for name in range(3, 3 + MOST):
        get(name)
    get(1)
    assert made[-1] == 1
    assert repr(parts) == f"Parts({MOST})"
