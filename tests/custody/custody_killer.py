"""Kill a ring at each step: ``python custody_killer.py HOME MOVE``, one line of JSON as answer.

A step is a line of our own code. For each, a fresh copy of the ring in HOME is given to a child,
which makes the move and sends itself SIGKILL when it comes to that line; then the ring is looked
at, and the move is made again. The children are forked from a process that has imported all.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from cipherset.core.errors import CiphersetError
from cipherset.custody.keys import KeyRing, KeyUse

MOVES = {
    "create": lambda ring: ring.create("new"),
    "first": lambda ring: ring.create("new"),
    "rotate": lambda ring: ring.rotate("a"),
    "bind": lambda ring: ring.bind("a", ["host=here"]),
    "retire": lambda ring: ring.retire("a"),
    "destroy": lambda ring: ring.destroy("a", 1, force=True),
}
OURS = ("/cipherset/custody/keys/", "/cipherset/core/files.py")


def _trace(at):
    """A tracer that kills this process at its ``at``-th line of ours."""
    left = at

    def line(_frame, event, _value):
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame, _event, _value):
        return line if any(part in frame.f_code.co_filename for part in OURS) else None

    return call


def opened(home):
    """The ring as whoever is where its keys are bound to."""
    return KeyRing(home, admit=lambda _key, _use: None)


def _killed(home, move, at):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ring = opened(home)
            sys.settrace(_trace(at))
            move(ring)
            sys.settrace(None)
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit("the move failed by itself")
    return os.WIFSIGNALED(status)


def look(home):
    """The statuses of every version, after seeing that each that may be opened opens."""
    ring = opened(home)
    seen = {}
    for key in ring.list():
        seen[key.name] = [version.status.value for version in key.versions] + [*key.only_in]
        for version in key.versions:
            if version.status.value in {"active", "retiring"}:
                ring.open(key.name, version.version, purpose=KeyUse.QUERY)
        if key.status.value == "active":
            ring.open(key.name, purpose=KeyUse.EXPORT)
    return seen


def partial(home):
    return [path.name for path in home.rglob(".*") if "partial" in path.name]


def main(start, name):
    """Print the states found after a kill, those after the move was made again, and the steps."""
    killed, again, left, at = set(), set(), set(), 0
    died = True
    while died:
        at += 1
        home = start.with_name(f"{start.name}-killed")
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(start, home)
        died = _killed(home, MOVES[name], at)
        killed.add(json.dumps(look(home), sort_keys=True))
        try:
            MOVES[name](opened(home))
        except CiphersetError as error:
            again.add(error.code)
        again.add(json.dumps(look(home), sort_keys=True))
        KeyRing(home).create("after")  # beside the key that was being made
        left |= set(partial(home))
    shutil.rmtree(home)
    print(
        json.dumps(
            {"killed": sorted(killed), "again": sorted(again), "left": sorted(left), "steps": at}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
