"""The reversible form: per-row nonces, noise drawn from the key and the nonce, and seals.

    seal = nonce (12 random bytes) | HMAC-SHA256 (32 bytes)

Order rules: the noise of a row is known from the key and its nonce alone; the seal is made over
what is stored, last of all; on the way back every seal is checked before any row is decrypted.

The HMAC is over these fields, each after its 8-byte length: ``cipherset/SCHEME/reversible-seal``,
key id (UTF-8), key version, dim, approximation factor (IEEE double), name of the stored dtype
(``float16``, ``float32`` or ``float64``), nonce, the row's associated data (the field is missing
where there is none) and the stored numbers in little-endian bytes. Integers and the double are
8 bytes, big-endian.

Leaks: which rows were encrypted again with the same nonce: none, up to a chance of n**2 / 2**97
for n rows under one key. To whoever has the key: the rows exactly.

Source: RFC 2104 (HMAC); NIST SP 800-38D, section 8.2.2, for random 96-bit values.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError, IntegrityError, UsageError
from cipherset.core.secret import Secret
from cipherset.core.values import Floats
from cipherset.pipeline.encrypt.derive import Derivation
from cipherset.pipeline.encrypt.stream import (
    NONCE_BYTES,
    STREAM_KEY_BYTES,
    Keystream,
    NonceStreams,
)

TAG_BYTES: Final = 32
_STEPS: Final = 128
SEAL_BYTES: Final = NONCE_BYTES + TAG_BYTES
STORED_DTYPES: Final = ("float16", "float32", "float64")

StoredFloats = npt.NDArray[np.floating[Any]]
Seals = npt.NDArray[np.uint8]
OpenAt = Callable[[int, int], Keystream]


@dataclass(frozen=True, slots=True, eq=False)
class Sealer:
    """Makes and checks the seals of one cipher; ``noise_key`` is the AES-256 key of its noise."""

    noise_key: bytes = field(repr=False)
    _seal_key: bytes = field(repr=False)
    _fixed: bytes = field(repr=False)
    _nonce_key: bytes = field(repr=False)

    def nonces_of(self, rows: Floats) -> npt.NDArray[np.uint8]:
        """A nonce for each row that is the same for rows that round alike, shape (n, 12)."""
        return nonces_of(self._nonce_key, rounded(rows))

    def seal(
        self,
        stored: StoredFloats,
        nonces: npt.NDArray[np.uint8],
        associated_data: Sequence[bytes] | None,
    ) -> Seals:
        """Nonce and tag of each row, shape (n, 44)."""
        seals = np.empty((len(stored), SEAL_BYTES), dtype=np.uint8)
        seals[:, :NONCE_BYTES] = nonces
        tags = b"".join(self._tags(stored, seals, associated_data))
        seals[:, NONCE_BYTES:] = np.frombuffer(tags, dtype=np.uint8).reshape(-1, TAG_BYTES)
        return seals

    def verify(
        self, stored: StoredFloats, seals: Seals, associated_data: Sequence[bytes] | None
    ) -> None:
        """Return if every seal fits; each row is checked, whatever the others say.

        Raises:
            IntegrityError: names the first row whose seal does not fit (code ``seal``).
        """
        tags = self._tags(stored, seals, associated_data)
        fits = [
            hmac.compare_digest(tag, row[NONCE_BYTES:].tobytes())
            for tag, row in zip(tags, seals, strict=True)
        ]
        if not all(fits):
            raise IntegrityError(
                f"row {fits.index(False)} is not what was sealed under this key",
                code="seal",
                hint="use the key, version, scheme, factor and associated data it was made with; "
                "if they are right, the row or its seal was changed",
            )

    def _tags(
        self, stored: StoredFloats, seals: Seals, associated_data: Sequence[bytes] | None
    ) -> list[bytes]:
        """HMAC of each row; the fields that all rows share are hashed once."""
        name = stored.dtype.name
        shared = hmac.new(self._seal_key, self._fixed + _prefixed(name.encode()), hashlib.sha256)
        little = np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("<"))
        nonces = np.ascontiguousarray(seals[:, :NONCE_BYTES])
        tags = []
        for i, (row, nonce) in enumerate(zip(little, nonces, strict=True)):
            mac = shared.copy()
            extra = b"" if associated_data is None else _prefixed(associated_data[i])
            mac.update(_prefixed(nonce.tobytes()) + extra + _prefixed(row.tobytes()))
            tags.append(mac.digest())
        return tags


def sealer(secret: Secret, bound_to: Derivation, approximation_factor: float) -> Sealer:
    """The sealer of a key, scheme, dim and approximation factor."""
    fields = (
        f"cipherset/{bound_to.scheme}/reversible-seal".encode(),
        bound_to.key_id.encode(),
        bound_to.key_version.to_bytes(8, "big"),
        bound_to.dim.to_bytes(8, "big"),
        struct.pack(">d", approximation_factor),
    )
    return Sealer(
        bound_to.derive(secret, "reversible-noise", n_bytes=STREAM_KEY_BYTES),
        bound_to.derive(secret, "reversible-seal", n_bytes=TAG_BYTES),
        b"".join(_prefixed(value) for value in fields),
        bound_to.derive(secret, "reversible-nonce", n_bytes=TAG_BYTES),
    )


def repeatable(noise_secret: Secret, bound_to: Derivation, like: Sequence[bytes]) -> OpenAt:
    """Noise streams of a secret: what is alike gets equal noise, under one key version and shape.

    The stream of a row is that of a nonce made from ``like``, as in the reversible form; both keys
    come from ``noise_secret`` alone, so the cipher's own key does not repeat it.
    """
    key = bound_to.derive(noise_secret, "repeatable-noise", n_bytes=STREAM_KEY_BYTES)
    nonce_key = bound_to.derive(noise_secret, "repeatable-nonce", n_bytes=TAG_BYTES)
    nonces = nonces_of(nonce_key, like)
    return lambda row, width: NonceStreams(key, nonces[row:], row_bytes=width)


def nonces_of(key: bytes, like: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    """The first 12 bytes of ``HMAC-SHA256(key, value)`` of each value, shape (n, 12).

    Two different values out of n share a nonce with a chance of n**2 / 2**97, as random ones do.
    """
    digests = (hmac.digest(key, value, "sha256")[:NONCE_BYTES] for value in like)
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, NONCE_BYTES)


def rounded(rows: Floats) -> list[bytes]:
    """What rows are alike by: ``rint(row * 128)``, so that the last bits do not matter.

    An encoder's vectors of one text differ in the last bits with the batch it came in. Rows that
    round alike give away their difference, which is below 1 / 128 in each coordinate.
    """
    steps = np.rint(np.asarray(rows, dtype=np.float32) * np.float32(_STEPS)) + np.float32(0.0)
    return [row.tobytes() for row in np.ascontiguousarray(steps, dtype="<f4")]


def no_reversible_form() -> UsageError:
    """The refusal of a cipher with Gaussian noise."""
    return UsageError(
        "Gaussian noise has no reversible form: what the key can repeat keeps no epsilon",
        code="noise_reversible",
        hint="use a cipher with an approximation factor for search",
    )


def fresh_nonces(n: int) -> npt.NDArray[np.uint8]:
    """``n`` random nonces, shape (n, 12)."""
    random = np.frombuffer(os.urandom(NONCE_BYTES * n), dtype=np.uint8)
    return random.reshape(n, NONCE_BYTES)


def _prefixed(value: bytes) -> bytes:
    return len(value).to_bytes(8, "big") + value


def checked_stored_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """float16, float32 or float64, in the machine's byte order.

    Raises:
        InputError: another one (code ``dtype``).
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found.name not in STORED_DTYPES:
        raise InputError(
            f"rows are stored as {', '.join(STORED_DTYPES)}; found {found.name}",
            code="dtype",
            hint="pass dtype='float32', or 'float16' to store half of it",
        )
    return found.newbyteorder("=")


