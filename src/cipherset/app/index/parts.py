"""What a process that answers many searches keeps open: stores, ciphers, encoders; no decision.

A part is found again by everything that it depends on (the digest of a manifest, a key's id,
version and check), so one that has changed is another part. Whether a key may be used is asked
anew each time, before its cipher is taken from here.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, TypeVar, cast

MOST: Final = 32

Part = TypeVar("Part")


class Parts:
    """The parts that were used last, at most ``MOST``; for many threads at once."""

    __slots__ = ("_lock", "_made")

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, name: Hashable, make: Callable[[], Part]) -> Part:
        """The part of that name, made where it is not there.

        Two threads that miss at once both make it, and one of the two is kept.
        """
        with self._lock:
            if name in self._made:
                self._made.move_to_end(name)
                return cast("Part", self._made[name])
        made = make()
        with self._lock:
            self._made[name] = made
            while len(self._made) > MOST:
                self._made.popitem(last=False)
        return made

    def __repr__(self) -> str:
        return f"Parts({len(self._made)})"
