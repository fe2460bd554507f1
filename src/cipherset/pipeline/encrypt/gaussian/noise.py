"""Rows onto the grid, Gaussian noise on the grid, and only then the scale."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt.gaussian.mechanism import LONGEST, Mechanism
from cipherset.pipeline.encrypt.gaussian.table import WORD_BYTES
from cipherset.pipeline.encrypt.stream import Keystream

_DRAWN_AT_A_TIME: Final = 2**14  # coordinates: their words and temporaries stay in the cache


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """The noise of a mechanism, in ciphertexts of ``scale``; ``open_at`` as for the ball."""

    mechanism: Mechanism
    scale: float
    open_at: Callable[[int], Keystream] = field(repr=False)

    def opened(self, row: int, *, max_rows: int, dim: int) -> "GridNoise":
        """What adds the noise of row ``row`` and those after it; ``max_rows`` is not needed."""
        return GridNoise(self.mechanism, self.scale, self.open_at(row), first_row=row)


class GridNoise:
    """Turns rows ``m`` into ``scale * grid * (trunc(m / grid) + z)``, block after block.

    Truncation is towards 0, so it lengthens no row; ``z`` are integers, one for each coordinate
    in order, 16 bytes of the stream each (``RoundedNormal``). Everything after the sum is the same
    function of integers whatever the row was, rounding to float32 included.
    """

    __slots__ = ("_mechanism", "_next_row", "_stream", "_unit")

    def __init__(
        self, mechanism: Mechanism, scale: float, stream: Keystream, *, first_row: int
    ) -> None:
        self._mechanism = mechanism
        self._unit = np.float32(scale * mechanism.grid)
        self._stream = stream
        self._next_row = first_row

    def add_to(self, out: Float32s) -> None:
        """Replace rows by their noisy multiples of the grid, in place.

        Raises:
            InputError: a row is longer than 1.0001, for which no guarantee was made (code
                ``norm``): to clip it would be to train on other rows than were given.
        """
        step = max(_DRAWN_AT_A_TIME // out.shape[1], 1)
        for start in range(0, len(out), step):
            part = out[start : start + step]
            steps = self._on_grid(part)
            raw = np.empty((len(part), row_bytes(part.shape[1])), dtype=np.uint8)
            self._stream.read_into(raw.reshape(-1))
            steps += self._mechanism.table.draw(raw)
            np.multiply(steps.astype(np.float32), self._unit, out=part)
            self._next_row += len(part)

    def _on_grid(self, rows: Float32s) -> npt.NDArray[np.int64]:
        most = self._mechanism.reach_squared
        bound = math.isqrt(most) + 1  # longer already, and its square is no overflow
        scaled = np.trunc(rows / np.float32(self._mechanism.grid))  # exact: a power of two
        steps: npt.NDArray[np.int64] = np.clip(scaled, -bound, bound).astype(np.int64)
        too_long = np.einsum("ij,ij->i", steps, steps) > most
        if too_long.any():
            raise InputError(
                f"row {self._next_row + int(np.argmax(too_long))} is longer than {LONGEST:g}: "
                "Gaussian noise keeps its epsilon for rows of norm at most 1",
                code="norm",
                hint="divide each row by its norm",
            )
        return steps


def row_bytes(dim: int) -> int:
    """The bytes of the stream that one row takes: a multiple of 16."""
    return WORD_BYTES * dim
