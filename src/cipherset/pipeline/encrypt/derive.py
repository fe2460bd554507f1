"""Everything a cipher needs, from one 32-byte secret, by HKDF-SHA256 under versioned labels.

The info of each derivation is the label, the key id, the key version and the dimension, so no
two uses of a secret share an output. Each field is preceded by its length: no two different
lists of fields encode alike.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cipherset.core.secret import Secret

KEY_CHECK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Derivation:
    """What every derived value is bound to: the key's name and version, scheme and dimension."""

    key_id: str
    key_version: int
    scheme: str
    dim: int

    def derive(self, secret: Secret, purpose: str, *, n_bytes: int) -> bytes:
        """``HKDF-SHA256(secret, no salt, info)`` with the label ``cipherset/SCHEME/PURPOSE``.

        Source: RFC 5869.
        """
        hkdf = HKDF(algorithm=SHA256(), length=n_bytes, salt=None, info=self.info(purpose))
        return hkdf.derive(secret.reveal())

    def info(self, purpose: str) -> bytes:
        """Label, key id, version (8 bytes) and dim (8 bytes), each after its 4-byte length.

        Integers are big-endian; text is UTF-8.
        """
        fields = (
            f"cipherset/{self.scheme}/{purpose}".encode(),
            self.key_id.encode(),
            self.key_version.to_bytes(8, "big"),
            self.dim.to_bytes(8, "big"),
        )
        return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def scale(secret: Secret, derivation: Derivation) -> float:
    """``1 + (w >> 9) / 2**23`` with ``w`` a 32-bit derived word: in [1, 2), exact in float32.

    It keeps ciphertexts of order 1. It protects nothing: for unit vectors anyone can read it off
    the norms of the ciphertexts.
    """
    word = int.from_bytes(derivation.derive(secret, "scale", n_bytes=4), "little")
    return 1.0 + (word >> 9) * 2.0**-23


def key_check(secret: Secret, derivation: Derivation) -> str:
    """16 derived bytes in hex: equal where secret, key id, version, scheme and dim are equal.

    Leaks: which exports were made under one key.
    """
    return derivation.derive(secret, "key-check", n_bytes=KEY_CHECK_BYTES).hex()
