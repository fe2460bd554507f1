"""Outcomes of acts that ended while the ledger could not be written.

The intent of each is in the ledger, and the act is over: whoever asked was told that it could not
be recorded. Its outcome is written as soon as the ledger takes it, before anything else is; the
body says ``late``. What a process owes when it is killed stays an intent without an outcome.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from cipherset.custody.ledger.transaction import Transaction

Work = Callable[[Transaction], object]
LATE: Final = "late"


class Owed:
    """What is to be written first; for many threads."""

    def __init__(self) -> None:
        self._works: deque[Work] = deque()

    def add(self, work: Work) -> None:
        """Owe one more."""
        self._works.append(work)

    def pay(self, write: Callable[[Work], object]) -> None:
        """Write all that is owed; what ``write`` raises ends it, and the rest is owed still."""
        while self._works:
            try:
                work = self._works.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                write(work)
            except BaseException:
                self._works.appendleft(work)
                raise
