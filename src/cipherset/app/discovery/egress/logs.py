"""Logs on the disk: opened as often as needed, gunzipped where they are, never read whole."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.evidence.discover.egress import (
    MAGIC,
    Faults,
    Hints,
    LogFile,
    detected,
    read_log,
    tells_addresses,
    visits_in,
)
from cipherset.evidence.discover.egress.call import Seen

_GZIP: Final = b"\x1f\x8b"
HISTORY: Final = "browser"


@contextmanager
def reading(path: Path) -> Iterator[LogFile]:
    """The log in a file; what goes wrong while it is read is said of it.

    Raises:
        BackendError: it cannot be read.
        InputError: ``egress_gzip``: it is cut off, or no gzip within.
    """
    with disk_errors(path):
        with path.open("rb") as file:
            is_gzip = file.read(2) == _GZIP
        try:
            yield LogFile(str(path), _opener(path, is_gzip=is_gzip))
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise InputError(
                f"{path} is cut off or damaged: not all of it can be unpacked",
                code="egress_gzip",
                hint="get the log again, or unpack what there is of it",
            ) from None


def form_of(path: Path, hints: Hints, asked: str | None) -> str:
    """The form of a log: as it was asked for, a history by its magic, else by its first lines.

    Raises:
        InputError: ``egress_format``, ``egress_gzip``.
        BackendError: it cannot be read.
    """
    with reading(path) as log:
        with log.open() as stream:
            is_history = stream.read(len(MAGIC)) == MAGIC
        if is_history:
            return HISTORY
        return asked or detected(log, hints)


def read(path: Path, form: str, hints: Hints, take: Callable[[Seen], None]) -> Faults:
    """How a log of that form was read; ``take`` is handed each thing it tells.

    Raises: as ``form_of``.
    """
    with reading(path) as log:
        if form != HISTORY:
            return read_log(log, form, hints, take)
        n_calls = n_bad = 0
        for visit in visits_in(path, hints.of_nobody):
            if visit is None:
                n_bad += 1
                continue
            n_calls += 1
            take(visit)
        return Faults(log.name, HISTORY, n_calls + n_bad, n_calls, n_bad)


def reads_first(form: str) -> bool:
    """Whether such logs come before others: they say at which addresses names are."""
    return form != HISTORY and tells_addresses(form)


def _opener(path: Path, *, is_gzip: bool) -> Callable[[], BinaryIO]:
    if is_gzip:
        return lambda: cast("BinaryIO", gzip.open(path, "rb"))
    return lambda: path.open("rb")
