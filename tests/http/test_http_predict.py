"""``/v1/predict`` over HTTP: answers that verify, refusals with their codes, and what is found."""

import sys
from pathlib import Path

import pytest
from http_samples import HOST, error_of
from starlette.testclient import TestClient

sys.path.append(str(Path(__file__).parents[1] / "serving"))
sys.path.append(str(Path(__file__).parents[1] / "lab"))

import serving_thread
import uvicorn_here

from cipherset.app.audit.find import find_text
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.interfaces.client.client import Client
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services

X, _ = serving_thread.vectors(5, seed=3)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    owner = serving_thread.text_owner(tmp_path_factory.mktemp("texts"))
    identity = ClaimedIdentity("root", lambda: True)
    with hold(owner.session) as session:
        app = build_app(Services(session, identity))
        with TestClient(app, base_url=HOST, client=("127.0.0.1", 50_000)) as client:
            yield owner, client


@pytest.fixture
def listening(served):
    """The same app on a port of this machine; its address."""
    _, client = served
    with uvicorn_here.listening(client.app) as url:
        yield url


TEXTS = ["where is the box you sent to 7, 9 days?", "please refund 30 euros for order 12"]


def ask(client, body, path="/v1/predict"):
    return client.post(path, json={"model": "router", **body})


def test_texts_are_answered_with_the_label_alone(served):
    _, client = served
    response = ask(client, {"texts": TEXTS})
    assert response.status_code == 200
    assert response.json()["predictions"] == [{"label": "parcel"}, {"label": "refund"}]


def test_the_client_verifies_what_comes_back(served, listening):
    owner, _ = served
    with open_workspace(owner.session) as workspace:
        fingerprint = workspace.fingerprint
    with Client(listening) as gateway:
        found = gateway.predict("router", TEXTS, fingerprint=fingerprint)
        assert found.labels == ["parcel", "refund"]
        assert found.statement.name == "router"
        with pytest.raises(CiphersetError) as refused:
            gateway.predict("router", TEXTS, fingerprint="0" * 64)
        assert refused.value.code == "signer"
        with pytest.raises(CiphersetError) as refused:
            gateway.predict("router", TEXTS, precision="full")
        assert refused.value.code == "not_assessed"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"texts": []}, 422, "no_inputs"),
        ({"texts": ["a"] * 257}, 422, "request_form"),
        ({"model": "nobody", "texts": ["a"]}, 404, "model_unknown"),
        ({"model": "../x", "texts": ["a"]}, 422, "request_form"),
        ({"model": "X", "texts": ["a"]}, 400, "model_name"),
        ({"vectors": X.tolist()}, 422, "value_is_vector"),
        ({"texts": ["a"], "vectors": X.tolist()}, 422, "inputs_twice"),
        ({"vectors": [[1.0], [1.0, 2.0]]}, 422, "vector_widths"),
        ({"texts": ["a"], "precision": "full"}, 422, "request_form"),
    ],
)
def test_what_is_not_asked_so(served, body, status, code):
    assert error_of(ask(served[1], body)) == (status, code)


def test_probabilities_take_an_assessment(served):
    refused = ask(served[1], {"texts": TEXTS, "precision": "full"}, "/v1/predict/scores")
    assert error_of(refused) == (403, "not_assessed")


def test_who_holds_the_text_finds_the_event(served):
    owner, client = served
    text = "please refund 31 euros for order 77"
    ask(client, {"texts": [text]})
    (event,) = find_text(owner.session, text.encode())["events"]
    assert (event["action"], event["outcome"], event["actor"]) == ("predict", "done", "root")
    assert find_text(owner.session, b"please refund 31 euros")["events"] == []
    with pytest.raises(CiphersetError) as refused:
        find_text(owner.session, b"")
    assert refused.value.code == "find_nothing"
