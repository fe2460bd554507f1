"""Short keyed hashes for indexes: equal for equal input, and meaningless without the key."""

import hashlib
from collections.abc import Iterable
from typing import Final, final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cipherset.core import canonical
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret

HASH_LABEL: Final = "cipherset/hash/1"
HASH_BYTES: Final = 8


@final
class KeyedHashes:
    """64-bit hashes under a key of one purpose; a ``core.protocols.KeyedHash``.

    BLAKE2b in its keyed mode (RFC 7693, section 2.9), under an HKDF-SHA256 output bound to key id,
    version and purpose. Two inputs out of n have the same hash with a chance of n**2 / 2**65.
    """

    __slots__ = ("_key",)

    def __init__(self, handle: KeyHandle, purpose: str) -> None:
        """Under a key derived from one version of a key, for ``purpose`` alone."""
        info = canonical.encode(
            {
                "key_id": handle.key_id,
                "label": HASH_LABEL,
                "purpose": purpose,
                "version": handle.version,
            }
        )
        hkdf = HKDF(SHA256(), length=SECRET_BYTES, salt=None, info=info)
        self._key = Secret(hkdf.derive(handle.secret.reveal()))

    def of(self, inputs: Iterable[bytes]) -> npt.NDArray[np.uint64]:
        """The hashes of ``inputs`` in order, shape (n,)."""
        key, blake = self._key.reveal(), hashlib.blake2b
        raw = b"".join(blake(one, digest_size=HASH_BYTES, key=key).digest() for one in inputs)
        return np.frombuffer(raw, dtype="<u8").astype(np.uint64)

    def __repr__(self) -> str:
        return "KeyedHashes(...)"
