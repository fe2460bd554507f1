"""Run ``protect`` slowly in children: ``python thread_slow.py``, one JSON job a line.

A job has ``home``, ``source``, ``target``, ``key`` and ``places``: after so many folders that were
put in place the child kills itself (null: never). A child says ``measuring`` once it has looked at
all other exports, waits for a line, and then measures and places. Its answer is a line of JSON: the
export's id and whether it was there, or code and exit code; null where it was killed. The children
are forked from a process that has imported everything and computed nothing. One that fails, or
hangs for ten minutes, says on stderr where, and the answer is how it ended.
"""

import faulthandler
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from cipherset.app.exports import commit, protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.workspace import Session
from cipherset.core.errors import CiphersetError
from cipherset.core.values import ColumnRoles

HANGS_S = 600


class Waiting:
    """Progress that stops where everything is written and nothing is placed."""

    def start(self, stage, total):
        if stage == "attack and evaluate":
            print("measuring", flush=True)
            sys.stdin.readline()

    def advance(self, steps):
        pass

    def finish(self):
        pass


def _die_after(places):
    place = commit.replace_directory

    def placing(staged, target, *, overwrite):
        nonlocal places
        places -= 1
        if places < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        place(staged, target, overwrite=overwrite)

    commit.replace_directory = placing


def _run(job):
    request = ProtectRequest(
        job["source"],
        ColumnRoles(vector="vec", label="topic"),
        job["key"],
        Path(job["target"]),
        minimize="lda:2",
        approximation_factor=5.0,
        max_reid=0.4,
        accept_risk="a rehearsal",
    )
    if job["places"] is not None:
        _die_after(job["places"])
    home = Path(job["home"])
    try:
        made = protect.protect(Session(home, "ada", home, Waiting()), request)
    except CiphersetError as error:
        return [error.code, error.exit_code]
    return [made.manifest.cipherset_id, made.repeated]


def _child(line):
    code = 1
    try:
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        print(json.dumps(_run(json.loads(line))), flush=True)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def main():
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _child(line)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code:  # whoever waits for its answer is told, too
            print("null" if code == -signal.SIGKILL else f'"ended with {code}"', flush=True)


if __name__ == "__main__":
    main()
