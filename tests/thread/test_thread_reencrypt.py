"""An index whose key was rotated is encrypted anew in place; what a store answers is checked."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from test_thread_index import asked, built, built_once, refused, session_of  # noqa: F401 -- fixtures
from thread_samples import vector_rows, write_rows

from cipherset.app.gate import Action
from cipherset.app.index import change, reencrypt, search
from cipherset.app.index.opened import open_index
from cipherset.app.index.search import SearchRequest, _nearest
from cipherset.app.workspace import open_workspace
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.pipeline.index import FileIndex, Filter
from cipherset.pipeline.index.entries import concatenated


@pytest.fixture
def rotated(built):  # noqa: F811 -- the fixture
    """200 rows under version 1, and 50 more under version 2; one row was given, one deleted."""
    owner, x, _ = built
    folder = owner.folder / "rows.index"
    given = change.Values(vectors=(tuple(map(float, x[0])),), labels=("mine",), tenant="east")
    change.add_values(session_of(owner), folder, given)
    owner.ok("index", "delete", folder, "--row", "7")
    owner.ok("key", "rotate", "support")
    more = vector_rows(50, dim=24, seed=4)
    owner.ok("index", "add", folder, write_rows(owner.folder / "more.parquet", more))
    return owner, x, np.array([row["vec"] for row in more]), folder


def hits(owner, x, **options):
    return [(hit.source, hit.row, round(hit.score, 4)) for hit in asked(owner, x, **options)]


def test_the_same_rows_answer_under_the_new_version_alone(rotated):
    owner, x, y, folder = rotated
    searches = [(y[3], {"top": 40}), (x[9], {"tenant": "south"})]
    before = [hits(owner, vector, **options) for vector, options in searches]
    done = owner.ok("index", "reencrypt", folder)
    assert (done["key_versions"], done["rows"], done["changed"]) == ([2], 250, 200)
    assert [hits(owner, vector, **options) for vector, options in searches] == before
    owner.ok("key", "destroy", "support", "--version", "1", "--yes", "--force")
    assert [hits(owner, vector, **options) for vector, options in searches] == before
    owner.ok("index", "delete", folder, "--row", "3", "--source", "rows.parquet")
    assert ("rows.parquet", 3) not in {hit[:2] for hit in hits(owner, x[3])}
    assert owner.ok("index", "reencrypt", folder)["changed"] == 0


@pytest.mark.extra
def test_nothing_of_the_old_ciphertext_is_in_the_files(rotated):
    owner, _, _, folder = rotated
    store = FileIndex(folder, signer_of(owner))
    old = store.some(10_000, Filter(version=1))
    owner.ok("index", "reencrypt", folder)
    raw = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert not any(one.tobytes() in raw for one in (*old.vectors[:5], *old.seals[:5]))
    assert all(one.tobytes() in raw for one in old.ids[:5])


def signer_of(owner):
    with open_workspace(session_of(owner)) as workspace:
        return workspace.ring.signer()


@pytest.mark.extra
def test_each_row_that_moves_is_counted_as_one_that_leaves(rotated):
    owner, _, _, folder = rotated
    before = owner.events()
    owner.ok("index", "reencrypt", folder)
    new = owner.events()[len(before) :]
    assert [event.action for event in new].count(Action.EXPORT.value) == 2  # began, ended


@pytest.mark.extra
def test_a_budget_that_is_used_up_stops_it_and_searches_go_on(rotated):
    owner, x, _, folder = rotated
    before = hits(owner, x[3])
    own = owner.folder / "own"
    own.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (own / name).write_text(text)
    limits = builtin.limits(BuiltIn.SOLO) + "\n[budgets]\nexports = 1\n"
    (own / "limits.toml").write_text(limits)
    owner.ok("policy", "activate", own)
    assert refused(reencrypt.reencrypt, session_of(owner), folder) == (3, "budget")
    assert hits(owner, x[3]) == before


@pytest.mark.extra
def test_one_that_died_goes_on_where_it_was(rotated, monkeypatch):
    owner, x, _, folder = rotated
    monkeypatch.setattr(reencrypt, "AT_ONCE", 60)
    calls = Counter()
    keep = FileIndex.replace

    def dies(self, entries):
        calls["replace"] += 1
        if calls["replace"] == 3:
            raise KeyboardInterrupt
        keep(self, entries)

    before = hits(owner, x[3])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(FileIndex, "replace", dies)
        reencrypt.reencrypt(session_of(owner), folder)
    assert owner.ok("index", "show", folder)["key_versions"] == [1, 2]
    assert hits(owner, x[3]) == before
    assert owner.ok("index", "reencrypt", folder)["changed"] == 80
    assert hits(owner, x[3]) == before


@pytest.mark.extra
def test_a_search_during_which_the_last_rows_move(rotated, monkeypatch):
    """What is kept at home is sealed by another key meanwhile: it looks again."""
    owner, x, _, folder = rotated
    before, found, calls = hits(owner, x[3]), search._nearest, []

    def meanwhile(opened, *args):
        if not calls:
            owner.ok("index", "reencrypt", folder)
        calls.append(sorted(opened.keys))
        return found(opened, *args)

    monkeypatch.setattr(search, "_nearest", meanwhile)
    assert hits(owner, x[3]) == before
    assert calls == [[1, 2], [2]]


def test_without_what_its_tokens_stand_for(rotated):
    owner, _, _, folder = rotated
    for path in (owner.home / "indexes").glob("*/values-*"):
        path.unlink()
    assert refused(reencrypt.reencrypt, session_of(owner), folder) == (5, "index_tag_values")


class Lying(FileIndex):
    """A store that answers with other rows than were asked for, each under its seal."""

    def query(self, ciphertext, top, where):
        honest = super().query(ciphertext, top, where)
        if self.lie == "twice":
            return concatenated([honest, honest.take(np.array([0]))])
        if self.lie == "more":
            return super().query(ciphertext, top + 1, where)
        return super().query(ciphertext, top, Filter(version=where.version))

    def some(self, most, where):
        return super().some(most) if self.lie == "again" else super().some(most, where)

    def replace(self, entries):
        if self.lie != "undone":
            super().replace(entries)


def lying(opened, folder, owner, lie):
    store = Lying(folder, signer_of(owner))
    store.lie = lie
    return replace(opened, store=store)


@pytest.mark.parametrize("lie", ["another tenant", "twice", "more"])
def test_a_store_that_answers_with_rows_that_were_not_asked_for(rotated, lie):
    """Their seals fit: without the check, one tenant would see rows of another."""
    owner, x, _, folder = rotated
    request = SearchRequest(folder, vector=tuple(map(float, x[3])), top=200, tenant="south")
    if lie != "another tenant":
        request = replace(request, top=2, tenant=None)
    with open_workspace(session_of(owner)) as workspace:
        act = workspace.gate.act(Action.AUDIT, "a test", {})
        with act, open_index(workspace, folder) as opened:
            honest = lying(opened, folder, owner, "none")
            assert len(_nearest(honest, x[3], replace(request, tenant=None))[0])
            false = lying(opened, folder, owner, lie)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("cipherset.app.index.search.LEAST_CANDIDATES", 2)
                patch.setattr("cipherset.app.index.search.CANDIDATES", 1)
                assert refused(_nearest, false, x[3], request) == (5, "index_answer")


@pytest.mark.extra
@pytest.mark.parametrize("lie", ["again", "undone"])
def test_a_store_that_has_rows_moved_for_ever(rotated, lie, monkeypatch):
    owner, _, _, folder = rotated
    made = reencrypt.open_index

    def opened_falsely(*args):
        from contextlib import contextmanager

        @contextmanager
        def opened():
            with made(*args) as index:
                yield lying(index, folder, owner, lie)

        return opened()

    monkeypatch.setattr(reencrypt, "open_index", opened_falsely)
    assert refused(reencrypt.reencrypt, session_of(owner), folder) == (5, "index_answer")


@pytest.mark.extra
def test_a_deleted_row_that_a_store_brings_back(rotated):
    """Its seal still fits, under its key: that it was deleted is known at home."""
    owner, x, _, folder = rotated
    with open_workspace(session_of(owner)) as workspace:
        act = workspace.gate.act(Action.AUDIT, "a test", {})
        with act, open_index(workspace, folder) as opened:
            row = opened.store.some(1, Filter(version=1))
            id_ = row.ids[0].tobytes().hex()
            owner.ok("index", "delete", folder, "--id", id_)
            opened.store.add(row)
    assert refused(asked, owner, x[3], top=200)[1] == "index_answer"
