"""What a worker is asked to do, and where its answer goes: one sealed file for each part.

An answer has its name only when it is whole. It is the same whoever gives it and however often,
so a part that was done twice is there once, and what a run has done, the next one need not do.
Whatever is erased anywhere empties the workspace's folder of jobs, for they hold rows, and every
folder elsewhere that the workspace has a note of: there is one for as long as a run is not done.
"""

import json
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from cipherset.app.vectors.segments import empty
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter

FOLDER: Final = "jobs"  # of a workspace; its runs may be told to use another
NOTES: Final = "answers"  # of a workspace: a note for each folder elsewhere that holds answers
LEAST_ROWS: Final = 4096  # of a part: what it takes to send one should not count
_ENDING: Final = ".answer"


@dataclass(frozen=True, slots=True)
class Task:
    """One stage over one source; ``settings`` are what the stage takes, as JSON values.

    ``source`` and ``folder`` are paths that are the same for every worker; ``code`` is the digest
    of the code that is to do it. A part has ``least_rows`` or more.
    """

    stage: str
    source: str
    folder: str
    cache: str
    code: str
    least_rows: int
    settings: dict[str, Any] = field(repr=False)

    def encoded(self) -> bytes:
        """As it travels, sealed."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decoded(cls, raw: bytes) -> "Task":
        """The task of ``encoded``."""
        return cls(**json.loads(raw))


def job_of(task: Task, bound: dict[str, Any]) -> str:
    """The name of a job, the same for the same task over the same rows: what it is taken up by.

    ``bound`` is all that an answer depends on beside the task: rows and key.
    """
    told = asdict(task) | {"folder": "", "cache": "", **bound}
    return canonical.digest(told).removeprefix("sha256:")


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one job in its folder; ``sealer`` gives that of a part."""

    folder: Path
    job: str
    sealer: Callable[[int], Sealer] = field(repr=False)

    def path(self, part: int) -> Path:
        """Where the answer for a part goes."""
        return self.folder / f"{part:08d}{_ENDING}"

    def write(self, part: int, tables: Iterable[pa.Table]) -> int:
        """Write an answer, whole or not at all; how many rows it has.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        place = self.path(part)
        partial = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
        n_rows = 0
        with SpoolWriter(partial, self.sealer(part), self._name(part)) as writer:
            for table in tables:
                writer.append(table)
                n_rows += table.num_rows
        with disk_errors(place):
            partial.replace(place)
        return n_rows

    def read(self, part: int) -> Iterator[pa.Table]:
        """The tables of an answer, cut anew.

        Raises:
            IntegrityError: ``sealed_missing``; ``spool_corrupt``.
        """
        return Spool(self.path(part), self.sealer(part), self._name(part)).chunks()

    def is_there(self, part: int) -> bool:
        """Whether the answer is there, whole and ours; what is not is to be made again."""
        try:
            deque(self.read(part), maxlen=0)
        except IntegrityError:
            return False
        return True

    def remove(self) -> None:
        """Every answer, and what killed workers left; somebody may have been faster."""
        _clear(self.folder)

    def _name(self, part: int) -> str:
        return f"job/{self.job}/{part}"


def note_of(home: Path, folder: Path) -> Path:
    """Where the workspace keeps that ``folder``, which is not in it, has answers of a job."""
    return home / NOTES / canonical.digest_bytes(os.fsencode(folder)).removeprefix("sha256:")


def note(home: Path, folder: Path) -> Path:
    """Keep that ``folder`` is to have answers, before it has any; the note.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    path = note_of(home, folder)
    with disk_errors(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomic(path, os.fsencode(folder))
    return path


@dataclass(frozen=True, slots=True)
class Unreached:
    """A folder of answers that is not there, by a note: removed by hand, or not mounted now."""

    folder: str
    note: str


def forget_jobs(home: Path) -> tuple[Unreached, ...]:
    """No answer is left but in what it names; a job under way fails, and is to be run again.

    Raises:
        BackendError: ``no_permission`` or ``disk``.
    """
    empty(home / FOLDER)
    notes = sorted((home / NOTES).iterdir()) if (home / NOTES).is_dir() else []
    unreached = []
    for path in notes:
        with disk_errors(path):
            try:
                folder = Path(os.fsdecode(path.read_bytes()))
            except FileNotFoundError:  # its run was done just now
                continue
        # Through no link: where others may write, one could lead to anybody's files.
        if path != note_of(home, folder) or folder.is_symlink() or not folder.is_dir():
            unreached.append(Unreached(str(folder), str(path)))
            continue
        _clear(folder)
        with disk_errors(path):
            path.unlink(missing_ok=True)
    return tuple(unreached)


def _clear(folder: Path) -> None:
    if not folder.is_dir():
        return
    with disk_errors(folder):
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()
