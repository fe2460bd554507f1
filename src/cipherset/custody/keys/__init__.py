"""The key ring, its providers, and sealing under a key."""

from cipherset.custody.keys.providers import FileProvider, KeyProvider, open_provider
from cipherset.custody.keys.ring import DEFAULT_PROVIDER, KeyInfo, KeyRing, KeyStatus
from cipherset.custody.keys.seal import (
    AesGcmSealer,
    DigestStream,
    KeyedDigest,
    ephemeral_sealer,
)

__all__ = [
    "DEFAULT_PROVIDER",
    "AesGcmSealer",
    "DigestStream",
    "FileProvider",
    "KeyInfo",
    "KeyProvider",
    "KeyRing",
    "KeyStatus",
    "KeyedDigest",
    "ephemeral_sealer",
    "open_provider",
]
