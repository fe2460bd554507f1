"""Search, index and encrypt over HTTP: ids instead of rows, and the same for none and not yours."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from http_samples import gateway
from http_server import running

import cipherset
from cipherset.app.access.activation import activate_set
from cipherset.app.index.build import build
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.keys import create
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.limits import DEFAULT_LIMITS

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


def test_rows_are_added_found_and_deleted(served):
    one, _ = served
    new = unit(2, seed=5)
    added = posted(
        one, "index/rows.index/rows", vectors=new.tolist(), labels=["mine", "mine"], tenant="a"
    ).json()
    assert (added["changed"], added["rows"], len(added["ids"])) == (2, 422, 2)
    found = posted(
        one, "search", index="rows.index", vector=new[0].tolist(), label="mine", tenant="a"
    ).json()["hits"]
    assert found[0]["id"] == added["ids"][0]
    gone = posted(one, "index/rows.index/delete", ids=added["ids"]).json()
    assert (gone["changed"], gone["rows"]) == (2, 420)


def test_an_index_is_told_without_where_it_is(served):
    one, _ = served
    told = one.client.get("/v1/index/rows.index")
    assert told.json()["rows"] == 420
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
