"""What a request may lose when what it needs is lost: nothing that is not refused and recorded.

The gateway is a process of its own, and so are the workers of its models. Each caller has a name
of their own, so that each request finds its events.
"""

import os
import resource
import shutil
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import serving_thread
from serving_process import (
    DEADLINE_S,
    QUESTION,
    WHO,
    Load,
    Process,
    events,
    outcomes,
    result,
    serving,
    stopped,
    told_of,
    until,
)

DONE = [("intended", None), ("done", None)]
FREE = resource.RLIM_INFINITY


@pytest.fixture(scope="module")
def owner(tmp_path_factory) -> serving_thread.Owner:
    return serving_thread.vector_owner(tmp_path_factory.mktemp("owner") / "vectors")


@pytest.fixture(scope="module")
def served(owner, tmp_path_factory) -> Iterator[Process]:
    """One server for all the faults that it recovers from: what is whole again must be so."""
    copy = serving_thread.copied(owner, tmp_path_factory.mktemp("served") / "vectors")
    with serving(copy.session.home) as process:
        assert process.predict().status_code == 200
        yield process
        assert process.end() == 0
        assert process.popen.stderr.read() == ""


@contextmanager
def gone(path: Path) -> Iterator[None]:
    """Elsewhere inside, and back in its place afterwards."""
    away = path.with_name(f"{path.name}-away")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def full(process: Process) -> Iterator[None]:
    """No file of the process grows inside, as on a disk that is full."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, FREE))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (FREE, FREE))


class Asked:
    """A request that stands still in the model's worker; ``answer`` once it goes on."""

    def __init__(self, process: Process, who: str) -> None:
        self._found: list[httpx.Response] = []
        self._thread = threading.Thread(
            target=lambda: self._found.append(process.predict(who)), daemon=True
        )
        self._thread.start()
        until(lambda: told_of(events(process.home), who))

    def answer(self) -> tuple[int, str]:
        self._thread.join(DEADLINE_S)
        return result(self._found[0])


def readiness(process: Process) -> dict[str, str]:
    return httpx.get(f"{process.url}/healthz?ready=true", timeout=DEADLINE_S).json()["checks"]


def whole(process: Process, who: str) -> None:
    """It answers as before, and writes it down."""
    assert result(process.predict(who)) == (200, "")
    assert told_of(events(process.home), who) == DONE
    until(lambda: set(readiness(process).values()) == {"ok"})  # what was found is kept a second


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("keys", 503, "workspace_gone"),
        ("", 503, "workspace_gone"),
        ("ledger.sqlite", 503, "ledger_unwritable"),
    ],
)
def test_what_is_moved_away_is_missed_and_not_made_anew(served, what, status, code):
    path = served.home / what
    with gone(path):
        assert result(served.predict(f"without-{what}")) == (status, code)
        until(lambda: code in readiness(served).values())
        assert not path.exists()
    assert told_of(events(served.home), f"without-{what}") == []
    whole(served, f"with-{what}")


def test_a_model_that_is_open_answers_without_its_provider(served):
    """What is open was opened before; that no more can be, readiness tells."""
    with gone(served.home / "kek"):
        assert result(served.predict("without-kek")) == (200, "")
        until(lambda: "key_file_missing" in readiness(served).values())
    whole(served, "with-kek")


def test_another_ledger_in_its_place_is_not_written(served):
    path = served.home / "ledger.sqlite"
    with gone(path):
        shutil.copy(path.with_name(f"{path.name}-away"), path)
        assert result(served.predict("other")) == (503, "ledger_unwritable")
    whole(served, "same")


def test_a_disk_that_is_full(served):
    with full(served):
        assert result(served.predict("full")) == (503, "ledger_unwritable")
        until(lambda: readiness(served)["workspace"] == "disk_full")
    assert told_of(events(served.home), "full") == []
    whole(served, "freed")


