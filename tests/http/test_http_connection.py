"""Connections that never say anything, say it for ever, or say what is no HTTP."""

import json
import random
import re
import time

import pytest
from http_server import DEADLINE_S, request, rest_of, running

from cipherset.interfaces.http.limits import RequestLimits

# A test that is held up before it speaks is not one that says nothing.
PATIENT = RequestLimits(
    body_bytes=100_000,
    header_bytes=4000,
    target_bytes=1000,
    connections=8,
    header_s=60,
    body_s=0.5,
    idle_s=1,
    write_s=60,
    shutdown_s=20,
)
QUICK = PATIENT.model_copy(update={"header_s": 0.5, "write_s": 0.5})
ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("raw") / "workspace", PATIENT) as found:
        yield found


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Where nobody who says or takes nothing is waited for."""
    with running(tmp_path_factory.mktemp("quick") / "workspace", QUICK) as found:
        yield found


def lives(server):
    """Asked again: even we may be too slow for it."""
    answers = (server.get("/healthz") for _ in range(5))
    return any(each.startswith(b"HTTP/1.1 200 OK") for each in answers)


def wait_until_left(server):
    deadline = time.monotonic() + DEADLINE_S
    while server.server.server_state.connections and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server.server.server_state.connections


def code_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]


@pytest.mark.parametrize("raw", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n"])
def test_what_is_no_http_is_told_so_once(server, raw):
    answer = server.ask(raw)
    assert ANSWER.match(answer)[1] == b"400"
    assert code_of(answer) == "not_http"
    assert b"nosniff" in answer
    assert b"erver:" not in answer


def test_no_banner_and_no_second_hand_address(server):
    answer = server.ask(request("/v1/grants", "X-Forwarded-For: 10.9.8.7", "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"uvicorn" not in answer.lower()
    assert b"\r\nserver:" not in answer.lower()


def test_a_head_without_end_is_cut(server):
    answer = server.ask(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 10_000)
    assert ANSWER.match(answer)[1] == b"400"


@pytest.mark.parametrize("raw", [b"", b"GET /healthz HT"])
def test_who_says_nothing_is_not_waited_for(quick, raw):
    assert quick.ask(raw) == b""


def drip(connection, raw):
    """One byte at a time, until the other end has had enough."""
    try:
        for _ in range(10 * DEADLINE_S):
            connection.sendall(raw)
            time.sleep(0.1)
    except ConnectionError:
        return
    pytest.fail("the server listened for a minute")


def test_a_head_that_drips_in_does_not_begin_its_time_again(quick):
    with quick.socket() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        drip(connection, b"y")
    assert lives(quick)


def test_a_body_that_does_not_come(server):
    head = request("/v1/sanitize", "Content-Length: 50", method="POST")
    answer = server.ask(head + b'{"te')
    assert ANSWER.match(answer)[1] == b"408"
    assert code_of(answer) == "body_too_slow"


def test_a_connection_between_two_requests_is_not_kept_for_ever(server):
    with server.socket() as connection:
        connection.sendall(request("/healthz") * 2)
        answers = rest_of(connection)
    assert len(ANSWER.findall(answers)) == 2


def test_a_client_that_takes_no_answer_is_let_go(quick):
    with quick.socket() as connection:
        try:
            for _ in range(1000):
                connection.sendall(request("/openapi.json") * 10)
        except (ConnectionError, TimeoutError):
            pass
        wait_until_left(quick)
    assert lives(quick)


def test_more_connections_than_there_may_be(server):
    wait_until_left(server)  # whom it has not seen leave is counted
    held = [server.socket() for _ in range(PATIENT.connections)]
    opened = [each.__enter__() for each in held]
    try:
        answer = server.ask(b"")
        assert ANSWER.match(answer)[1] == b"503"
        assert code_of(answer) == "connections"
    finally:
        for connection in opened:
            connection.close()
        wait_until_left(server)


def mutated(rng, raw):
    """``raw`` with bytes changed, dropped, doubled, or put in."""
    found = bytearray(raw)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(found))
        kind = rng.randrange(4)
        if kind == 0:
            found[at] = rng.randrange(256)
        elif kind == 1:
            del found[at : at + rng.randint(1, 9)]
        elif kind == 2:
            found[at:at] = found[at : at + rng.randint(1, 40)] * rng.randint(1, 5)
        else:
            found[at:at] = rng.choice(
                [b"\r\n", b"\0", b"\xff", b": ", b"%00", b"\r", b"\n", b"../"]
            )
        if not found:
            found += b"G"
    return bytes(found)


BODY = b'{"texts": ["write to jo@x.com"]}'
SEEDS = (
    request("/v1/grants", "Connection: close"),
    request("/v1/grants/grant-0123456789ab", "Accept: */*", "Connection: close"),
    request(
        "/v1/sanitize",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        "Connection: close",
        method="POST",
    )
    + BODY,
    request("/v1/audit/events?limit=3", "Transfer-Encoding: chunked", "Connection: close")
    + b"5\r\nhello\r\n0\r\n\r\n",
)


def fuzz(server, n, seed):
    rng = random.Random(seed)
    for _ in range(n):
        raw = mutated(rng, rng.choice(SEEDS))
        with server.socket() as connection:
            try:
                connection.sendall(raw)
                connection.shutdown(1)
            except OSError:
                pass
            answer = rest_of(connection)
        statuses = [int(each) for each in ANSWER.findall(answer)]
        assert 500 not in statuses, raw
        assert not answer or answer.startswith(b"HTTP/1.1 "), raw
    assert lives(server)


def test_bytes_that_nobody_meant_find_nothing(server, caplog):
    fuzz(server, 150, seed=1)
    assert caplog.records == []


@pytest.mark.attack
def test_many_more_of_them_find_nothing(server, caplog):
    fuzz(server, 10_000, seed=2)
    assert caplog.records == []
