"""Whoever probes a model over HTTP is told so, and nothing of what gave it away."""

import sys
from pathlib import Path

import numpy as np
import pytest
from http_samples import HOST, error_of
from starlette.testclient import TestClient

sys.path.append(str(Path(__file__).parents[1] / "serving"))

import serving_thread

from cipherset.app.workspace import hold
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services


@pytest.fixture
def client(tmp_path):
    owner = serving_thread.vector_owner(tmp_path / "vectors")
    with hold(owner.session) as session:
        app = build_app(Services(session, ClaimedIdentity("ada", lambda: True)))
        with TestClient(app, base_url=HOST, client=("127.0.0.1", 50_000)) as found:
            yield found


def ask(client, n, seed):
    x = np.random.default_rng(seed).normal(size=(n, serving_thread.DIM))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return client.post("/v1/predict", json={"model": "router", "vectors": x.tolist()})


def test_it_is_slowed_and_then_refused(client):
    assert ask(client, 64, 0).status_code == 200
    slowed = ask(client, 30, 1)
    assert error_of(slowed) == (429, "budget")
    # A batch small enough for the minute, from who was slowed: still answered.
    assert ask(client, 5, 2).status_code == 200


def test_a_batch_that_gives_itself_away_is_refused_and_so_is_what_comes_after(client):
    for n in (256, 1):
        refused = ask(client, n, 0)
        assert error_of(refused) == (403, "probing")
        assert not any(sign in refused.text for sign in ("shift", "spread", "boundary", "near"))
