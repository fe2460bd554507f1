"""Search, index and encrypt over HTTP: ids instead of rows, and the same for none and not yours."""

import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from http_samples import gateway
from http_server import running

import cipherset
from cipherset.app.access.activation import activate_set
from cipherset.app.access.principals import Change, add
from cipherset.app.index.build import build
from cipherset.app.index.change import Values, add_values
from cipherset.app.index.kept import FOLDER, find_index, read_place, write_place
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.index.search import SearchRequest, search
from cipherset.app.keys import create
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.limits import DEFAULT_LIMITS
from cipherset.pipeline.index.manifest import INDEX_FILE

CANARY = "canary-http-6611"


def unit(n, dim=24, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, dim))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A workspace of one person with an index of vectors, served."""
    folder = tmp_path_factory.mktemp("served")
    session = Session(folder / "workspace", "root", folder, TerminalProgress())
    create(session, "support", purpose="", provider=None)
    x = unit(420)
    table = pa.table(
        {"vec": x.tolist(), "topic": [CANARY if i % 2 else "other" for i in range(420)]}
    )
    pq.write_table(table, folder / "rows.parquet")
    request = BuildRequest(
        str(folder / "rows.parquet"),
        "support",
        folder / "rows.index",
        columns=Columns(vector="vec", label="topic"),
        approximation_factor=4.0,
        accept_risk="a test",
    )
    build(session, request)
    with gateway(session.home, claimed=True) as made:
        yield made, x


@pytest.fixture(scope="module")
def caller(served):
    """The typed client of a gateway over the same workspace."""
    one, x = served
    with (
        running(one.home, DEFAULT_LIMITS) as found,
        cipherset.Client(f"http://127.0.0.1:{found.port}") as client,
    ):
        yield client, x


def posted(served, route, **body):
    return served.client.post(f"/v1/{route}", json=body)


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


def test_the_client_searches_adds_and_deletes(caller):
    client, x = caller
    status = client.index_status("rows.index")
    assert (status["index"], status["dim"]) == ("rows.index", 24)
    new = unit(2, seed=9)
    added = client.index_add("rows.index", vectors=new, labels=["its", "its"], tenant="b")
    assert (added.changed, added.rows, len(added.ids)) == (2, status["rows"] + 2, 2)
    hits = client.search("rows.index", vector=new[1], top=2, label="its", tenant="b")
    assert next(hit.id for hit in hits) == added.ids[1]
    gone = client.index_delete("rows.index", added.ids)
    assert (gone.changed, gone.rows) == (2, status["rows"])
    assert client.search("rows.index", vector=x[3], top=1)[0].score == pytest.approx(1.0, abs=1e-5)


def test_the_client_is_refused_by_the_same_codes(caller):
    client, x = caller
    with pytest.raises(PolicyError) as caught:
        client.encrypt("support", vectors=x[:2])
    assert caught.value.code == "oracle_unbound"


def test_a_search_answers_ids_and_no_rows(served):
    one, x = served
    hits = posted(one, "search", index="rows.index", vector=x[7].tolist(), top=3).json()["hits"]
    assert len(hits) == 3
    assert all(hit["row"] == hit["id"] and len(hit["id"]) == 32 for hit in hits)
    assert hits[0]["score"] == pytest.approx(1.0, abs=1e-5)
    again = posted(one, "search", index="rows.index", vector=x[7].tolist(), top=3).json()["hits"]
    assert again == hits


def test_scores_of_two_digits_give_no_row_away(served):
    """Cosines to queries of one's choice are equations; with two digits they solve to little."""
    one, x = served
    name = posted(one, "search", index="rows.index", vector=x[7].tolist(), top=1).json()["hits"][0]
    queries, told, exact = [], [], []
    for probe in unit(48, seed=77):
        near = x[7] + 0.6 * probe
        near /= np.linalg.norm(near)
        body = {"index": "rows.index", "vector": near.tolist(), "top": 5}
        hits = posted(one, "search", **body).json()["hits"]
        assert all(round(hit["score"], 2) == hit["score"] for hit in hits)
        mine = [hit["score"] for hit in hits if hit["id"] == name["id"]]
        if mine:
            queries.append(near)
            told.append(mine[0])
            exact.append(near @ x[7])
    assert len(told) >= 40
    solved = [np.linalg.lstsq(np.array(queries), np.array(y), rcond=None)[0] for y in (exact, told)]
    apart = [np.linalg.norm(one - x[7]) for one in solved]
    assert apart[0] < 1e-5
    assert apart[1] > 1e-3


def test_rows_are_added_found_and_deleted(served):
    one, _ = served
    new = unit(2, seed=5)
    added = posted(
        one, "index/rows.index/rows", vectors=new.tolist(), labels=["mine", "mine"], tenant="a"
    ).json()
    assert (added["changed"], len(added["ids"])) == (2, 2)
    found = posted(
        one, "search", index="rows.index", vector=new[0].tolist(), label="mine", tenant="a"
    ).json()["hits"]
    assert found[0]["id"] == added["ids"][0]
    gone = posted(one, "index/rows.index/delete", ids=added["ids"]).json()
    assert (gone["changed"], gone["rows"]) == (2, added["rows"] - 2)


def test_an_index_is_told_without_where_it_is(served):
    one, _ = served
    told = one.client.get("/v1/index/rows.index")
    assert told.json()["rows"] >= 420  # other tests add some
    assert told.json()["index"] == "rows.index"
    assert str(one.home.parent) not in told.text
    assert one.client.get(f"/v1/index/{told.json()['index_id']}").json() == told.json()


