"""One shape of errors, whatever goes wrong, and nothing of what was asked in it."""

import pytest
from http_samples import error_of


def test_a_gateway_lives_and_is_ready(solo):
    assert solo.client.get("/healthz").json() == {"status": "ok", "checks": {}}
    ready = solo.client.get("/healthz?ready=true")
    assert (ready.status_code, ready.json()["checks"]["workspace"]) == (200, "ok")


def test_no_such_route(solo):
    assert error_of(solo.client.get("/v1/nothing")) == (404, "route_unknown")


def test_a_method_that_the_route_does_not_take(solo):
    refused = solo.client.post("/healthz")
    assert error_of(refused) == (405, "method")
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_what_is_wrong_is_told_without_the_value(solo):
    refused = solo.client.get("/healthz?ready=canary-7f3a")
    assert error_of(refused) == (422, "request_form")
    assert "canary-7f3a" not in refused.text
    assert "query.ready: bool_parsing" in refused.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_answer_bears_the_headers_of_a_careful_server(solo, method):
    for path in ("/healthz", "/nothing"):
        headers = solo.client.request(method, path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Server" not in headers
        assert len(headers["X-Request-Id"]) == 16