def test_an_outcome_that_cannot_be_written_is_written_later(served):
    (worker,) = served.workers()
    with stopped(worker):
        asked = Asked(served, "owed")
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (0, FREE))
    assert asked.answer() == (503, "ledger_unwritable")
    assert result(served.predict("next")) == (503, "ledger_unwritable")
    assert told_of(events(served.home), "owed") == DONE[:1]
    resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (FREE, FREE))
    whole(served, "paying")
    found = events(served.home)
    assert told_of(found, "owed") == DONE
    assert told_of(found, "next") == []
    late = [event for event in found if '"late":true' in event.body]
    assert [event.actor for event in late] == ["owed"]


def test_a_worker_killed_within_a_request_is_replaced(served):
    (worker,) = served.workers()
    with stopped(worker):
        asked = Asked(served, "killed")
        os.kill(worker, signal.SIGKILL)
    assert asked.answer() == (200, "")
    assert told_of(events(served.home), "killed") == DONE
    assert served.workers() != [worker]


def test_a_worker_killed_time_after_time_is_refused(served):
    going = threading.Event()

    def kill() -> None:
        while not going.is_set():
            for worker in served.workers():
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        found = result(served.predict("crashing"))
    finally:
        going.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
    assert found == (403, "model_crashed")
    refused = [("intended", None), ("refused", "model_crashed")]
    assert told_of(events(served.home), "crashing") == refused
    whole(served, "running")


def test_a_client_that_hangs_up_is_recorded(served):
    (worker,) = served.workers()
    with stopped(worker), httpx.Client() as client:
        request = client.build_request(
            "POST", f"{served.url}/v1/predict", json=QUESTION, headers={WHO: "leaving"}
        )
        raw = b"POST /v1/predict HTTP/1.1\r\n"
        raw += b"".join(b"%s: %s\r\n" % each for each in request.headers.raw)
        port = httpx.URL(served.url).port
        with closing(socket.create_connection(("127.0.0.1", port), DEADLINE_S)) as connection:
            connection.sendall(raw + b"\r\n" + request.read())
            until(lambda: told_of(events(served.home), "leaving"))
    until(lambda: told_of(events(served.home), "leaving") == DONE)
    whole(served, "staying")


@pytest.mark.soak
def test_a_ledger_that_another_locks(served):
    """It is waited for half a minute; then the request is refused, and nothing is done."""
    with closing(sqlite3.connect(served.home / "ledger.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert result(served.predict("locked")) == (503, "ledger_unwritable")
        other.execute("ROLLBACK")
    assert told_of(events(served.home), "locked") == []
    whole(served, "unlocked")


@pytest.mark.soak
def test_told_to_end_under_load_it_answers_all_that_it_took(owner, tmp_path):
    home = serving_thread.copied(owner, tmp_path / "copy").session.home
    with serving(home) as process, Load(process.url) as load:
        until(lambda: len(load.with_status(200)) >= 20)
        assert process.end() == 0
    told = outcomes(events(home))
    answered = load.with_status(200)
    assert all(told[name] == DONE for name in answered)
    # Whoever came too late was refused or not let in, and nothing began for them.
    assert set(told) == set(answered)


@pytest.mark.soak
def test_killed_under_load_it_lost_nothing_that_it_answered(owner, tmp_path):
    home = serving_thread.copied(owner, tmp_path / "copy").session.home
    with serving(home) as process, Load(process.url) as load:
        until(lambda: len(load.with_status(200)) >= 20)
        process.popen.kill()
        process.popen.wait(DEADLINE_S)
    told = outcomes(events(home))
    answered = set(load.with_status(200))
    assert all(told[name] == DONE for name in answered)
    begun = {name: found for name, found in told.items() if name not in answered}
    assert len(begun) <= load.clients
    assert all(found in (DONE, DONE[:1]) for found in begun.values())
    with serving(home) as again:
        whole(again, "after")
