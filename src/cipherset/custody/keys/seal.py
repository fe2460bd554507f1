"""Sealing of owner-side state, and keyed digests, under keys derived from a key of the ring.

The file's one idea: no key is used twice for encryption. Each message has its own AES key,

    message key = HKDF-SHA256(sealing key, salt = 32 random bytes, info = label and context)

so the nonce can be constant (zero): AES-GCM needs that no (key, nonce) pair comes twice, and with
256 random bits of salt no key comes twice. Random 96-bit nonces under one key would run out at
2**32 messages (NIST SP 800-38D, section 8.3).
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final, Self, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.files import disk_errors
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret

SEAL_LABEL: Final = "cipherset/seal/1"
MESSAGE_LABEL: Final = "cipherset/seal/1/message"
DIGEST_LABEL: Final = "cipherset/digest/1"
SALT_BYTES: Final = 32
TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = SALT_BYTES + TAG_BYTES

_ZERO_NONCE: Final = bytes(12)
_MOST_BYTES: Final = 2**31 - 1  # the AES-GCM of OpenSSL takes no more in one call
_READ_BYTES: Final = 1 << 20


@final
class AesGcmSealer:
    """AES-256-GCM under one derived key per message; a ``core.protocols.Sealer``.

    A sealed message is 32 bytes of salt, the ciphertext, and the 16-byte tag. The context goes
    into the message's key and is associated data too: what was sealed for one place does not open
    in another.
    """

    __slots__ = ("_key",)

    def __init__(self, key: Secret) -> None:
        """Seal under ``key``, which is derived for this use and used for nothing else."""
        self._key = key

    @classmethod
    def from_key(cls, handle: KeyHandle) -> Self:
        """The sealer of one version of a key: same key and version, same sealer, ever after."""
        return cls(_derived(handle, SEAL_LABEL))

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """``plaintext`` sealed for ``context``, 48 bytes longer; never the same bytes twice.

        Raises:
            InputError: ``seal_too_large``: 2 GiB or more in one message.
        """
        if len(plaintext) > _MOST_BYTES - TAG_BYTES:
            raise InputError(
                f"{len(plaintext)} bytes are too many for one sealed message",
                code="seal_too_large",
                hint="write them in parts, to a spool",
            )
        salt = os.urandom(SALT_BYTES)
        sealed = self._cipher(salt, context).encrypt(_ZERO_NONCE, plaintext, context.encode())
        return salt + sealed

    def unseal(self, sealed: bytes, *, context: str) -> bytes:
        """The plaintext.

        Raises:
            IntegrityError: ``unseal``: another key, another context, or one bit differs.
        """
        try:
            return self._cipher(sealed[:SALT_BYTES], context).decrypt(
                _ZERO_NONCE, memoryview(sealed)[SALT_BYTES:], context.encode()
            )
        except (InvalidTag, ValueError):
            raise IntegrityError(
                f"the sealed part {context} does not open: another key, or it was changed",
                code="unseal",
                hint="use the workspace and the key that it was sealed with",
            ) from None

    def _cipher(self, salt: bytes, context: str) -> AESGCM:
        info = canonical.encode({"context": context, "label": MESSAGE_LABEL})
        return AESGCM(_hkdf(self._key, salt=salt, info=info))

    def __repr__(self) -> str:
        return "AesGcmSealer(...)"


def ephemeral_sealer() -> AesGcmSealer:
    """A sealer for scratch: its key is random, in memory only, and dies with the process."""
    return AesGcmSealer(Secret(os.urandom(SECRET_BYTES)))


@final
class DigestStream:
    """A keyed digest in the making, for what does not fit in memory."""

    __slots__ = ("_hmac",)

    def __init__(self, key: bytes) -> None:
        self._hmac = hmac.new(key, digestmod=hashlib.sha256)

    def update(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._hmac.update(data)

    def digest(self) -> str:
        """``hmac-sha256:`` and the hex digest of all bytes so far."""
        return "hmac-sha256:" + self._hmac.hexdigest()

    def __repr__(self) -> str:
        return "DigestStream(...)"


@final
class KeyedDigest:
    """Digests of plain rows and sources that say nothing to whoever lacks the key.

    An unkeyed hash of a short row confirms every right guess. Digests under one key version and
    one context are equal when the data is: that much they are for.
    """

    __slots__ = ("_key",)

    def __init__(self, handle: KeyHandle) -> None:
        """Digest under a key of its own, derived from one version of a key."""
        self._key = _derived(handle, DIGEST_LABEL)

    def digest(self, data: bytes, context: str) -> str:
        """``hmac-sha256:`` and the hex HMAC-SHA256 of ``data`` under the context's key."""
        stream = self.stream(context)
        stream.update(data)
        return stream.digest()

    def digest_file(self, path: Path, context: str) -> str:
        """The same of the file's bytes, read in parts of 1 MiB.

        Raises:
            BackendError: the file cannot be read.
        """
        stream = self.stream(context)
        with disk_errors(path), path.open("rb") as file:
            while part := file.read(_READ_BYTES):
                stream.update(part)
        return stream.digest()

    def stream(self, context: str) -> DigestStream:
        """A digest that is fed in parts."""
        info = canonical.encode({"context": context, "label": DIGEST_LABEL})
        return DigestStream(_hkdf(self._key, salt=None, info=info))

    def __repr__(self) -> str:
        return "KeyedDigest(...)"


def _derived(handle: KeyHandle, label: str) -> Secret:
    info = canonical.encode({"key_id": handle.key_id, "label": label, "version": handle.version})
    return Secret(_hkdf(handle.secret, salt=None, info=info))


def _hkdf(secret: Secret, *, salt: bytes | None, info: bytes) -> bytes:
    """32 bytes of HKDF-SHA256. Source: RFC 5869."""
    return HKDF(SHA256(), length=SECRET_BYTES, salt=salt, info=info).derive(secret.reveal())
