"""The key ring, its providers, and sealing under a key."""

from cipherset.custody.keys.hashes import KeyedHashes
from cipherset.custody.keys.identity import (
    TextDigests,
    review_sealer,
    service_sealer,
    sightings_sealer,
)
from cipherset.custody.keys.jobs import GrantReceiver, JobGrants, JobKeys
from cipherset.custody.keys.lifecycle import KeyUse
from cipherset.custody.keys.providers import FileProvider, KeyProvider, open_provider
from cipherset.custody.keys.pseudonyms import Pseudonyms
from cipherset.custody.keys.ring import DEFAULT_PROVIDER, KeyRing
from cipherset.custody.keys.seal import (
    AesGcmSealer,
    DigestStream,
    KeyedDigest,
    ephemeral_sealer,
)
from cipherset.custody.keys.stored import KeyInfo, KeyStatus, VersionInfo

__all__ = [
    "DEFAULT_PROVIDER",
    "AesGcmSealer",
    "DigestStream",
    "FileProvider",
    "GrantReceiver",
    "JobGrants",
    "JobKeys",
    "KeyInfo",
    "KeyProvider",
    "KeyRing",
    "KeyStatus",
    "KeyUse",
    "KeyedDigest",
    "KeyedHashes",
    "Pseudonyms",
    "TextDigests",
    "VersionInfo",
    "ephemeral_sealer",
    "open_provider",
    "review_sealer",
    "service_sealer",
    "sightings_sealer",
]
