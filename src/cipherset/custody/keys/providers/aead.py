"""AES-256-GCM under a key-encryption key that is in this process's memory.

A wrapped secret is a random 96-bit nonce, the ciphertext and the 16-byte tag; a ring wraps far
fewer than 2**32 of them under one key.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cipherset.core.secret import Secret

_NONCE_BYTES: Final = 12


def wrap_under(kek: Secret, plaintext: Secret, associated_data: bytes) -> bytes:
    """``plaintext`` wrapped, bound to ``associated_data``."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(kek.reveal()).encrypt(nonce, plaintext.reveal(), associated_data)


def unwrap_under(kek: Secret, wrapped: bytes, associated_data: bytes) -> Secret | None:
    """The secret; None where key, associated data or one bit differs."""
    nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    try:
        return Secret(AESGCM(kek.reveal()).decrypt(nonce, sealed, associated_data))
    except (InvalidTag, ValueError):
        return None
