"""Ray itself: three nodes on this machine, of which a worker, a node and a driver are lost."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from engine_rows import CANARY, Owner, rows, write

from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.run import sanitize_file

pytestmark = pytest.mark.extra

ADDRESS = "127.0.0.2"  # a loopback that Ray does not take for a name of the machine
DRIVER = Path(__file__).with_name("driver.py")
PATIENCE_S = 300
TRIES = "RAY_gcs_server_port_wait_time_s"
N_ROWS = 3_000
N_PARTS = 30


@dataclass
class Nodes:
    """A cluster without dashboard, reached with a token; each worker's node has one core."""

    cluster: Any
    nodes: list[Any]

    @property
    def address(self) -> str:
        return self.cluster.address

    def add(self) -> None:
        self.nodes.append(self.cluster.add_node(num_cpus=1, node_ip_address=ADDRESS))

    def workers(self) -> list[int]:
        """The processes of ``Worker``, by what Ray calls them; of this cluster's nodes only."""
        raylets = {
            info.process.pid
            for node in self.nodes
            for infos in node.all_processes.values()
            for info in infos
        }
        found = []
        for place in Path("/proc").iterdir():
            try:
                name = (place / "cmdline").read_bytes()
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if name.startswith(b"ray::") and b"Worker" in name and parent in raylets:
                found.append(int(place.name))
        return found


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_AUTH_MODE", "token")
    patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    # Ray takes the first for seconds until there is a port, and for how often whoever starts or
    # connects asks there; each time takes as long as the second says, and ten seconds more.
    patch.setenv(TRIES, "180")
    patch.setenv("RAY_py_gcs_connect_timeout_s", "5")
    from ray.cluster_utils import Cluster

    class Patient(Cluster):
        def _wait_for_node(self, node, timeout=PATIENCE_S):
            super()._wait_for_node(node, timeout)

    head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": ADDRESS}
    made = Nodes(Patient(initialize_head=True, head_node_args=head), [])
    made.add()
    made.add()
    yield made
    made.cluster.shutdown()  # ends the processes that it started, by their ids
    patch.undo()


@dataclass
class Run:
    """A command of its own process that waits for a word after the first receipt."""

    folder: Path
    process: Any

    def when_paused(self) -> None:
        until(lambda: (self.folder / "paused").exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate(timeout=600)

    def go(self) -> Any:
        (self.folder / "go").touch()
        out, err = self.process.communicate(timeout=600)
        assert self.process.returncode == 0, err
        assert CANARY not in out + err
        return json.loads(out)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)


@dataclass(frozen=True)
class Sanitizing:
    """``sanitize`` of one source on the cluster, and what it makes in this process."""

    owner: Owner
    nodes: Nodes
    source: Path
    expected: bytes

    def run(self, name: str) -> Run:
        folder = self.owner.folder / name
        folder.mkdir(exist_ok=True)
        asked = ("sanitize", self.source, "--text", "body", "--to", self.target, "--json")
        where = ("--engine", "ray", "--address", self.nodes.address, "--home", self.owner.home)
        command = [sys.executable, DRIVER, folder, *asked, *where, "--as", "root"]
        process = subprocess.Popen(
            [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        return Run(folder, process)

    @property
    def target(self) -> Path:
        return self.owner.folder / "out.parquet"

    def check(self, **facts: int) -> None:
        """The file is complete, each row once, and the record says how it came about."""
        assert self.target.read_bytes() == self.expected
        ids = pq.read_table(self.target).column("id").to_pylist()
        assert len(set(ids)) == len(ids)
        event = self.owner.events("sanitize")[-1]
        assert event["parts"] == N_PARTS
        assert {name: event[name] for name in facts} == facts
        assert not list((self.owner.home / "jobs").iterdir())


@pytest.fixture
def sanitizing(owner, nodes) -> Sanitizing:
    source = write(owner.folder / "rows.parquet", rows(N_ROWS), N_ROWS // N_PARTS)
    here = owner.folder / "here.parquet"
    sanitize_file(owner.session, SanitizeRequest(str(source), ("body",), here))
    return Sanitizing(owner, nodes, source, here.read_bytes())


def test_killed_worker(sanitizing, nodes):
    run = sanitizing.run("run")
    run.when_paused()
    until(lambda: len(nodes.workers()) == 2)
    os.kill(nodes.workers()[0], signal.SIGKILL)
    run.go()
    sanitizing.check(parts_kept=0, workers_lost=1)


def test_lost_node(sanitizing, nodes):
    run = sanitizing.run("run")
    run.when_paused()
    until(lambda: len(nodes.workers()) == 2)
    nodes.cluster.remove_node(nodes.nodes.pop(), allow_graceful=False)
    run.go()
    # Where Ray had put its workers decides how many were lost.
    sanitizing.check(parts_kept=0)
    nodes.add()


def test_killed_driver(sanitizing):
    run = sanitizing.run("run")
    run.when_paused()
    run.process.kill()
    run.process.communicate(timeout=600)
    (job,) = (sanitizing.owner.home / "jobs").iterdir()
    assert list(job.glob("*.answer"))
    assert not sanitizing.target.exists()
    again = sanitizing.run("run")
    again.go()
    sanitizing.check(workers_lost=0)
    assert sanitizing.owner.events("sanitize")[-1]["parts_kept"] >= 1


def test_who_has_not_the_token_is_refused(sanitizing, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    monkeypatch.setenv(TRIES, "5")
    run = sanitizing.run("run")
    out, _ = run.process.communicate(timeout=600)
    assert run.process.returncode == 6
    assert json.loads(out)["error"]["code"] == "ray_unreachable"


def test_nothing_plain_in_what_ray_writes(sanitizing, nodes):
    """Attack: the logs and files of the session are searched for the rows."""
    run = sanitizing.run("run")
    run.when_paused()
    run.go()
    session = Path(nodes.cluster.head_node.get_session_dir_path())
    written = [path for path in session.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]
