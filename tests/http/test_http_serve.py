"""``cipherset serve`` as a process: it says when it is ready, and ends when it is told to."""

import os
import signal
import socket
import time

import httpx
import pytest
from http_server import DEADLINE_S, request, rest_of, served

from cipherset.app.access.init import init
from cipherset.app.serving.alone import only_gateway
from cipherset.app.workspace import Session
from cipherset.core.errors import BackendError, UsageError
from cipherset.custody.ledger import Ledger
from cipherset.custody.policy import BuiltIn
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.serve import Place, serve
from cipherset.interfaces.http.server import listen

BODY = b'{"texts": ["write to jo@x.com"]}'


def wait_until_closed(port):
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), DEADLINE_S).close()
        except ConnectionError:
            return
        time.sleep(0.05)
    pytest.fail("it listens still")


def test_what_is_under_way_is_answered_before_it_ends(tmp_path):
    home = tmp_path / "workspace"
    with served(home) as (process, told):
        assert told == {
            "url": f"http://127.0.0.1:{told['port']}",
            "host": "127.0.0.1",
            "port": told["port"],
            "identity": "claimed",
        }
        assert ready_of(told["url"]) == "ok"
        (home / "rules.toml").write_text('[entities]\nEMAIL = "remove"\n')
        os.kill(process.pid, signal.SIGHUP)
        wait_for_rules(told["url"])
        head = request(
            "/v1/sanitize",
            "Content-Type: application/json",
            f"Content-Length: {len(BODY)}",
            method="POST",
        )
        with socket.create_connection(("127.0.0.1", told["port"]), DEADLINE_S) as connection:
            connection.sendall(head + BODY[:5])
            process.send_signal(signal.SIGTERM)
            wait_until_closed(told["port"])
            connection.sendall(BODY[5:])
            answer = rest_of(connection)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert process.wait(DEADLINE_S) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
    with Ledger(f"sqlite:///{home / 'ledger.sqlite'}") as ledger:
        assert ledger.verify().valid
        *_, last = ledger.events()
    assert (last.action, last.outcome) == ("sanitize", "done")


def ready_of(url):
    return httpx.get(url + "/healthz?ready=true", timeout=DEADLINE_S).json()["status"]


def wait_for_rules(url):
    """Until the rules that remove hold."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        asked = {"texts": ["to jo@x.com"]}
        found = httpx.post(url + "/v1/sanitize", json=asked, timeout=DEADLINE_S).json()
        if "[EMAIL]" not in found["texts"][0]:
            return
        time.sleep(0.1)
    pytest.fail("the rules were not loaded anew")


def session(tmp_path, policy=BuiltIn.SOLO):
    found = Session(tmp_path / "workspace", "root", tmp_path, TerminalProgress())
    init(found, policy)
    return found


def refused(tmp_path, place, policy=BuiltIn.SOLO):
    with pytest.raises(UsageError) as caught:
        serve(session(tmp_path, policy), place, pytest.fail)
    return caught.value.code


def test_a_workspace_has_one_gateway(tmp_path):
    """Two would each take a proof once, and so twice; the lock goes with the process."""
    home = tmp_path / "workspace"
    session = Session(home, "ada", tmp_path, TerminalProgress())
    with served(home) as (process, _):
        with pytest.raises(UsageError) as refused:
            serve(session, Place("127.0.0.1", 0), print)
        assert refused.value.code == "gateway_running"
        process.kill()
        process.wait(DEADLINE_S)
    with only_gateway(home):
        pass


def test_other_machines_are_not_served_without_tls(tmp_path):
    assert refused(tmp_path, Place(host="0.0.0.0", port=0)) == "tls_needed"


def test_a_team_is_not_served_by_names_alone(tmp_path):
    assert refused(tmp_path, Place(port=0), BuiltIn.TEAM) == "identity_needed"


def test_a_certificate_goes_with_its_key(tmp_path):
    assert refused(tmp_path, Place(port=0, tls_cert=tmp_path / "cert.pem")) == "tls_pair"


def test_an_address_that_is_taken():
    with listen("127.0.0.1", 0) as sock, pytest.raises(BackendError) as caught:
        listen("127.0.0.1", sock.getsockname()[1])
    assert caught.value.code == "address"


def test_a_body_does_not_wait_for_the_acknowledgment_of_its_head():
    with listen("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname()):
        accepted, _ = sock.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
