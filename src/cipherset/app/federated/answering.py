"""An owner behind a socket of its own machine: what came over the wire goes in, answers come out.

One JSON object a line, whatever carries it between machines:

    {"ask": "join", "round": HEX}                           {"announcement": {…}}
    {"ask": "update", "weights": BASE64, "announced": […]}  {"masked": {…}}
    {"ask": "leave"}                                        {"left": STEPS}
    anything that is refused                                {"error": CODE}

Whoever carries it sees what the one who adds up sees: neither a row, nor a step, nor a key. Of a
refusal the code alone is told, for the rest is the owner's.
"""

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from cipherset.app.federated.owner import Owner
from cipherset.core.errors import CiphersetError, InputError, UsageError
from cipherset.core.files import disk_errors
from cipherset.pipeline.federated import (
    MOST_MEMBERS,
    announcement_json,
    masked_json,
    read_announcements,
    read_floats,
    read_hex,
)

_LEAVE: Final = "leave"
# Of 1,024 members and 10,000 dimensions of 100 classes there is room for the weights in base64.
_MOST_BYTES: Final = 64 * 2**20
# An announcement has four. Of as many as there is room for, JSON would make gigabytes.
_MOST_ITEMS: Final = 16 * MOST_MEMBERS
_FOR_ME: Final = 0o600
Told = dict[str, Any]


def answer(owner: Owner, line: bytes) -> Told:
    """What is answered to one line.

    Raises:
        CiphersetError: as ``Owner.join`` and ``Owner.update``; ``round_asked``, ``round_message``.
    """
    asked = _read(line)
    what = asked.get("ask")
    if what == "join":
        return {"announcement": announcement_json(owner.join(read_hex(asked.get("round"))))}
    if what == "update":
        announced = read_announcements(asked.get("announced"))
        weights, shape = read_floats(asked.get("weights")), owner.agreement.shape
        if weights.size == shape[0] * shape[1]:  # of any other the owner says that it does not fit
            weights = weights.reshape(shape)
        return {"masked": masked_json(owner.update(weights, announced))}
    if what == _LEAVE:
        return {"left": owner.left}
    raise _unasked()


def answer_at(owner: Owner, path: Path, refused: Callable[[CiphersetError], None]) -> None:
    """Answer on a socket at ``path``, for this user alone, until it is asked to leave.

    One caller at a time, as often as they come: a round may span connections. ``refused`` is told
    of what was not answered.

    Raises:
        UsageError: ``target_exists``.
        BackendError: the socket cannot be made.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        _open(door, path)
        try:
            while not _answered(owner, door, refused):
                pass
        finally:
            path.unlink(missing_ok=True)


def _open(door: socket.socket, path: Path) -> None:
    """``door`` listens at ``path``; one at a time in a folder looks whether somebody else does."""
    with disk_errors(path), _alone_in(path.parent):
        is_taken = path.exists() and not _removed(path)
        if not is_taken:
            # Linux gives the file the socket's mode. A umask would be that of all threads.
            os.fchmod(door.fileno(), _FOR_ME)
            door.bind(str(path))
            door.listen()
    if is_taken:
        raise UsageError(
            f"{path} is there already",
            code="target_exists",
            hint="choose another name, or remove what was left there",
        )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _removed(path: Path) -> bool:
    """Whether it was the socket of a process that was stopped, where nobody answers any more."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return True
    return False


def _answered(owner: Owner, door: socket.socket, refused: Callable[[CiphersetError], None]) -> bool:
    """Whether the one caller who is heard here asked to leave."""
    caller, _ = door.accept()
    with suppress(ConnectionError), caller, caller.makefile("rwb") as lines:
        while line := lines.readline(_MOST_BYTES):
            told = _told(owner, line, refused)
            lines.write(json.dumps(told).encode() + b"\n")
            lines.flush()
            if "left" in told:
                return True
    return False  # whoever left without a word may come again


def _told(owner: Owner, line: bytes, refused: Callable[[CiphersetError], None]) -> Told:
    try:
        return answer(owner, line)
    except CiphersetError as error:
        refused(error)
        return {"error": error.code}


def _read(line: bytes) -> Told:
    if sum(map(line.count, (b",", b"[", b"{"))) > _MOST_ITEMS:
        raise _unasked()
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise _unasked() from None
    if not isinstance(asked, dict):
        raise _unasked()
    return asked


def _unasked() -> InputError:
    return InputError(
        "this is nothing that an owner is asked",
        code="round_asked",
        hint="ask to join, to update or to leave, one JSON object a line",
    )
