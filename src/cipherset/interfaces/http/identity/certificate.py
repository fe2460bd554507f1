"""From the client certificate of a connection to the identity that it proves.

The TLS layer has verified it against the authority of the clients. What is read here is whom it
names: its one URI (RFC 9525 for the form, the SPIFFE X.509-SVID for one and no more), or else, for
an authority that writes no URIs, its common name as the name of a principal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cipherset.app.access.binding import certificate_thumbprint
from cipherset.app.access.credentials import NAMED
from cipherset.interfaces.http.identity.tls import EXTENSION

_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]{1,500}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_KEPT: Final = 1024  # parsed certificates, which are public


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection; ``identity`` is None where its certificate names nobody."""

    identity: str | None
    thumbprint: str
    begins: datetime
    ends: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it is valid now too: a connection may live longer than its certificate."""
        return self.begins <= now < self.ends


def peer_of(scope: Mapping[str, Any]) -> Peer | None:
    """The certificate of the connection that a request came by; None where it brought none."""
    chain = scope.get("extensions", {}).get(EXTENSION, {}).get("client_cert_chain", ())
    return _read(chain[0]) if chain else None


@lru_cache(maxsize=_KEPT)
def _read(pem: str) -> Peer | None:
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        identity = _identity(found)
    except (ValueError, x509.DuplicateExtension):
        return None
    return Peer(
        identity,
        certificate_thumbprint(found.public_bytes(Encoding.DER)),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
    )


def _identity(found: x509.Certificate) -> str | None:
    uris = _uris(found)
    if uris:
        is_one = len(uris) == 1 and _URI.fullmatch(uris[0]) is not None
        return uris[0] if is_one else None
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = names[0].value if len(names) == 1 else None
    is_name = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return f"{NAMED}{name!s}" if is_name else None


def _uris(found: x509.Certificate) -> list[str]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)
