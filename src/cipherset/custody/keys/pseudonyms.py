"""Keyed stand-ins for values: tokens, the choice of a surrogate, and values that open again.

    token, surrogate   HMAC-SHA256 under a derived key each, over entity and value
    sealed             AES-SIV under a derived 64-byte key, with entity, key id and version bound

An unkeyed hash of a phone number is undone by hashing all phone numbers; these are not, without
the key. All three are deterministic, so that equal values stay equal in the rows and over files:
that, and how often each is there, is what they leak. AES-SIV needs no nonce and is made for this;
a value's length is hidden up to 16 bytes.
"""

import hmac
from typing import Final, Self, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret

TOKEN_LABEL: Final = "cipherset/token/1"  # noqa: S105 -- a label, not a secret
SURROGATE_LABEL: Final = "cipherset/surrogate/1"
SEALED_LABEL: Final = "cipherset/sealed-token/1"
_SIV_KEY_BYTES: Final = 64  # two AES-256 keys
_BLOCK: Final = 16
_END: Final = b"\x80"


@final
class Pseudonyms:
    """The stand-ins of one version of a key; a ``core.protocols.Pseudonymizer``."""

    __slots__ = ("_bound", "_key_id", "_siv", "_surrogate", "_token", "_version")

    def __init__(self, handle: KeyHandle) -> None:
        """Derive one key for each kind of stand-in."""
        self._take(handle.key_id, handle.version, subkeys(handle))

    @classmethod
    def of_subkeys(cls, key_id: str, version: int, keys: bytes) -> Self:
        """The same stand-ins for whoever holds no more than ``subkeys`` of that version."""
        made = cls.__new__(cls)
        made._take(key_id, version, keys)  # noqa: SLF001 -- this class's own
        return made

    def _take(self, key_id: str, version: int, keys: bytes) -> None:
        self._key_id, self._version = key_id, version
        self._token = Secret(keys[:SECRET_BYTES])
        self._surrogate = Secret(keys[SECRET_BYTES : 2 * SECRET_BYTES])
        self._siv = AESSIV(keys[2 * SECRET_BYTES :])
        self._bound = [key_id.encode(), version.to_bytes(8, "big")]

    @property
    def version(self) -> int:
        """Of the key."""
        return self._version

    def token(self, entity: str, value: str) -> bytes:
        """``HMAC-SHA256(token key, entity, 0, value)``; 32 bytes. Source: RFC 2104."""
        return hmac.digest(self._token.reveal(), _message(entity, value), "sha256")

    def surrogate(self, entity: str, value: str) -> bytes:
        """The same under the key of surrogates; 32 bytes."""
        return hmac.digest(self._surrogate.reveal(), _message(entity, value), "sha256")

    def seal(self, entity: str, value: str) -> bytes:
        """``AES-SIV(value, padded to 16 bytes)``, 16 bytes longer; the same for the same value.

        Source: RFC 5297, section 6; padding: ISO/IEC 7816-4.
        """
        padded = _bytes(value) + _END
        padded += bytes(-len(padded) % _BLOCK)
        return self._siv.encrypt(padded, [entity.encode(), *self._bound])

    def unseal(self, entity: str, sealed: bytes) -> str:
        """The value.

        Raises:
            IntegrityError: ``token_unseal``: another key or version, entity, or one bit differs.
        """
        try:
            padded = self._siv.decrypt(sealed, [entity.encode(), *self._bound])
        except (InvalidTag, ValueError):
            raise IntegrityError(
                f"a sealed token of kind {entity} does not open under key {self._key_id} "
                f"v{self._version}: another key, or it was changed",
                code="token_unseal",
                hint="give the key that it was sealed under: --key NAME",
            ) from None
        return padded.rstrip(b"\0")[: -len(_END)].decode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return "Pseudonyms(...)"


def subkeys(handle: KeyHandle) -> bytes:
    """The keys of tokens, surrogates and sealed values, 128 bytes; the secret is not in them."""
    return (
        _derived(handle, TOKEN_LABEL, SECRET_BYTES)
        + _derived(handle, SURROGATE_LABEL, SECRET_BYTES)
        + _derived(handle, SEALED_LABEL, _SIV_KEY_BYTES)
    )


def _message(entity: str, value: str) -> bytes:
    """Entities hold no zero byte, so no two pairs have one message."""
    return entity.encode() + b"\0" + _bytes(value)


def _bytes(value: str) -> bytes:
    """UTF-8; half a surrogate pair, which a command line can hold, is a value too."""
    return value.encode("utf-8", "surrogatepass")


def _derived(handle: KeyHandle, label: str, length: int) -> bytes:
    """HKDF-SHA256 under a label, bound to key id and version. Source: RFC 5869."""
    info = canonical.encode({"key_id": handle.key_id, "label": label, "version": handle.version})
    return HKDF(SHA256(), length=length, salt=None, info=info).derive(handle.secret.reveal())