def checked_seals(seals: Seals, n_rows: int) -> Seals:
    """``seals`` as an array of shape (n_rows, 44) of bytes.

    Raises:
        InputError: it is not (code ``seals``).
    """
    try:
        found: npt.NDArray[Any] = np.asarray(seals)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.dtype != np.uint8 or found.shape != (n_rows, SEAL_BYTES):
        raise InputError(
            f"expected seals of shape ({n_rows}, {SEAL_BYTES}) and dtype uint8; "
            f"found {found.shape} and {found.dtype}",
            code="seals",
            hint="pass the seals that encrypt_reversible gave for these rows, in their order",
        )
    return found


def checked_associated_data(
    associated_data: Sequence[bytes] | None, n_rows: int
) -> Sequence[bytes] | None:
    """``associated_data`` if it is None or holds bytes for each row.

    Raises:
        InputError: it does not (code ``associated_data``).
    """
    if associated_data is None:
        return None
    is_sequence = isinstance(associated_data, Sequence) and not isinstance(
        associated_data, (str, bytes, bytearray)
    )
    if (
        not is_sequence
        or len(associated_data) != n_rows
        or not all(isinstance(value, bytes) for value in associated_data)
    ):
        raise InputError(
            f"associated_data is a sequence of {n_rows} bytes objects, one per row",
            code="associated_data",
            hint="pass row ids as bytes, such as [b'17', b'18'], or leave it out",
        )
    return associated_data
