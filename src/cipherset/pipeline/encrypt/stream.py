"""Random bytes and Gaussians from an AES-256-CTR stream: one construction, the same everywhere.

``numpy.random`` is not used in this room: its streams are not promised from one version to the
next, and its generators are not cryptographic.
"""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

STREAM_KEY_BYTES: Final = 32
AES_BLOCK_BYTES: Final = 16
NONCE_BYTES: Final = 12
COUNTER_BYTES: Final = AES_BLOCK_BYTES - NONCE_BYTES


class Keystream(Protocol):
    """Random bytes, read front to back."""

    def read_into(self, out: npt.NDArray[np.uint8]) -> None:
        """Fill ``out``, shape (n_bytes,) and contiguous, with the next ``n_bytes``."""


class Stream:
    """The AES-256-CTR keystream of one key, read front to back from ``start`` on.

    ``start`` is in bytes and a multiple of 16; at 0 the counter is 0.
    """

    __slots__ = ("_encryptor", "_zeros")

    def __init__(self, key: bytes, *, start: int = 0) -> None:
        counter = (start // AES_BLOCK_BYTES).to_bytes(AES_BLOCK_BYTES, "big")
        cipher = Cipher(algorithms.AES256(key), modes.CTR(counter))
        self._encryptor = cipher.encryptor()
        self._zeros = np.zeros(0, dtype=np.uint8)

    @classmethod
    def at_row(cls, key: bytes, row: int, row_bytes: int) -> "Stream":
        """The keystream from row ``row`` on, where each takes ``row_bytes``."""
        return cls(key, start=row * row_bytes)

    def read(self, n_bytes: int) -> npt.NDArray[np.uint8]:
        """The next ``n_bytes`` of the stream, shape (n_bytes,)."""
        keystream = np.empty(n_bytes, dtype=np.uint8)
        self.read_into(keystream)
        return keystream

    def read_into(self, out: npt.NDArray[np.uint8]) -> None:
        """Fill ``out``, shape (n_bytes,) and contiguous, with the next ``n_bytes``."""
        if self._zeros.size < out.size:
            self._zeros = np.zeros(out.size, dtype=np.uint8)
        self._encryptor.update_into(self._zeros[: out.size].data, out.data)

    def __repr__(self) -> str:
        return "Stream(...)"


class NonceStreams:
    """The first ``row_bytes`` of the keystream of each nonce, one after the other.

    A nonce's keystream is AES-256-CTR with the nonce (12 bytes) and a big-endian 32-bit counter
    from 0 as counter blocks: the AES-256-ECB encryption of ``nonce | 0``, ``nonce | 1``, … All
    rows of a read go through AES in one call.

    Source: NIST SP 800-38A, section 6.5 and appendix B.2.
    """

    __slots__ = ("_encryptor", "_next", "_nonces", "_row_blocks")

    def __init__(self, key: bytes, nonces: npt.NDArray[np.uint8], *, row_bytes: int) -> None:
        self._encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 -- CTR
        self._nonces = nonces
        self._row_blocks = row_bytes // AES_BLOCK_BYTES
        self._next = 0

    def read_into(self, out: npt.NDArray[np.uint8]) -> None:
        """Fill ``out`` with the next rows; its size is a multiple of ``row_bytes``."""
        n_rows = out.size // (self._row_blocks * AES_BLOCK_BYTES)
        nonces = self._nonces[self._next : self._next + n_rows]
        self._next += n_rows
        counters = np.empty((n_rows, self._row_blocks, AES_BLOCK_BYTES), dtype=np.uint8)
        counters[:, :, :NONCE_BYTES] = nonces[:, np.newaxis]
        counters[:, :, NONCE_BYTES:] = (
            np.arange(self._row_blocks, dtype=">u4").view(np.uint8).reshape(-1, COUNTER_BYTES)
        )
        out[:] = np.frombuffer(self._encryptor.update(counters.reshape(-1).data), dtype=np.uint8)

    def __repr__(self) -> str:
        return "NonceStreams(...)"


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
