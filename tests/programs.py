"""Programs that a test starts and that go on, as a gateway does."""

import json
from subprocess import Popen
from threading import Timer
from typing import Any, Final

_PATIENCE_S: Final = 600.0


def first_told(program: Popen[str], within_s: float = _PATIENCE_S) -> dict[str, Any]:
    """The JSON object that it prints once it is ready; a program that says nothing is ended."""
    late = Timer(within_s, program.kill)
    late.start()
    try:
        told = ""
        while not told.endswith("}\n"):
            line = program.stdout.readline()
            why = "" if line or program.stderr is None else program.stderr.read()
            assert line, f"it ended, or was silent for {within_s:g} s: {told}{why}"
            told += line
    finally:
        late.cancel()
    return json.loads(told)
