"""What a run that was killed had finished, so that the next one goes on from there.

redteam/partial.jsonl    an attack on a target a line, as soon as it is done

A line counts only under the keyed digest of the workspace's signer, and only for the very target,
suite, limits, inputs and seed that it is bound to. One run at a time holds the file.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from pydantic import ValidationError
from securesystemslib.signer import Signer

from cipherset.app.redteam.line import Line, read_line
from cipherset.core import canonical
from cipherset.core.errors import UsageError
from cipherset.core.files import disk_errors
from cipherset.custody.keys.identity import source_identity

FOLDER: Final = "redteam"
PARTIAL: Final = "partial.jsonl"
_SEAL: Final = "seal"


@dataclass(frozen=True, slots=True)
class Unit:
    """One attack on one target, and the digest of all that its result depends on."""

    attack: str
    target: str
    bound: str


@dataclass(frozen=True, slots=True)
class Partial:
    """What was finished; open while a run is under way."""

    path: Path
    file: IO[bytes] = field(repr=False)
    signer: Signer = field(repr=False)
    finished: dict[Unit, tuple[Line, ...]] = field(default_factory=dict)

    def add(self, unit: Unit, lines: Sequence[Line]) -> None:
        """Note that an attack is done, on the disk before anything else happens.

        Raises:
            BackendError: it cannot be written.
        """
        told = {
            "attack": unit.attack,
            "target": unit.target,
            "bound": unit.bound,
            "lines": [line.as_json() for line in lines],
        }
        raw = canonical.encode({**told, _SEAL: _seal(self.signer, told)})
        with disk_errors(self.path):
            self.file.write(raw + b"\n")
            self.file.flush()
            os.fsync(self.file.fileno())
        self.finished[unit] = tuple(lines)

    def clear(self) -> None:
        """The run is over: the next one begins anew."""
        with disk_errors(self.path):
            self.file.truncate(0)
        self.finished.clear()


@contextmanager
def open_partial(home: Path, signer: Signer) -> Iterator[Partial]:
    """What the last run left, held by this one alone.

    Raises:
        UsageError: ``redteam_running``: another run is under way here.
        BackendError: it cannot be read or written.
    """
    path = home / FOLDER / PARTIAL
    with disk_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "r+b", buffering=0) as raw:
        try:
            fcntl.flock(raw.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "another run of the red team is under way in this workspace",
                code="redteam_running",
                hint="wait for it to end, or stop it; what it has finished is kept",
            ) from None
        yield Partial(path, raw, signer, dict(_read(raw.read(), signer)))


def _read(raw: bytes, signer: Signer) -> Iterator[tuple[Unit, tuple[Line, ...]]]:
    """Every line that is whole and ours; a killed run leaves a torn one, at the end."""
    for line in raw.splitlines():
        try:
            told: dict[str, Any] = json.loads(line)
            seal = told.pop(_SEAL, None)
            if seal != _seal(signer, told):
                continue
            lines = tuple(map(read_line, told["lines"]))
        except (ValueError, AttributeError, ValidationError):
            continue
        yield Unit(told["attack"], told["target"], told["bound"]), lines


def _seal(signer: Signer, told: Mapping[str, Any]) -> str:
    return source_identity(signer, [b"redteam/partial/1\0", canonical.encode(dict(told))])
