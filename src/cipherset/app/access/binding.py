"""Which key the bearer of a token must hold: a thumbprint of it, as a token names it.

``jkt:`` and the thumbprint of a public key, to be proved with each request (RFC 9449, section 6.1);
``x5t#S256:`` and that of the certificate that the connection was made with (RFC 8705, section 3.1).
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key

from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors, read_regular

JKT: Final = "jkt"
X5T: Final = "x5t#S256"
BINDING: Final = re.compile(rf"({JKT}|{re.escape(X5T)}):[A-Za-z0-9_-]{{43}}")
_MOST_BYTES: Final = 20_000
_HEX: Final = re.compile(rb"[0-9a-f]{64}\n?")
_COORDINATE_BYTES: Final = 32
# The members that count; any other says nothing of which key it is.
_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


def base64url(raw: bytes) -> str:
    """``raw`` in base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def key_thumbprint(jwk: Mapping[str, str]) -> str:
    """base64url(SHA-256(the canonical JSON of the required members)) of a public JWK.

    Source: RFC 7638, section 3; RFC 8037, section 2.

    Raises:
        KeyError: neither EC nor OKP, or a member is missing.
    """
    needed = {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}
    return base64url(hashlib.sha256(canonical.encode(needed)).digest())


def certificate_thumbprint(der: bytes) -> str:
    """base64url(SHA-256(the certificate in DER)). Source: RFC 8705, section 3.1."""
    return base64url(hashlib.sha256(der).digest())


def public_jwk(public: EllipticCurvePublicKey | Ed25519PublicKey) -> dict[str, str]:
    """The key as a JWK: a point of P-256 or of Ed25519 (RFC 7518, section 6.2; RFC 8037)."""
    if isinstance(public, Ed25519PublicKey):
        return {"crv": "Ed25519", "kty": "OKP", "x": base64url(public.public_bytes_raw())}
    point = public.public_numbers()
    x, y = (n.to_bytes(_COORDINATE_BYTES, "big") for n in (point.x, point.y))
    return {"crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y)}


def binding_to_key(path: Path) -> str:
    """The binding to a public key in PEM, or in a ``.pub`` file of ``cipherset principal key``.

    Raises:
        InputError: ``client_key``: it is not a public key on P-256 or Ed25519.
        BackendError: it cannot be read.
    """
    raw = _read(path)
    try:
        public = (
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw.decode()))
            if _HEX.fullmatch(raw)
            else load_pem_public_key(raw)
        )
    except (ValueError, UnsupportedAlgorithm):
        raise _no_key(path) from None
    on_p256 = isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1)
    if not (isinstance(public, Ed25519PublicKey) or on_p256):
        raise _no_key(path)
    return f"{JKT}:{key_thumbprint(public_jwk(public))}"  # type: ignore[arg-type]


def binding_to_certificate(path: Path) -> str:
    """The binding to a certificate in PEM.

    Raises:
        InputError: ``client_certificate``.
        BackendError: it cannot be read.
    """
    try:
        found = x509.load_pem_x509_certificate(_read(path))
    except ValueError:
        raise InputError(
            f"{path} does not hold a certificate in PEM",
            code="client_certificate",
            hint="give the certificate that the client connects with, without its key",
        ) from None
    return f"{X5T}:{certificate_thumbprint(found.public_bytes(Encoding.DER))}"


def _read(path: Path) -> bytes:
    with disk_errors(path):
        return read_regular(path, most_bytes=_MOST_BYTES) or b""


def _no_key(path: Path) -> InputError:
    return InputError(
        f"{path} does not hold a public key on P-256 or Ed25519",
        code="client_key",
        hint="give the .pub file of: cipherset principal key FILE, or what this writes: "
        "openssl pkey -in KEY.pem -pubout",
    )
