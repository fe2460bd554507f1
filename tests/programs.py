"""Programs that a test starts and that go on, as a gateway does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from threading import Timer
from typing import Any, Final

_PATIENCE_S: Final = 600.0


@contextmanager
def ended_after(program: Popen[str], within_s: float = _PATIENCE_S) -> Iterator[None]:
    """Inside, it is killed after so long: who reads what it says, or asks it, waits no longer."""
    late = Timer(within_s, program.kill)
    late.start()
    try:
        yield
    finally:
        late.cancel()


def first_told(program: Popen[str], within_s: float = _PATIENCE_S) -> dict[str, Any]:
    """The JSON object that it prints once it is ready; a program that says nothing is ended."""
    told = ""
    with ended_after(program, within_s):
        while not told.endswith("}\n"):
            line = program.stdout.readline()
            why = "" if line or program.stderr is None else program.stderr.read()
            assert line, f"it ended, or was silent for {within_s:g} s: {told}{why}"
            told += line
    return json.loads(told)
