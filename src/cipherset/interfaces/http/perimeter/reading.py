"""Whose body is on its way: so many at once, fewer of one address, and the slowest makes room.

They are counted before anybody is known, so what is half sent must not keep others out: who comes
when all places are taken gets the place of the one that began first, of his own address where it
has as many as it may, else of the address that has the most.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


class CrowdedOutError(Exception):
    """Another took the place of this one, which was slower."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    address: str
    ends: asyncio.Timeout


class Reading:
    """The bodies on their way, in the event loop's thread only."""

    def __init__(self, most: int, most_each: int) -> None:
        """At most ``most`` at once, ``most_each`` of one address."""
        self._most, self._most_each = most, min(most, most_each)
        self._places: list[_Place] = []  # in the order in which they began

    @asynccontextmanager
    async def one(self, address: str) -> AsyncIterator[None]:
        """One more of ``address`` is read inside.

        Raises:
            CrowdedOutError: it was the slowest when another needed its place.
        """
        try:
            async with asyncio.timeout(None) as ends:
                self._make_room(address)
                place = _Place(address, ends)
                self._places.append(place)
                try:
                    yield
                finally:
                    if place in self._places:
                        self._places.remove(place)
        except TimeoutError:
            raise CrowdedOutError from None

    def _make_room(self, address: str) -> None:
        held = Counter(place.address for place in self._places)
        if held[address] < self._most_each:
            if len(self._places) < self._most:
                return
            address = held.most_common(1)[0][0]
        slowest = next(place for place in self._places if place.address == address)
        self._places.remove(slowest)
        slowest.ends.reschedule(asyncio.get_running_loop().time())
