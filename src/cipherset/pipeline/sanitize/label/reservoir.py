"""A sample of fixed size from rows that come once and in unknown number."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import numpy as np

Row = TypeVar("Row")
BLOCK: Final = 1 << 16


class Reservoir(Generic[Row]):
    """Every row that was offered is kept with the same probability, ``size`` of them in all.

    Source: J. S. Vitter, Random Sampling with a Reservoir, ACM TOMS 11(1), 1985, Algorithm R.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        """Keep at most ``size`` rows, 1 or more, chosen by ``rng``."""
        self.seen = 0
        self._size = size
        self._rng = rng
        self._kept: list[tuple[int, Row]] = []

    def offer(self, count: int, fetch: Callable[[Sequence[int]], Sequence[Row]]) -> None:
        """Offer ``count`` rows; ``fetch`` gives those of the positions that are kept."""
        for start in range(0, count, BLOCK):
            self._offer(start, min(BLOCK, count - start), fetch)

    def _offer(
        self, start: int, count: int, fetch: Callable[[Sequence[int]], Sequence[Row]]
    ) -> None:
        numbers = np.arange(self.seen, self.seen + count)
        # Row number i replaces one of the kept with probability size / (i + 1).
        slots = np.where(numbers < self._size, numbers, self._rng.integers(0, numbers + 1))
        chosen = {int(slots[i]): int(i) for i in np.flatnonzero(slots < self._size)}
        rows = fetch([start + i for i in chosen.values()])
        for (slot, i), row in zip(chosen.items(), rows, strict=True):
            placed = (int(numbers[i]), row)
            if slot < len(self._kept):
                self._kept[slot] = placed
            else:
                self._kept.append(placed)
        self.seen += count

    def rows(self) -> list[Row]:
        """The rows kept so far, in the order they came in."""
        return [row for _, row in sorted(self._kept, key=lambda placed: placed[0])]
