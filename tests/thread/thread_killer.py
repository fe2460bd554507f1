"""Run ``cipherset`` in children and kill them: ``python thread_killer.py``, one JSON job a line.

A job has ``args`` and ``after``, the seconds until SIGKILL (null: let it finish). The answer, a
line of JSON, has ``ended`` (it was not killed) and ``code``. The children are forked from a
process that has imported everything and computed nothing, so a run takes a fraction of a second.
One that takes ten minutes hangs: it says on stderr where, and ends with code 1.
"""

import faulthandler
import json
import os
import signal
import sys
import time
from importlib import import_module

from cipherset.interfaces.cli.main import module_of

HANGS_S = 600
# What commands import when they need it: most children would be killed while they import it.
HEAVY = ("pandas", "scipy.stats", "skl2onnx", "sklearn.cluster", "sklearn.neural_network")


def _run(args):
    faulthandler.dump_traceback_later(HANGS_S, exit=True, file=os.dup(2))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.argv = ["cipherset", *args]
    code = 1
    try:
        import_module("cipherset.interfaces.cli.main").main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        os._exit(code)


def _child(args, after):
    pid = os.fork()
    if pid == 0:
        _run(args)
    started, ended, status = time.monotonic(), 0, 0
    while not ended and (after is None or time.monotonic() < started + after):
        ended, status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.0005)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return {"ended": False, "code": None, "seconds": after}
    seconds = time.monotonic() - started
    return {"ended": True, "code": os.waitstatus_to_exitcode(status), "seconds": seconds}


def main():
    for command in ("protect", "train", "inspect", "key", "forget"):
        import_module(module_of(command))
    for name in HEAVY:
        import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(_child(job["args"], job["after"])), flush=True)


if __name__ == "__main__":
    main()
