"""Every error the package raises on purpose, by who must act.

    CiphersetError
    ├── UsageError       the caller asked for something that makes no sense (exit 2)
    ├── PolicyError      a policy, a budget or a measured risk says no (exit 3)
    ├── InputError       the data is not what was asked for (exit 4)
    │   └── DimensionError
    ├── IntegrityError   tampered, corrupt, or not the right key: stop (exit 5)
    │   └── KeyAccessError
    └── BackendError     a provider, a disk or an encoder is out of reach: mend, retry (exit 6)

A message says what was found, what was expected and where; ``hint`` says what to do next.
Neither ever holds a record, a vector or key bytes. ``code`` is stable: scripts may rely on it.
"""

from types import TracebackType
from typing import ClassVar


class CiphersetError(Exception):
    """Root of the tree; ``code`` is stable, ``hint`` says what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint


class UsageError(CiphersetError):
    """The command or call contradicts itself or what is already there."""

    exit_code: ClassVar[int] = 2


class PolicyError(CiphersetError):
    """Refused by policy, budget or measured risk."""

    exit_code: ClassVar[int] = 3


class InputError(CiphersetError, ValueError):
    """The data is not what was asked for; the message names file, row or column."""

    exit_code: ClassVar[int] = 4


class DimensionError(InputError):
    """Arrays disagree on their width."""


class IntegrityError(CiphersetError):
    """Tampered, corrupt, or sealed under another key."""

    exit_code: ClassVar[int] = 5


class KeyAccessError(IntegrityError):
    """The key is missing, locked, or not the one that is needed."""


class BackendError(CiphersetError):
    """Something outside cannot be reached; the hint names the command that mends it."""

    exit_code: ClassVar[int] = 6


class Caught:
    """Inside, a defect ends there: its ``kind`` is noted, its text, which may hold data, is not.

    What tells the process to stop (``KeyboardInterrupt``, ``SystemExit``) goes on.
    """

    def __init__(self) -> None:
        self.kind = ""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        self.kind = kind.__name__
        return True
