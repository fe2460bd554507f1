"""A principal's own key pair, Ed25519: the private key in a file of theirs, in PEM (PKCS #8).

A file that others may read is refused: whoever reads it is that principal.
"""

import re
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Signer

from cipherset.core.errors import InputError, KeyAccessError, UsageError
from cipherset.core.files import disk_errors, read_regular, write_atomic

_MOST_BYTES: Final = 10_000
_PUBLIC: Final = re.compile(r"[0-9a-f]{64}\n?")
_OTHERS: Final = 0o077


def make_signer(path: Path) -> str:
    """The public key (hex) of a new pair; ``path`` has the private key, ``path.pub`` the public.

    Raises:
        UsageError: ``target_exists``.
        BackendError: the files cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_new(path, pem, 0o600)
    _write_new(path.with_name(path.name + ".pub"), (public + "\n").encode(), 0o644)
    return public


def signer_in(path: Path) -> Signer:
    """What signs with the private key in ``path``.

    Raises: as ``private_key_in``.
    """
    return CryptoSigner(private_key_in(path))


def private_key_in(path: Path) -> Ed25519PrivateKey:
    """The private key in ``path``.

    Raises:
        KeyAccessError: ``principal_key``: others may read it, or it is no such key.
        BackendError: it cannot be read.
    """
    with disk_errors(path):
        is_open = path.stat().st_mode & _OTHERS
    if is_open:
        raise _refused(path, "others may read it")
    try:
        private = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _refused(path, "it is not a private key in PEM") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise _refused(path, "it is not an Ed25519 key")
    return private


def public_key_in(path: Path) -> str:
    """The public key in ``path``, 64 hex digits.

    Raises:
        InputError: ``public_key``.
        BackendError: it cannot be read.
    """
    text = _read(path).decode("ascii", errors="replace")
    if not _PUBLIC.fullmatch(text):
        raise InputError(
            f"{path} does not hold an Ed25519 public key",
            code="public_key",
            hint="give the .pub file that this wrote: cipherset principal key FILE",
        )
    return text.strip()


def _read(path: Path) -> bytes:
    with disk_errors(path):
        return read_regular(path, most_bytes=_MOST_BYTES) or b""


def _write_new(path: Path, raw: bytes, mode: int) -> None:
    if path.exists():
        raise UsageError(
            f"{path} is there already",
            code="target_exists",
            hint="choose another name: a key that is lost cannot be made again",
        )
    write_atomic(path, raw, mode=mode)


def _refused(path: Path, why: str) -> KeyAccessError:
    return KeyAccessError(
        f"{path} is not to be signed with: {why}",
        code="principal_key",
        hint="make one with cipherset principal key FILE, and keep it from others: chmod 600 FILE",
    )
