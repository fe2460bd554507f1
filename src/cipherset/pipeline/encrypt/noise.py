"""The noise of a row: drawn from a fresh stream, or in the reversible form from key and nonce.

A sampler reads a fixed number of bytes per row, so that a row's noise depends on its place in the
stream alone and not on how rows were cut into blocks.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import native
from cipherset.pipeline.encrypt.stream import AES_BLOCK_BYTES, Keystream

_RADIUS_BYTES: Final = 8
# float32(2**32 - 1) is 2**32: this factor takes it to the largest float32 below 1, so that no
# uniform is 1, no Box–Muller radius 0 and no direction undefined.
_BELOW_ONE: Final = np.float32((1.0 - 2.0**-24) * 2.0**-32)
_HALF_STEP: Final = np.float32(2.0**-33)
_ANGLE: Final = np.float32(np.pi * 2.0**-31)


class BallNoise:
    """Rows uniform in the ``dim``-ball: ``radius * u ** (1 / dim) * z / norm(z)``.

    A row reads, rounded up to whole AES blocks: 8 bytes for ``u = (w + 0.5) / 2**64``, then
    ``p = (dim + 1) // 2`` 32-bit words ``a`` and ``p`` words ``b``, all little-endian, where

        z[j], z[p + j] = r * cos(t), r * sin(t)
        r = sqrt(-2 * log((a[j] + 0.5) / 2**32)),  t = pi * int32(b[j]) / 2**31

    and for odd ``dim`` the last sine is dropped. Done in float32: uniforms near 0, which make
    the tail, keep their 24 significant bits, and what 32 bits cannot reach (beyond 6.76
    standard deviations) has probability 2**-33 per pair; near 1 they step by 2**-24, which moves
    only coordinates that are already within 0.0004 of 0. ``u`` is float64.

    Since ``cos**2 + sin**2`` is 1, ``norm(z)**2`` is the sum of ``r**2`` (of ``(r * cos(t))**2``
    where the sine is dropped), and the length goes into ``r`` before the root is taken.

    Its buffers are made once, for ``max_rows`` rows, and used for each block: it belongs to one
    thread. Where ``native`` could be compiled it does the arithmetic; what is here is the same
    for any machine, and what the compiled noise is tested against.

    Source: G. Fuchsbauer, R. Ghosal, N. Hauke, A. O'Neill, Approximate
    Distance-Comparison-Preserving Symmetric Encryption, SCN 2022, section 4 (Scale-and-Perturb,
    Enc), https://eprint.iacr.org/2021/1666.
    """

    __slots__ = ("_angle", "_dim", "_factor", "_ones", "_radius", "_raw", "_stream")

    def __init__(self, stream: Keystream, *, max_rows: int, dim: int, radius: float) -> None:
        n_pairs = (dim + 1) // 2
        self._stream = stream
        self._dim = dim
        self._radius = radius
        self._raw = np.empty((max_rows, row_bytes(dim)), dtype=np.uint8)
        if native.compiled_fill is not None:
            return
        self._angle = np.empty((max_rows, n_pairs), dtype=np.float32)
        self._ones = np.ones(n_pairs, dtype=np.float32)
        self._factor = np.empty((2, max_rows, n_pairs), dtype=np.float32)

    def fill(self, x: Float32s, factor: float, out: Float32s) -> bool:
        """``out = factor * x + noise``, with the stream's next ``len(out)`` rows of noise.

        No row of the noise is longer than the radius, up to rounding (1e-5).

        Args:
            x: Rows, shape (n, dim), contiguous, at most ``max_rows``; may be ``out`` itself.
            factor: What they are multiplied with.
            out: Shape (n, dim), contiguous.

        Returns:
            Whether all of ``out`` was seen to be finite; if not, look.
        """
        raw = self._raw[: len(out)]
        self._stream.read_into(raw.reshape(-1))
        if native.compiled_fill is not None:
            return native.compiled_fill(x, factor, raw, out, self._radius)
        np.multiply(x, np.float32(factor), out=out)
        self._add_by_numpy(raw, out)
        return False

    def _add_by_numpy(self, raw: npt.NDArray[np.uint8], out: Float32s) -> None:
        rows, dim = out.shape
        n_pairs = (dim + 1) // 2
        first = _RADIUS_BYTES // 4
        spread, part = self._factor[:, :rows]
        angle = self._angle[:rows]

        np.copyto(
            angle, raw.view("<i4")[:, first + n_pairs : first + 2 * n_pairs], casting="unsafe"
        )
        angle *= _ANGLE
        np.cos(angle, out=part)
        np.copyto(spread, raw.view("<u4")[:, first : first + n_pairs], casting="unsafe")
        spread *= _BELOW_ONE
        spread += _HALF_STEP
        np.log(spread, out=spread)
        n_whole = dim // 2
        square = (spread[:, :n_whole] @ self._ones[:n_whole]).astype(np.float64)
        if n_whole < n_pairs:
            square += spread[:, -1] * part[:, -1].astype(np.float64) ** 2
        u = (raw.view("<u8")[:, 0] + 0.5) * 2.0**-64
        spread *= (self._radius**2 * u ** (2.0 / dim) / square).astype(np.float32)[:, np.newaxis]
        np.sqrt(spread, out=spread)

        part *= spread
        out[:, :n_pairs] += part
        np.sin(angle, out=angle)
        angle *= spread
        out[:, n_pairs:] += angle[:, : dim - n_pairs]


def ball(stream: Keystream, *, rows: int, dim: int, radius: float) -> Float32s:
    """The noise alone, shape (rows, dim): what ``BallNoise.fill`` adds."""
    z = np.zeros((rows, dim), dtype=np.float32)
    BallNoise(stream, max_rows=rows, dim=dim, radius=radius).fill(z, 1.0, z)
    return z


def row_bytes(dim: int) -> int:
    """The bytes of the stream that one row of the noise takes: a multiple of 16."""
    needed = _RADIUS_BYTES + 8 * ((dim + 1) // 2)
    return -(-needed // AES_BLOCK_BYTES) * AES_BLOCK_BYTES
