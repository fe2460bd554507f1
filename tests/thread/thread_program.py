"""A program of this folder in a process of its own: it is told a line, and answers with one."""

import select
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

# Longer than the programs let a child run: of one that hangs they first show where.
_LONGEST_S: Final = 900


class Program:
    """Runs the program of that name; what it does not answer in time is a failure."""

    def __init__(self, name):
        script = Path(__file__).with_name(name)
        # Unbuffered: a line that was read ahead would be missed by whoever looks at the pipe.
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        self._process = subprocess.Popen([sys.executable, str(script)], **pipes)

    def tell(self, line):
        self._process.stdin.write(line.encode() + b"\n")

    def is_silent(self, seconds):
        return not select.select([self._process.stdout], [], [], seconds)[0]

    def answer(self):
        """The line that it says next; empty where it has ended."""
        if self.is_silent(_LONGEST_S):
            self._process.kill()
            pytest.fail(f"{self._process.args[1]} has said nothing for {_LONGEST_S} s")
        return self._process.stdout.readline().decode()

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=_LONGEST_S)
        self._process.stdout.close()
