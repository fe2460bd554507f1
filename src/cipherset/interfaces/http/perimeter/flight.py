"""How many requests are under way, their handlers' threads included, until the last has ended."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Flight:
    """Counts in the event loop's thread only, so it needs no lock."""

    def __init__(self) -> None:
        self.count = 0
        self._landed = asyncio.Event()
        self._landed.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """One more is under way inside."""
        self.count += 1
        self._landed.clear()
        try:
            yield
        finally:
            self.count -= 1
            if not self.count:
                self._landed.set()

    async def landed(self, within_s: float) -> bool:
        """Whether none is under way any more, waited for that long."""
        try:
            async with asyncio.timeout(within_s):
                await self._landed.wait()
        except TimeoutError:
            return False
        return True
