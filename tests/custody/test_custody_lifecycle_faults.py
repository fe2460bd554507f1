"""Killed at each step, raced, and out of room: the ring can be read and every key in it opens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from custody_killer import look, partial
from custody_racing import raced, said, started

from cipherset.custody.keys import KeyRing

KILLER = Path(__file__).with_name("custody_killer.py")


@pytest.fixture
def home(tmp_path):
    """A ring with a key that was rotated once."""
    ring = KeyRing(tmp_path / "home")
    ring.create("a")
    ring.rotate("a")
    return tmp_path / "home"


def run(*args):
    command = [sys.executable, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


NEW = {"new": ["active"]}
BEFORE, ROTATED = ["retiring", "active"], ["retiring", "retiring", "active"]
RETIRED, DESTROYED = ["retired", "active"], ["destroyed", "active"]
BOUND = [*BEFORE, "host=here"]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("move", "killed", "again"),
    [
        ("create", [{"a": BEFORE}, {"a": BEFORE, **NEW}], [{"a": BEFORE, **NEW}, "key_exists"]),
        ("first", [{}, NEW], [NEW, "key_exists"]),
        (
            "rotate",
            [{"a": BEFORE}, {"a": ROTATED}],
            [{"a": ROTATED}, {"a": ["retiring", *ROTATED]}],
        ),
        ("bind", [{"a": BEFORE}, {"a": BOUND}], [{"a": BOUND}]),
        ("retire", [{"a": BEFORE}, {"a": RETIRED}], [{"a": RETIRED}, "key_transition"]),
        ("destroy", [{"a": BEFORE}, {"a": DESTROYED}], [{"a": DESTROYED}]),
    ],
)
def test_killed_at_each_line(home, move, killed, again):
    if move == "first":
        home = home.with_name("empty")
        home.mkdir()
    found = json.loads(run(KILLER, home, move))
    assert found["steps"] > 100
    assert sorted(found["killed"]) == sorted(json.dumps(seen, sort_keys=True) for seen in killed)
    expected = [one if isinstance(one, str) else json.dumps(one, sort_keys=True) for one in again]
    assert sorted(found["again"]) == sorted(expected)
    assert found["left"] == []


TIMED = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from custody_killer import look
from cipherset.custody.keys import KeyRing

home = Path(sys.argv[1])
random = np.random.default_rng(12)
begin = time.monotonic()
KeyRing(home).rotate("a")
took = time.monotonic() - begin
for life in range(40):
    child = os.fork()
    if child == 0:
        ring = KeyRing(home)
        while True:
            latest = ring.rotate("a").version
            ring.retire("a", latest - 1)
            ring.destroy("a", latest - 1)
    time.sleep(random.uniform(0, 6 * took))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert look(home)["a"].count("active") == 1
latest = KeyRing(home).rotate("a").version
for version in range(1, latest):
    KeyRing(home).destroy("a", version, force=True)
print(latest, look(home)["a"].count("destroyed"))
"""


def test_killed_at_any_moment(home):
    latest, destroyed = map(int, run("-c", AT_HOME + TIMED, home).split())
    assert latest > 3
    assert destroyed == latest - 1
    assert partial(home) == []


AT_HOME = f"import sys\nsys.path.insert(0, {str(KILLER.parent)!r})\n"
RACE = """
import sys
from pathlib import Path
from cipherset.core.errors import UsageError
from cipherset.custody.keys import KeyRing

ring = KeyRing(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for k in range(20):
    made = ring.rotate("a")
    print("made", made.version)
    try:
        ring.retire("a", made.version - 1)
    except UsageError as error:
        print(error.code)
"""


def test_processes_that_rotate_one_key_at_once_lose_no_version(home):
    lines = [line for written in raced(RACE, home) for line in written.splitlines()]
    assert sorted(lines) == sorted(f"made {n}" for n in range(3, 63))
    assert look(home) == {"a": ["retiring", *["retired"] * 60, "active"]}


RELYING = """
import sys
from pathlib import Path
from cipherset.custody.keys import KeyRing, KeyUse

ring = KeyRing(Path(sys.argv[1]))
key = ring.open("a", purpose=KeyUse.EXPORT)
with ring.relying_on(key, purpose=KeyUse.EXPORT):
    print("relying", flush=True)
    sys.stdin.readline()
    print(ring.get("a").version, flush=True)
"""


def test_whoever_puts_an_export_in_place_is_waited_for(home):
    relying = started(RELYING, home)
    assert said(relying) == "relying\n"
    rotate = f"{AT_HOME}from cipherset.custody.keys import KeyRing\nfrom pathlib import Path\n"
    rotate += f"print('ready', flush=True)\nKeyRing(Path({str(home)!r})).rotate('a')"
    rotating = started(rotate)
    assert said(rotating) == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        rotating.wait(0.3)
    assert relying.communicate("go\n", timeout=600)[0] == "2\n"
    rotating.communicate(timeout=600)
    assert (relying.returncode, rotating.returncode) == (0, 0)
    assert KeyRing(home).get("a").version == 3


FULL = """
import json, os, resource, shutil, sys
from pathlib import Path
from custody_killer import MOVES, look, opened, partial
from cipherset.core.errors import BackendError
from cipherset.custody.keys import KeyRing

start, name = Path(sys.argv[1]), sys.argv[2]
seen = set()
for room in [*range(0, 1200, 40), 10**6]:
    home = start.with_name("full")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(start, home)
    before = look(home)
    child = os.fork()
    if child == 0:
        sys.dont_write_bytecode = True  # it would be cut off, for every process
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        try:
            MOVES[name](opened(home))
        except BackendError as error:
            os._exit(3 if error.code == "disk_full" else 4)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 3:
        assert look(home) == before, room
        assert partial(home) == [], room
    else:
        assert code == 0, (room, code)
        assert look(home) != before, room
    seen.add(code)
    MOVES["rotate"](opened(home)) if "a" in before else KeyRing(home).create("z")
print(json.dumps(sorted(seen)))
"""


@pytest.mark.parametrize("move", ["create", "first", "rotate", "bind", "retire", "destroy"])
def test_a_full_disk_changes_nothing(home, move):
    if move == "first":
        home = home.with_name("empty")
        home.mkdir()
    assert json.loads(run("-c", AT_HOME + FULL, home, move)) == [0, 3]
