"""``cipherset console``: a ticket that is good once, a cookie that is bound to the process."""

import json
import os
import pty
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from console_samples import team_with
from programs import first_told

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


def test_to_check_a_ticket_spends_nothing(doors):
    ticket = doors.ticket()
    for _ in range(3):
        doors.check(ticket)
    doors.enter(ticket)
    assert refused(lambda: doors.check(ticket)) == "ticket"


def test_whoever_waits_for_a_ticket_is_told_that_it_is_spent():
    told = []
    doors = Doors("ada", 8080, spent=lambda: told.append("spent"))
    ticket = doors.ticket()
    doors.check(ticket)
    assert refused(lambda: doors.enter("")) == "ticket"
    assert told == []
    doors.enter(ticket)
    assert told == ["spent"]


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
    assert refused(lambda: doors.identify(inside)) == "outside"


def test_a_cookie_is_of_one_process(doors):
    inside = Cookies(doors, doors.enter(doors.ticket()))
    assert refused(lambda: Doors("ada", 8080).identify(inside)) == "outside"
    assert refused(lambda: doors.identify(Cookies(doors, ""))) == "outside"


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
            yield it, first_told(it)
        finally:
            it.terminate()
            try:
                it.wait(DEADLINE_S)
            finally:
                it.kill()


def entered(client, url, **headers):
    """What the button of that address does."""
    found = urlsplit(url)
    origin = {"Origin": f"{found.scheme}://{found.netloc}"}
    ticket = found.query.removeprefix("ticket=")
    return client.post(found.path, data={"ticket": ticket}, headers={**origin, **headers})


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
            came_in = entered(client, told["url"])
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


@pytest.fixture(scope="module")
def alone(home):
    """Where a console is, with a ticket that no test spends."""
    with opened(home, "--as", "sam") as (_, told):
        url = urlsplit(told["url"])
        with httpx.Client(
            base_url=f"{url.scheme}://{url.netloc}", headers=ASKS, timeout=DEADLINE_S
        ) as client:
            yield client, told["url"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"Sec-Fetch-Site": "none"}),
        # A link in a file of this machine: another site, to a browser.
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}),
    ],
    ids=str,
)
def test_a_look_spends_no_ticket(alone, method, headers):
    client, url = alone
    for _ in range(2):
        looked = client.request(method, url, headers=headers)
        assert looked.status_code == 200
        assert "Set-Cookie" not in looked.headers
        assert looked.headers["Cache-Control"] == "no-store"
        policy = looked.headers["Content-Security-Policy"]
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy


def test_what_is_before_the_console_is_one_button(alone):
    client, url = alone
    page = client.get(url).text
    assert "<script" not in page
    assert page.count("<button") == 2  # the other one is of every page, and hidden
    assert 'method="post"' in page
    assert "autofocus>Open the console</button>" in page
    assert client.get("/console").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_no_other_page_spends_a_ticket(alone, headers):
    client, url = alone
    refused = entered(client, url, **headers)
    assert refused.status_code == 403
    assert "Set-Cookie" not in refused.headers
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("path", ["/console", "/console/assets"])
def test_only_what_leads_in_may_be_linked_to(alone, path):
    client, url = alone
    linked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get(path, headers=linked).status_code == 403
    fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    assert client.get(url, headers=fetched).status_code == 403


def test_who_is_outside_is_told_of_the_address_and_of_nothing_else(alone):
    client, _ = alone
    for asked in (ASKS, {"Accept": "application/json"}):
        outside = client.get("/console/assets", headers=asked)
        assert outside.status_code == 401
        assert "open the address that cipherset console printed" in outside.text
        assert "certificate" not in outside.text
        assert "WWW-Authenticate" not in outside.headers


BROWSER = """#!/bin/sh
file="${1#file://}"
cp "$file" "$0.page"
ls -ldn "$file" "${file%/*}" >"$0.modes"
echo "$1" >"$0.new" && mv "$0.new" "$0.asked"
"""


def waited(holds):
    ends = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


@contextmanager
def on_a_terminal(home, folder):
    """The command where it opens a browser: what that was asked for, and a program's copy of it."""
    browser = folder / "browser"
    browser.write_text(BROWSER)
    browser.chmod(stat.S_IRWXU)
    ours, theirs = pty.openpty()
    temporary = folder / "temporary"
    temporary.mkdir()
    settings = (f"BROWSER={browser} %s", f"TMPDIR={temporary}")
    command = ["env", *settings, sys.executable, "-c", PROGRAM, "console", "--json"]
    try:
        with subprocess.Popen(
            [*command, "--home", str(home), "--as", "sam"], stdout=theirs
        ) as process:
            try:
                waited(Path(f"{browser}.asked").exists)
                yield browser, json.loads(os.read(ours, 1 << 16))
            finally:
                process.terminate()
                try:
                    process.wait(DEADLINE_S)
                finally:
                    process.kill()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.soak
@pytest.mark.parametrize("spends", [True, False])
def test_a_browser_is_handed_a_file_and_no_ticket(home, tmp_path, spends):
    with on_a_terminal(home, tmp_path) as (browser, told):
        ticket = told["url"].partition("ticket=")[2]
        asked = Path(f"{browser}.asked").read_text().strip()
        assert asked.startswith("file://")
        assert ticket not in asked
        page = Path(f"{browser}.page").read_text()
        assert page.count(told["url"]) == 2
        assert "<script" not in page
        modes = [line.split()[0] for line in Path(f"{browser}.modes").read_text().splitlines()]
        assert sorted(mode[:10] for mode in modes) == ["-rw-------", "drwx------"]
        file = Path(asked.removeprefix("file://"))
        assert file.exists()
        if spends:
            base = told["url"].partition("/console")[0]
            with httpx.Client(base_url=base, timeout=DEADLINE_S) as client:
                assert entered(client, told["url"]).status_code == 303
            assert not file.parent.exists()
    assert not file.parent.exists()


def test_a_gateway_has_no_such_door(team):
    assert team.get("/console/enter?ticket=x").status_code == 404


def test_a_port_that_is_taken_is_said_so(home):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", PROGRAM, "console", "--home", str(home), "--json"]
        refused = subprocess.run(
            [*command, "--port", port], capture_output=True, text=True, timeout=600
        )
    assert refused.returncode == 6
    assert json.loads(refused.stdout)["error"]["code"] == "address"
