"""Where a ledger ended when it was last seen, kept outside its database.

A database that was restored from an older copy, or cut, is a valid chain: only who remembers more
of it sees that. So the workspace keeps the end in files of its own, and refuses a ledger that
ends before. Whoever puts back those files too is seen by a checkpoint kept elsewhere, or by nobody.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.core import canonical
from cipherset.core.errors import CiphersetError, IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.ledger.proofs.checkpoint import is_hash

HEAD_SCHEMA: Final = "cipherset/head/1"
_KEEP_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Head:
    """Number and hash of a ledger's last event; ``ledger`` is the hash of its first."""

    ledger: str
    seq: int
    hash: str


class Heads:
    """The files that remember; those whose folder is not there remember nothing."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._next_s = 0.0

    def read(self) -> Head | None:
        """The furthest that any of them remembers; None if none does.

        Raises:
            IntegrityError: ``head_corrupt``.
            BackendError: ``no_permission`` or ``disk``.
        """
        found = [head for path in self._paths if (head := _read(path)) is not None]
        return max(found, key=lambda head: head.seq, default=None)

    def is_due(self) -> bool:
        """Whether it is time to keep another head: once a second, not at each event."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + _KEEP_EVERY_S
        return True

    def keep(self, head: Head, *, in_any_case: bool = False) -> None:
        """Remember ``head``, unless more is remembered already and not ``in_any_case``.

        A file that cannot be written keeps an older one: the ledger has the event all the same.
        """
        raw = canonical.encode({"schema": HEAD_SCHEMA, **asdict(head)})
        for path in self._paths:
            with suppress(CiphersetError):
                known = None if in_any_case else _read(path)
                if path.parent.is_dir() and (known is None or known.seq < head.seq):
                    write_atomic(path, raw)


def regressed(seen: Head) -> IntegrityError:
    """The refusal of a ledger that does not hold ``seen``."""
    return IntegrityError(
        f"the ledger does not hold event {seen.seq} as this workspace has seen it: it was restored "
        "from an older copy, cut, or is another one",
        code="ledger_regressed",
        hint="restore the newest copy; what is lost for good the owner accepts: "
        "cipherset audit accept --reason TEXT",
    )


def _read(path: Path) -> Head | None:
    with disk_errors(path):
        try:
            raw = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    found: Any = canonical.decode(raw, what=str(path))
    if not isinstance(found, dict) or set(found) != {"schema", "ledger", "seq", "hash"}:
        raise _corrupt(path)
    seq = found["seq"]
    hashes = is_hash(found["ledger"]) and is_hash(found["hash"])
    if found["schema"] != HEAD_SCHEMA or not hashes or type(seq) is not int or seq < 1:
        raise _corrupt(path)
    return Head(found["ledger"], seq, found["hash"])


def _corrupt(path: Path) -> IntegrityError:
    return IntegrityError(
        f"{path} does not say where a ledger ended: it was changed",
        code="head_corrupt",
        hint="see what else was: cipherset audit verify; then let the owner accept it: "
        "cipherset audit accept --reason TEXT",
    )
