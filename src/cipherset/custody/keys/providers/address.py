"""What the URI of a provider may hold. It is stored beside the wrapped secret, so no secret."""

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cipherset.core.errors import InputError

FORMS: Final[Mapping[str, str]] = {
    "file": "file:PATH, file:PATH?passphrase-file=PATH or file:?keyring=SERVICE",
    "pkcs11": "pkcs11:token=NAME;object=LABEL?module-path=PATH&pin-source=file:PATH",
    "awskms": "awskms:KEY?region=REGION (and &endpoint=https://HOST)",
    "hcvault": "hcvault:MOUNT/keys/NAME?address=https://HOST:PORT&token-file=PATH"
    " (and &ca-file=PATH)",
}


def bad_uri(why: str, *, scheme: str | None = None) -> InputError:
    """The refusal; what stands in the URI may be a secret, so it is not repeated."""
    forms = FORMS.values() if scheme is None else [FORMS[scheme]]
    return InputError(
        f"the key provider's URI is not one that is known: {why}",
        code="provider_uri",
        hint=f"use {'; '.join(forms)}",
    )


def parameters(
    parts: SplitResult, *, required: frozenset[str], optional: frozenset[str] = frozenset()
) -> dict[str, str]:
    """What stands after the ``?``: each required name once, none that is not known, none empty.

    Raises:
        InputError: ``provider_uri``.
    """
    allowed = ", ".join(sorted(required | optional))
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    found = dict(pairs)
    if not found.keys() <= required | optional or len(found) < len(pairs):
        raise bad_uri(f"after the ? only {allowed} may stand, each once", scheme=parts.scheme)
    missing = sorted(name for name in required if not found.get(name))
    if missing:
        raise bad_uri(f"after the ? {', '.join(missing)} is missing", scheme=parts.scheme)
    if not all(found.values()):
        raise bad_uri(f"after the ? a value of {allowed} is empty", scheme=parts.scheme)
    return found


def service(address: str, *, scheme: str) -> str:
    """``address`` without a slash at its end, if it is https, or http on this machine.

    Raises:
        InputError: ``provider_uri``.
    """
    try:
        parts = urlsplit(address)
        host, named = parts.hostname or "", parts.username or parts.password
        _ = parts.port
    except ValueError:
        raise bad_uri("its address is none", scheme=scheme) from None
    if named or parts.query or parts.fragment or not host:
        raise bad_uri("its address is not https://HOST:PORT", scheme=scheme)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise bad_uri("its address is not https, nor on this machine", scheme=scheme)
    return address.removesuffix("/")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
