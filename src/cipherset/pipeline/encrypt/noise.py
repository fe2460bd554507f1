"""The noise of a row: drawn from a fresh stream, or in the reversible form from key and nonce.

A sampler is a function ``(stream, *, rows, dim, radius) -> (rows, dim) float32`` that reads a
fixed number of bytes per row, so that a row's noise depends on its place in the stream alone
and not on how rows were cut into blocks.
"""

from typing import Final

import numpy as np

from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt.stream import AES_BLOCK_BYTES, Keystream

_RADIUS_BYTES: Final = 8
# float32(2**32 - 1) is 2**32: this factor takes it to the largest float32 below 1, so that no
# uniform is 1, no Box–Muller radius 0 and no direction undefined.
_BELOW_ONE: Final = np.float32((1.0 - 2.0**-24) * 2.0**-32)
_HALF_STEP: Final = np.float32(2.0**-33)
_ANGLE: Final = np.float32(np.pi * 2.0**-31)


def ball(stream: Keystream, *, rows: int, dim: int, radius: float) -> Float32s:
    """Rows uniform in the ``dim``-ball: ``radius * u ** (1 / dim) * z / norm(z)``.

    A row reads, rounded up to whole AES blocks: 8 bytes for ``u = (w + 0.5) / 2**64``, then
    ``p = (dim + 1) // 2`` 32-bit words ``a`` and ``p`` words ``b``, all little-endian, where

        z[j], z[p + j] = r * cos(t), r * sin(t)
        r = sqrt(-2 * log((a[j] + 0.5) / 2**32)),  t = pi * int32(b[j]) / 2**31

    and for odd ``dim`` the last sine is dropped. Done in float32: uniforms near 0, which make
    the tail, keep their 24 significant bits, and what 32 bits cannot reach (beyond 6.76
    standard deviations) has probability 2**-33 per pair; near 1 they step by 2**-24, which moves
    only coordinates that are already within 0.0004 of 0. ``u`` is float64.

    Source: G. Fuchsbauer, R. Ghosal, N. Hauke, A. O'Neill, Approximate
    Distance-Comparison-Preserving Symmetric Encryption, SCN 2022, section 4 (Scale-and-Perturb,
    Enc), https://eprint.iacr.org/2021/1666.

    Returns:
        Noise of shape (rows, dim); no row is longer than ``radius``, up to rounding (1e-5).
    """
    raw = stream.read(rows * row_bytes(dim)).reshape(rows, row_bytes(dim))
    n_pairs = (dim + 1) // 2
    first = _RADIUS_BYTES // 4
    words = raw.view("<u4")
    signed = raw.view("<i4")

    spread = words[:, first : first + n_pairs].astype(np.float32)
    spread *= _BELOW_ONE
    spread += _HALF_STEP
    np.log(spread, out=spread)
    spread *= np.float32(-2.0)
    np.sqrt(spread, out=spread)
    angle = signed[:, first + n_pairs : first + 2 * n_pairs].astype(np.float32)
    angle *= _ANGLE

    z = np.empty((rows, dim), dtype=np.float32)
    np.multiply(spread, np.cos(angle), out=z[:, :n_pairs])
    n_sines = dim - n_pairs
    np.multiply(spread[:, :n_sines], np.sin(angle[:, :n_sines]), out=z[:, n_pairs:])

    u = (raw.view("<u8")[:, 0] + 0.5) * 2.0**-64
    length = np.sqrt(np.einsum("ij,ij->i", z, z), dtype=np.float64)
    z *= (radius * u ** (1.0 / dim) / length).astype(np.float32)[:, np.newaxis]
    return z


def row_bytes(dim: int) -> int:
    """The bytes of the stream that one row of ``ball`` takes: a multiple of 16."""
    needed = _RADIUS_BYTES + 8 * ((dim + 1) // 2)
    return -(-needed // AES_BLOCK_BYTES) * AES_BLOCK_BYTES
