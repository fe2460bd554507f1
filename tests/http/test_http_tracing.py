"""Traces go to a receiver on loopback, and hold nothing of what was asked."""

import builtins
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cipherset.core.errors import BackendError
from cipherset.interfaces.http.seen import Ended, Seen
from cipherset.interfaces.http.tracing import Tracing

ENDED = Ended("/v1/sanitize", "POST", 200, 0.25, "0123456789abcdef")


@contextmanager
def receiver():
    got = []

    class Handler(BaseHTTPRequestHandler):
        timeout = 60  # of a connection that says nothing: the server would never end

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            got.append((self.path, self.headers["Content-Encoding"], self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", got
        finally:
            server.shutdown()
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.extra
def test_a_span_per_request_and_no_word_of_it():
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with receiver() as (endpoint, got):
        tracing = Tracing(endpoint)
        seen = Seen()
        seen.watching.append(tracing.ended)
        seen.request(ENDED)
        seen.request(Ended("none", "GET", 503, 0.0, "f" * 16))
        tracing.close()
    assert {path for path, _, _ in got} == {"/v1/traces"}
    spans = [
        span
        for _, _, raw in got
        for resource in ExportTraceServiceRequest.FromString(raw).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    first, second = sorted(spans, key=lambda span: span.name, reverse=True)
    assert (first.name, second.name) == ("POST /v1/sanitize", "GET none")
    assert {each.key for each in first.attributes} == {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "cipherset.request_id",
    }
    assert first.end_time_unix_nano - first.start_time_unix_nano == 250_000_000
    assert (first.status.code, second.status.code) == (0, 2)


def test_without_its_packages_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args):
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendError) as caught:
        Tracing("http://127.0.0.1:1")
    assert caught.value.code == "telemetry_missing"
