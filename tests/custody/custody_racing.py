"""Processes that begin at once, and words of processes, which are not waited for without end."""

import subprocess
import sys

from programs import ended_after

DEADLINE_S = 600


def started(program, *arguments):
    """``program`` in a process of its own, with a pipe to it and one from it."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes)


def said(process):
    """The next line that it writes; none of one that has to be killed for it."""
    with ended_after(process):
        return process.stdout.readline()


def raced(program, *arguments):
    """What each of three processes writes that say they are ready, and go on when all are."""
    running = [started(program, *arguments) for _ in range(3)]
    for process in running:
        assert said(process) == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    written = [process.communicate(timeout=DEADLINE_S)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    return written
