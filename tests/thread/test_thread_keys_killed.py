"""A workspace whose owner is killed while a key is rotated or destroyed."""

import json
import subprocess
import sys

import numpy as np
import pytest
from test_thread_killed import Killer, Moments
from thread_samples import leftovers

from cipherset.custody.keys import KeyRing, KeyUse
from cipherset.custody.ledger import Ledger


@pytest.fixture
def killer():
    made = Killer()
    yield made
    made.close()


def look(home):
    """Every version that may be opened opens; the statuses, oldest version first."""
    ring = KeyRing(home)
    key = ring.get("support")
    for version in key.versions:
        if version.status in {"active", "retiring"}:
            ring.open("support", version.version, purpose=KeyUse.QUERY)
    return [version.status.value for version in key.versions]


def test_killed_while_keys_are_moved_a_workspace_is_whole(killer, changed):
    owner = changed.owner
    args = ("key", "rotate", "support", "--home", owner.home)
    whole = killer.run(*args)
    assert whole["code"] == 0
    rng = np.random.default_rng(3)
    n_killed, moments = 0, Moments(whole, rng.uniform(0.2, 1.05, size=12))
    for after in moments:
        before = look(owner.home)
        ended = killer.run(*args, after=after)
        moments.learn(ended)
        n_killed += not ended["ended"]
        seen = look(owner.home)
        rotated = [*("retiring" for _ in before), "active"]
        assert seen == rotated or (seen == before and not ended["ended"])
        with Ledger(f"sqlite:///{owner.home / 'ledger.sqlite'}") as ledger:
            assert ledger.verify().valid
            recorded = [e for e in ledger.events() if e.action == "key.rotate"]
        done = [json.loads(e.body)["version"] for e in recorded if e.outcome == "done"]
        assert set(done) <= set(range(2, len(seen) + 1))
        # Whatever was done without an outcome had its intent written first.
        assert sum(e.outcome == "intended" for e in recorded) >= len(seen) - 1
    assert n_killed > 3
    owner.ok("key", "rotate", "support")
    assert leftovers(owner.folder) == []
    owner.ok("evaluate", changed.bundle, changed.cipherset)


STEPS = """
import json, os, signal, sys
from pathlib import Path
from cipherset.app import keys
from cipherset.app.workspace import Session
from cipherset.custody.keys import KeyRing
from cipherset.interfaces.cli.output import TerminalProgress

home, minimizer = map(Path, sys.argv[1:])
files = [home / "keys" / "support.json", minimizer]
before = [path.read_bytes() for path in files]

def tracer(left):
    def line(frame, event, value):
        nonlocal left
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return line
    return lambda frame, *rest: line if "/app/keys.py" in frame.f_code.co_filename else None

def destroy(at):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sys.settrace(tracer(at))
            keys.destroy(Session(home, "ada", home, TerminalProgress()), "support", 1, force=True)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def look():
    return KeyRing(home).get("support").versions[0].status.value, minimizer.exists()

seen, code, at = set(), -signal.SIGKILL, 0
while code == -signal.SIGKILL:
    at += 1
    for path, raw in zip(files, before):
        path.write_bytes(raw)
    code = destroy(at)
    seen.add(look())
    assert destroy(0) == 0
    assert look() == ("destroyed", False), at
print(json.dumps([code, at, sorted(seen)]))
"""


def test_killed_at_each_line_of_destroy_what_is_left_is_removed_by_the_next(changed):
    home = changed.owner.home
    minimizer = home / "minimizers" / f"{changed.protected['key_id']}.v1"
    command = [sys.executable, "-c", STEPS, str(home), str(minimizer)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stderr == ""
    code, steps, seen = json.loads(done.stdout)
    assert code == 0
    assert steps > 20
    # A secret that is there has its minimizer: never the other way about.
    assert seen == [["active", True], ["destroyed", False], ["destroyed", True]]
