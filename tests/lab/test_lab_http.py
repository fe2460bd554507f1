"""``/v1/evaluate`` and ``/v1/train`` over HTTP: answers, refusals, one's own jobs."""

import sys
from base64 import b64encode
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "http"))

import pytest
import serving_thread
import uvicorn_here
from http_samples import HOST, error_of
from lab_models import always, uploaded
from starlette.testclient import TestClient

from cipherset.app.serving.lab.upload import MOST_UPLOAD_BYTES
from cipherset.app.workspace import hold
from cipherset.core.errors import CiphersetError
from cipherset.interfaces.client.client import Client
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services
from cipherset.pipeline.export import open_cipherset

JOB = "0123456789abcdef"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    owner = serving_thread.vector_owner(tmp_path_factory.mktemp("vectors"))
    with hold(owner.session) as session:
        app = build_app(Services(session, ClaimedIdentity("root", lambda: True)))
        with TestClient(app, base_url=HOST, client=("127.0.0.1", 50_000)) as client:
            yield owner, client, open_cipherset(owner.cipherset).manifest_digest


def body(parts, digest, **changes):
    manifest, onnx = parts
    return {
        "cipherset": digest,
        "manifest": manifest.decode(),
        "onnx": b64encode(onnx).decode(),
    } | changes


def test_an_upload_is_scored_and_the_same_is_answered_alike(served):
    owner, client, digest = served
    asked = body(uploaded(owner, always(1, dim=2)), digest)
    first, again = (client.post("/v1/evaluate", json=asked).json() for _ in range(2))
    assert set(first) == {
        "accuracy", "accuracy_deviation", "macro_f1", "macro_f1_deviation", "n", "epsilon",
        "delta", "stored", "evaluations_left",
    }  # fmt: skip
    assert (first["stored"], again["stored"]) == (False, True)
    assert again["accuracy"] == first["accuracy"]


@pytest.mark.parametrize(
    ("onnx", "status", "code"),
    [
        (b"\x80\x04\x95", 422, "model_format"),
        (b"PK\x03\x04", 422, "model_format"),
        (b"\0" * (MOST_UPLOAD_BYTES + 1), 422, "upload_size"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(served, onnx, status, code):
    owner, client, digest = served
    asked = body(uploaded(owner, onnx), digest)
    assert error_of(client.post("/v1/evaluate", json=asked)) == (status, code)


def test_what_is_not_asked_so(served):
    owner, client, digest = served
    parts = uploaded(owner, always(1, dim=2))
    other = "sha256:" + "0" * 64
    for asked, found in (
        (body(parts, other), (404, "cipherset_unknown")),
        (body(parts, digest, onnx="%%%"), (422, "onnx_base64")),
        (body(parts, digest, onnx=b64encode(b"else").decode()), (409, "bundle_digest")),
        (body(parts, digest, rows=[1, 2, 3]), (422, "request_form")),
    ):
        assert error_of(client.post("/v1/evaluate", json=asked)) == found
    space = {"models": [{"kind": "logistic", "code": "import os"}]}
    refused = client.post("/v1/train", json={"cipherset": digest, "space": space})
    assert error_of(refused) == (422, "request_form")
    space = {"models": [{"kind": "logistic"}]}
    refused = client.post("/v1/train", json={"cipherset": other, "space": space})
    assert error_of(refused) == (404, "cipherset_unknown")
    for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/bundle")):
        refused = client.request(method, f"/v1/train/{JOB}{path}")
        assert error_of(refused) == (404, "job_unknown")


def test_the_client_trains_fetches_and_evaluates(served, tmp_path):
    _, client, digest = served
    with uvicorn_here.listening(client.app) as url, Client(url) as gateway:
        job = gateway.train(digest, [{"kind": "logistic"}])
        done = gateway.wait_for_training(job.job, timeout_s=300, every_s=0.1)
        assert (done.state, done.error) == ("done", None)
        bundle = gateway.fetch_model(job.job, tmp_path / "gate.bundle")
        assert (bundle.digest, bundle.manifest.at_gate) == (done.bundle, True)
        found = gateway.evaluate(tmp_path / "gate.bundle")
        assert found.n == done.figures["n"]
        long = [{"kind": "mlp", "hidden": [[512, 512]] * 4, "epochs": [200]}]
        other = gateway.train(digest, long)
        with pytest.raises(CiphersetError) as refused:
            gateway.wait_for_training(other.job, timeout_s=0)
        assert refused.value.code == "job_waits"
        gateway.cancel_training(other.job)
        assert gateway.wait_for_training(other.job, timeout_s=300).state == "canceled"
