"""``cipherset console``: a ticket that is good once, a cookie that is bound to the process."""

import json
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from console_samples import team_with

from cipherset.core.errors import PolicyError
from cipherset.interfaces.console.doors import IDLE_S, TICKET_S, Doors

DEADLINE_S = 60
PROGRAM = "from cipherset.interfaces.cli.main import main; main()"
ASKS = {"Accept": "text/html"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Cookies:
    """What of a request a door looks at."""

    def __init__(self, doors, value) -> None:
        self.cookies = {doors.cookie: value}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def doors(clock):
    return Doors("ada", 8080, clock)


def refused(call) -> str:
    with pytest.raises(PolicyError) as caught:
        call()
    return caught.value.code


def test_a_ticket_is_good_once(doors):
    ticket = doors.ticket()
    doors.enter(ticket)
    assert refused(lambda: doors.enter(ticket)) == "ticket"
    assert refused(lambda: doors.enter("")) == "ticket"


def test_a_ticket_ends(doors, clock):
    ticket = doors.ticket()
    clock.now = TICKET_S
    assert refused(lambda: doors.enter(ticket)) == "ticket"


def test_a_cookie_ends_when_nobody_looks(doors, clock):
    inside = Cookies(doors, doors.enter(doors.ticket()))
    for _ in range(3):
        clock.now += IDLE_S - 1
        known = doors.identify(inside)
        assert (known.name, known.network) == ("ada", None)
    clock.now += IDLE_S
    assert refused(lambda: doors.identify(inside)) == "unidentified"


def test_a_cookie_is_of_one_process(doors):
    inside = Cookies(doors, doors.enter(doors.ticket()))
    assert refused(lambda: Doors("ada", 8080).identify(inside)) == "unidentified"
    assert refused(lambda: doors.identify(Cookies(doors, ""))) == "unidentified"


def test_neither_is_kept(doors):
    ticket = doors.ticket()
    cookie = doors.enter(ticket)
    kept = repr(vars(doors))
    assert ticket not in kept
    assert cookie not in kept


@contextmanager
def opened(home, *options):
    """The process, and what it printed."""
    command = [sys.executable, "-c", PROGRAM, "console", "--json", "--home", str(home), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        try:
            told = ""
            while not told.endswith("}\n"):
                line = it.stdout.readline()
                assert line, it.stderr.read()
                told += line
            yield it, json.loads(told)
        finally:
            it.terminate()
            try:
                it.wait(DEADLINE_S)
            finally:
                it.kill()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = tmp_path_factory.mktemp("alone") / "workspace"
    team_with(made)
    return made


def test_the_command_shows_what_its_principal_may_see(home):
    with opened(home, "--as", "sam") as (process, told):
        url = urlsplit(told["url"])
        base = f"http://{url.netloc}"
        assert url.hostname == "127.0.0.1"
        assert told["principal"] == "sam"
        with httpx.Client(base_url=base, headers=ASKS, timeout=DEADLINE_S) as client:
            assert client.get("/console").status_code == 401
            came_in = client.get(f"{url.path}?{url.query}")
            assert (came_in.status_code, came_in.headers["Location"]) == (303, "/console")
            cookie = came_in.headers["Set-Cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert "path=/console" in cookie
            assert "Needs attention" in client.get("/console").text
            denied = client.get("/console/audit")
            assert denied.status_code == 403
            # Here, as at the terminal, they are told why.
            assert "sam may not do this: audit" in denied.text
            assert "auditor" in denied.text
            assert client.get("/v1/grants").status_code == 404
            assert client.get("/openapi.json").status_code == 404
            assert client.get("/console", headers={"Host": "elsewhere"}).status_code == 421
            used = httpx.get(f"{base}{url.path}?{url.query}", headers=ASKS, timeout=DEADLINE_S)
            assert used.status_code == 403
            assert "was used before" in used.text
    assert process.returncode == 0
    ticket = told["url"].partition("ticket=")[2]
    assert ticket.encode() not in (home / "ledger.sqlite").read_bytes()


def test_a_gateway_has_no_such_door(team):
    assert team.get("/console/enter?ticket=x").status_code == 404


def test_a_port_that_is_taken_is_said_so(home):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", PROGRAM, "console", "--home", str(home), "--json"]
        refused = subprocess.run([*command, "--port", port], capture_output=True, text=True)
    assert refused.returncode == 6
    assert json.loads(refused.stdout)["error"]["code"] == "address"
