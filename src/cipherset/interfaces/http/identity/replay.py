"""A proof is good once: remembered in bounded memory, whatever the clock does.

What is forgotten to make room raises a floor, and a proof from below it is refused. The floor never
falls, so neither a clock that was set back nor a flood lets an earlier proof in again. The latest
time of a proof that was taken is kept in a file, and is the floor of the next process.
"""

import heapq
import math
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Final

from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors, write_atomic

USED_FILE: Final = "proofs"
MOST_PROOFS: Final = 2**17  # 2,000 a second for a minute; some 30 MB
_NAME_BYTES: Final = 16
_MOST_TIME: Final = 2**40


class LastProof:
    """The latest whole second of a proof that was taken, in a file: of one process at a time."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            IntegrityError: ``proofs_file``.
            BackendError: it cannot be read.
        """
        self._path = path
        self.second = self._read()

    def raise_to(self, made: float) -> None:
        """Keep that proofs up to ``made`` may have been used: on the disk on return.

        Raises:
            BackendError: it cannot be written; then the proof is not to be taken.
        """
        second = math.ceil(made)
        if second > self.second:
            write_atomic(self._path, f"{second}\n".encode())
            self.second = second

    def _read(self) -> int:
        with disk_errors(self._path):
            try:
                text = self._path.read_bytes().decode("ascii", errors="replace").strip()
            except FileNotFoundError:
                return 0
        if not text.isdecimal() or len(text) > len(str(_MOST_TIME)):
            raise IntegrityError(
                f"{self._path} does not say when the last proof was used",
                code="proofs_file",
                hint="remove it, and wait a minute before you serve again",
            )
        return int(text)


class ReplayStore:
    """The proofs that were used, shared by all threads of a process."""

    def __init__(self, last: LastProof, *, most: int = MOST_PROOFS) -> None:
        """Refuse what was made before ``last``, and what is beyond the latest ``most``."""
        self._last = last
        self._floor = _after(last.second) if last.second else 0.0
        self._most = most
        self._used: set[bytes] = set()
        self._oldest: list[tuple[float, bytes]] = []
        self._lock = threading.Lock()

    def is_first(self, key: str, name: str, made: float, *, keep_from: float) -> bool:
        """Whether this proof was not used before; from now on it was.

        ``key`` and ``name`` tell it from every other, ``made`` is when it says that it was made, in
        seconds since 1970; what was made before ``keep_from`` is refused elsewhere, and forgotten
        here.

        Raises:
            BackendError: that it was used cannot be kept.
        """
        used = blake2b(f"{len(key)}:{key}{name}".encode(), digest_size=_NAME_BYTES).digest()
        with self._lock:
            if made < self._floor or used in self._used:
                return False
            self._last.raise_to(made)
            self._used.add(used)
            heapq.heappush(self._oldest, (made, used))
            while self._oldest[0][0] < keep_from or len(self._used) > self._most:
                self._forget_oldest()
                if not self._oldest:
                    break
            return True

    def __len__(self) -> int:
        return len(self._used)

    def _forget_oldest(self) -> None:
        made, used = heapq.heappop(self._oldest)
        self._used.discard(used)
        # The next that is as old as this one would be let in again, were it not refused.
        self._floor = max(self._floor, _after(made))


def _after(made: float) -> float:
    """Just above ``made``."""
    return made + 1e-3
