"""The gateway as a process of its own, what it holds of the machine, and what its ledger says."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import serving_thread

sys.path.append(str(Path(__file__).parents[1]))

from programs import first_told

from cipherset.custody.ledger import Event, Ledger

DEADLINE_S = 60
WHO = "X-Cipherset-Principal"
PROGRAM = "from cipherset.interfaces.cli.main import main; main()"
Told = tuple[str, str | None]
X, _ = serving_thread.vectors(4, seed=3)
QUESTION = {"model": "router", "vectors": X.tolist()}


@dataclass
class Process:
    """A server that listens; ``restart`` is a new one on the same workspace."""

    home: Path
    popen: subprocess.Popen
    url: str

    @property
    def pid(self) -> int:
        return self.popen.pid

    def predict(self, who: str = "ada", timeout_s: float = DEADLINE_S) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/predict", json=QUESTION, headers={WHO: who}, timeout=timeout_s
        )

    def workers(self) -> list[int]:
        """The processes that it has started, and that are there still."""
        return children(self.pid)

    def end(self) -> int:
        """SIGTERM; how it ended."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(DEADLINE_S)


@contextmanager
def serving(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Served on a free port; killed at the end if it is there still."""
    command = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--json", "--home", str(home)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},  # noqa: TID251 -- a process of its own
    ) as popen:
        try:
            yield Process(home, popen, first_told(popen)["url"])
        finally:
            popen.kill()


def result(response: httpx.Response) -> tuple[int, str]:
    """Status, and code where it is refused."""
    return response.status_code, "" if response.is_success else response.json()["error"]["code"]


def children(pid: int) -> list[int]:
    """Those of ``pid``, whichever of its threads started them."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """``pid`` stands still inside, and is waited for until it does."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def until(holds: Callable[[], object]) -> None:
    """Wait until it does; a minute at most."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def events(home: Path) -> list[Event]:
    """What the ledger in the workspace holds; its chain does hold."""
    with Ledger(f"sqlite:///{home / 'ledger.sqlite'}") as ledger:
        return whole_chain(ledger)


def whole_chain(ledger: Ledger) -> list[Event]:
    """What it holds, and nothing was lost from between."""
    found = ledger.verify()
    assert found.valid, found
    return list(ledger.events())


def told_of(found: list[Event], who: str) -> list[Told]:
    """The outcomes of somebody's predictions in their order, with their codes."""
    return outcomes(found).get(who, [])


def outcomes(found: list[Event]) -> dict[str, list[Told]]:
    """The same for everybody who asked as ``Load`` asks, or otherwise by a name of their own."""
    by_actor: dict[str, list[Told]] = defaultdict(list)
    for event in found:
        if event.action == "predict":
            by_actor[event.actor].append((event.outcome, json.loads(event.body).get("code")))
    return dict(by_actor)


@dataclass
class Load:
    """Callers who ask without a pause, each request under a name of its own.

    ``answers``: status and code by name; without a connection, or with a broken one, the status is
    0, and -1 is noted before it is asked.
    """

    url: str
    clients: int = 8
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._going = True
        self._noting = threading.Lock()
        self._numbers = count()
        self._threads = [threading.Thread(target=self._work) for _ in range(self.clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()

    def with_status(self, status: int) -> list[str]:
        with self._noting:
            return [name for name, (found, _) in self.answers.items() if found == status]

    def _work(self) -> None:
        with httpx.Client(timeout=DEADLINE_S) as client:
            while self._going:
                name = f"caller-{next(self._numbers)}"
                self._note(name, (-1, ""))
                self._note(name, self._ask(client, name))

    def _note(self, name: str, found: tuple[int, str]) -> None:
        with self._noting:
            self.answers[name] = found

    def _ask(self, client: httpx.Client, name: str) -> tuple[int, str]:
        try:
            found = client.post(f"{self.url}/v1/predict", json=QUESTION, headers={WHO: name})
        except httpx.TransportError:
            time.sleep(0.05)  # nobody is there: not the whole processor for finding it out
            return 0, ""
        return result(found)
