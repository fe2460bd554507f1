"""Rows to rows, block by block and thread by thread: a linear map and noise.

Rows are cut into blocks that stay in the processor's cache with their temporaries, and blocks
into runs, which threads take in turn. A run opens the noise at its own first row. Where rows are
cut depends on the width alone, so the result is the same with any number of threads.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt.check import check_finite
from cipherset.pipeline.encrypt.gaussian.noise import GaussianNoise, GridNoise
from cipherset.pipeline.encrypt.noise import BallNoise
from cipherset.pipeline.encrypt.stream import Keystream

BLOCK_COORDINATES: Final = 2**17
# A product of more rows at once prepares the matrix less often; more than this gains nothing.
MATRIX_BLOCKS: Final = 8
RUN_BLOCKS: Final = 32
_MIN_BLOCK_ROWS: Final = 16


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise in a ball; ``open_at`` gives the keystream from a row on, in row order."""

    radius: float
    open_at: Callable[[int], Keystream] = field(repr=False)

    def opened(self, row: int, *, max_rows: int, dim: int) -> BallNoise | None:
        """What adds the noise of row ``row`` and those after it, up to ``max_rows`` at a time."""
        if self.radius == 0.0:
            return None
        return BallNoise(self.open_at(row), max_rows=max_rows, dim=dim, radius=self.radius)


@dataclass(frozen=True, slots=True)
class RowMap:
    """``x @ matrix``, or ``x * factor`` where there is no matrix, plus noise where there is."""

    factor: float
    matrix: Float32s | None = field(default=None, repr=False)
    noise: Noise | GaussianNoise | None = None

    def apply(self, rows: npt.NDArray[Any], *, threads: int = 1) -> Float32s:
        """The map of floats of shape (n, dim), in float32.

        Raises:
            InputError: names the first row that is not finite (code ``not_finite``), or for
                Gaussian noise one that is too long (code ``norm``).
        """
        out = np.empty(rows.shape, dtype=np.float32)
        run_rows = RUN_BLOCKS * block_rows(rows.shape[1])
        cuts = [*range(0, len(rows), run_rows), len(rows)]
        runs = [slice(*ends) for ends in pairwise(cuts)]
        if threads == 1 or len(runs) <= 1:
            for run in runs:
                self._fill(rows, out, run)
            return out
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda run: self._fill(rows, out, run), runs):
                pass
        return out

    def _fill(self, rows: npt.NDArray[Any], out: Float32s, run: slice) -> None:
        dim = rows.shape[1]
        step = min(block_rows(dim), run.stop - run.start)
        noise = None
        if self.noise is not None:
            noise = self.noise.opened(run.start, max_rows=step, dim=dim)
        # What is not finite is refused below, by row; numpy need not warn as well.
        with np.errstate(all="ignore"):
            reach = step if self.matrix is None else step * MATRIX_BLOCKS
            for start in range(run.start, run.stop, reach):
                block = slice(start, min(start + reach, run.stop))
                plain, target = np.require(rows[block], np.float32, ["C", "A"]), out[block]
                factor = self.factor
                if self.matrix is not None:
                    np.matmul(plain, self.matrix, out=target)
                    plain, factor = target, 1.0
                for first in range(0, len(target), step):
                    part = slice(first, first + step)
                    _finish(plain[part], factor, target[part], noise, start + first)


def _finish(
    x: Float32s,
    factor: float,
    out: Float32s,
    noise: BallNoise | GridNoise | None,
    first_row: int,
) -> None:
    """``out = factor * x`` and noise, refused where it is not finite."""
    if isinstance(noise, BallNoise):
        if not noise.fill(x, factor, out):
            check_finite(out, first_row)
        return
    np.multiply(x, np.float32(factor), out=out)
    check_finite(out, first_row)
    if noise is not None:
        noise.add_to(out)


def block_rows(dim: int) -> int:
    """Rows of a block."""
    return max(BLOCK_COORDINATES // dim, _MIN_BLOCK_ROWS)
