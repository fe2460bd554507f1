"""The one place that knows which scheme is which provider."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cipherset.core.errors import BackendError
from cipherset.custody.keys.providers.address import bad_uri
from cipherset.custody.keys.providers.file import open_file
from cipherset.custody.keys.providers.protocol import KeyProvider

# The libraries of an extra; that any other module is missing is a fault of ours, and is not hidden.
_LIBRARIES: Final = frozenset({"pkcs11", "boto3", "botocore", "hvac", "requests", "keyring"})
# By scheme, where the extra is called otherwise.
_EXTRAS: Final[Mapping[str, str]] = {"file": "keyring"}


def open_provider(uri: str, *, home: Path) -> KeyProvider:
    """The provider that ``uri`` names; nothing is read, made or asked before it is used.

    Args:
        uri: ``file:…``, ``pkcs11:…``, ``awskms:…`` or ``hcvault:…``; see ``address.FORMS``.
        home: What relative paths are relative to: the workspace.

    Raises:
        InputError: ``provider_uri``: an unknown scheme or parameter, or one is missing.
        BackendError: ``provider_missing_extra``: the scheme's library is not installed.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise bad_uri("it is no URI") from None
    opener = _OPENERS.get(parts.scheme)
    if opener is None:
        raise bad_uri("its scheme is none of these")
    if parts.netloc or parts.fragment or not (parts.path or _in_keyring(parts)):
        raise bad_uri("it has a host or a fragment, or no path", scheme=parts.scheme)
    try:
        return opener(uri, parts, home)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        raise BackendError(
            f"keys at {parts.scheme}: need a library that is not installed",
            code="provider_missing_extra",
            hint=f"pip install 'cipherset[{_EXTRAS.get(parts.scheme, parts.scheme)}]'",
        ) from None


def _in_keyring(parts: SplitResult) -> bool:
    return parts.scheme == "file" and parts.query.startswith("keyring=")


def _open_file(uri: str, parts: SplitResult, home: Path) -> KeyProvider:
    if not _in_keyring(parts):
        return open_file(uri, parts, home)
    from cipherset.custody.keys.providers.oskeyring import open_keyring

    return open_keyring(uri, parts, home)


def _open_pkcs11(uri: str, parts: SplitResult, home: Path) -> KeyProvider:
    from cipherset.custody.keys.providers.pkcs11 import open_pkcs11

    return open_pkcs11(uri, parts, home)


def _open_awskms(uri: str, parts: SplitResult, home: Path) -> KeyProvider:
    from cipherset.custody.keys.providers.awskms import open_awskms

    return open_awskms(uri, parts)


def _open_hcvault(uri: str, parts: SplitResult, home: Path) -> KeyProvider:
    from cipherset.custody.keys.providers.hcvault import open_hcvault

    return open_hcvault(uri, parts, home)


_OPENERS: Final[Mapping[str, Callable[[str, SplitResult, Path], KeyProvider]]] = {
    "file": _open_file,
    "pkcs11": _open_pkcs11,
    "awskms": _open_awskms,
    "hcvault": _open_hcvault,
}
