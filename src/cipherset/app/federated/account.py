"""How often an owner may still seal a step, and what is paid before it does."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from cipherset.pipeline.federated import Announcement


class Account(Protocol):
    """One owner's, for one agreement."""

    def left(self) -> int:
        """How many steps may still be sealed."""

    def paying(
        self, round_id: bytes, announced: Sequence[Announcement]
    ) -> AbstractContextManager[None]:
        """Pay for one step of that round, then let the body compute and seal it.

        Raises:
            CiphersetError: it is not to be paid; the body does not run then.
        """


class Counted:
    """In memory: whoever starts anew has all of it again, so it is for trying out."""

    def __init__(self, releases: int) -> None:
        self._left = releases

    def left(self) -> int:
        """How many steps may still be sealed."""
        return self._left

    @contextmanager
    def paying(self, round_id: bytes, announced: Sequence[Announcement]) -> Iterator[None]:
        """One less."""
        self._left -= 1
        yield
