"""Random bytes and Gaussians from an AES-256-CTR stream: one construction, the same everywhere.

``numpy.random`` is not used in this room: its streams are not promised from one version to the
next, and its generators are not cryptographic.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

STREAM_KEY_BYTES: Final = 32
AES_BLOCK_BYTES: Final = 16


class Stream:
    """The AES-256-CTR keystream of one key from counter 0 on, read front to back."""

    __slots__ = ("_encryptor", "_zeros")

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(algorithms.AES256(key), modes.CTR(bytes(AES_BLOCK_BYTES)))
        self._encryptor = cipher.encryptor()
        self._zeros = np.zeros(0, dtype=np.uint8)

    def read(self, n_bytes: int) -> npt.NDArray[np.uint8]:
        """The next ``n_bytes`` of the stream, shape (n_bytes,)."""
        if self._zeros.size < n_bytes:
            self._zeros = np.zeros(n_bytes, dtype=np.uint8)
        keystream = np.empty(n_bytes, dtype=np.uint8)
        self._encryptor.update_into(self._zeros[:n_bytes].data, keystream.data)
        return keystream

    def __repr__(self) -> str:
        return "Stream(...)"


def gaussians(stream: Stream, n: int) -> npt.NDArray[np.float64]:
    """``n`` independent standard normals in float64, shape (n,), by Box–Muller.

    Each pair takes two little-endian 64-bit words ``a``, ``b`` from the stream and gives
    ``r * cos(t)``, ``r * sin(t)`` with ``r = sqrt(-2 * log(u(a)))``, ``t = 2 * pi * u(b)`` and
    ``u(w) = ((w >> 12) + 0.5) / 2**52``, which is exact and never 0 or 1. For odd ``n`` the
    last sine is dropped.

    Source: G. E. P. Box, M. E. Muller, A Note on the Generation of Random Normal Deviates,
    Annals of Mathematical Statistics 29(2), 1958.
    """
    n_pairs = (n + 1) // 2
    words = stream.read(16 * n_pairs).view("<u8").reshape(n_pairs, 2) >> np.uint64(12)
    uniforms = (words + 0.5) * 2.0**-52
    radius = np.sqrt(-2.0 * np.log(uniforms[:, 0]))
    angle = 2.0 * np.pi * uniforms[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[:n]