def test_an_index_that_is_not_there(served):
    one, x = served
    assert error_of(one.client.get("/v1/index/none")) == (404, "index_unknown")
    assert error_of(posted(one, "search", index="none", vector=x[0].tolist())) == (
        404,
        "index_unknown",
    )
    assert one.events("search")[-1].outcome == "refused"


@pytest.mark.parametrize(
    ("route", "body", "status", "code"),
    [
        ("search", {"index": "rows.index"}, 422, "search_value"),
        ("search", {"index": "rows.index", "vector": [1.0]}, 422, "index_vectors"),
        ("search", {"index": "rows.index", "text": "a"}, 422, "value_is_text"),
        ("search", {"index": "rows.index", "text": "a", "top": 0}, 422, "request_form"),
        ("search", {"index": "rows.index", "text": "a", "more": 1}, 422, "request_form"),
        ("index/rows.index/rows", {}, 422, "index_values"),
        ("index/rows.index/delete", {"ids": ["xyz"]}, 422, "request_form"),
        ("encrypt", {"key": "support"}, 422, "encrypt_rows"),
        ("encrypt", {"key": "support", "vectors": [[1.0]]}, 403, "oracle_unbound"),
    ],
)
def test_what_does_not_fit_is_refused_without_the_value(served, route, body, status, code):
    one, _ = served
    refused = posted(one, route, **body)
    assert error_of(refused) == (status, code)
    assert CANARY not in refused.text


def test_nobody_can_tell_an_index_that_is_not_there_from_one_that_is_not_theirs(tmp_path, served):
    """Under the policies of a team, for somebody without a role."""
    one, x = served
    home = tmp_path / "workspace"
    shutil.copytree(one.home, home)
    session = Session(home, "root", tmp_path, TerminalProgress())
    activate_set(session, "team")
    with gateway(home) as team:
        who = team.as_("nobody")
        answers = [
            team.client.post(
                "/v1/search", json={"index": name, "vector": x[0].tolist()}, headers=who
            )
            for name in ("rows.index", "none")
        ]
        answers += [
            team.client.post(f"/v1/index/{name}/rows", json={"vectors": [[1.0] * 24]}, headers=who)
            for name in ("rows.index", "none")
        ]
        answers += [
            team.client.post("/v1/encrypt", json={"key": key, "vectors": [[1.0]]}, headers=who)
            for key in ("support", "none")
        ]
        assert {error_of(answer) for answer in answers} == {(403, "not_allowed")}
        assert len({answer.content for answer in answers}) == 1
        refused = [event for event in team.events() if event.actor == "nobody"]
        assert [event.outcome for event in refused] == ["refused"] * 6


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("search", {"index": f"{CANARY}@example.org", "vector": [1.0]}),
        ("index/{name}/rows", {"vectors": [[1.0]]}),
        ("encrypt", {"key": f"{CANARY}@example.org", "vectors": [[1.0]]}),
        ("predict", {"model": f"{CANARY}@example.org", "vectors": [[1.0]]}),
    ],
)
def test_a_callers_words_are_no_name_no_subject_and_no_echo(served, route, body):
    one, _ = served
    before = len(one.events())
    answer = posted(one, route.format(name=f"{CANARY}@example.org"), **body)
    assert error_of(answer) == (422, "request_form")
    assert CANARY not in answer.text
    assert not any(CANARY in event.subject for event in one.events()[before:])


def test_whoever_has_a_tenant_sees_its_rows_alone(tmp_path, served):
    one, _ = served
    home = tmp_path / "workspace"
    shutil.copytree(one.home, home)
    root = Session(home, "root", tmp_path, TerminalProgress())
    index = find_index(home, "rows.index").pop()
    new = unit(2, seed=21)
    ids = [
        add_values(root, index, Values(vectors=(tuple(row),), tenant=tenant)).ids[0]
        for row, tenant in zip(new.tolist(), ("acme", "globex"), strict=True)
    ]
    add(root, Change("ben", attributes={"tenant": "acme"}))
    ben = replace(root, actor="ben")

    def found(who, tenant=None):
        asked = SearchRequest(index, vector=tuple(new[1].tolist()), top=5, tenant=tenant)
        return [hit.id for hit in search(who, asked)]

    assert ids[1] in found(root)
    assert found(ben) == found(ben, "acme") == [ids[0]]
    assert found(ben, "globex") == []


def test_what_is_broken_is_told_to_who_may_know(tmp_path, served):
    """Nobody else can tell it from what is not there, and each question is an event."""
    one, x = served
    home = tmp_path / "workspace"
    shutil.copytree(one.home, home)
    index = find_index(home, "rows.index").pop()
    moved = tmp_path / "rows.index"
    shutil.copytree(index, moved)
    (moved / INDEX_FILE).write_bytes(b"{}")
    kept = next(p.name for p in (home / FOLDER).glob("[!.]*") if read_place(p).path == str(index))
    state = home / FOLDER / kept
    write_place(state, read_place(state).model_copy(update={"path": str(moved)}))
    body = {"index": "rows.index", "vector": x[0].tolist()}
    with gateway(home, claimed=True) as own:
        seen = own.client.post("/v1/search", json=body)
        assert seen.status_code == 409
        assert str(tmp_path) not in seen.text
        assert own.events("search")[-1].outcome == "refused"
    activate_set(Session(home, "root", tmp_path, TerminalProgress()), "team")
    with gateway(home) as team:
        who = team.as_("nobody")
        calls = [
            team.client.post("/v1/search", json=body, headers=who),
            team.client.get("/v1/index/rows.index", headers=who),
            team.client.post(
                "/v1/index/rows.index/rows", json={"vectors": [[1.0] * 24]}, headers=who
            ),
        ]
        assert {error_of(answer) for answer in calls} == {(403, "not_allowed")}
        assert len([event for event in team.events() if event.actor == "nobody"]) == 3
