"""What a client sends to prove that a token is its own: a proof for each request (RFC 9449)."""

import secrets
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from cipherset.app.access.binding import public_jwk
from cipherset.core.errors import KeyAccessError
from cipherset.core.files import disk_errors, read_regular
from cipherset.interfaces.http.identity.dpop import TYPE, token_hash

_MOST_BYTES: Final = 20_000
_JTI_BYTES: Final = 16
PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


class Possession(httpx.Auth):
    """Sends a token that is bound to a key, with a fresh proof of that key."""

    def __init__(self, token: str, private: PrivateKey) -> None:
        """``private`` is the key, on P-256 or Ed25519, that the token is bound to."""
        self._token = token
        self._private = private

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with both headers."""
        url = str(request.url.copy_with(query=None, fragment=None))
        request.headers["authorization"] = f"DPoP {self._token}"
        request.headers["dpop"] = make_proof(self._private, request.method, url, self._token)
        yield request

    def __repr__(self) -> str:
        return "Possession(...)"


def make_proof(private: PrivateKey, method: str, url: str, token: str) -> str:
    """A proof for one request to ``url``, which is without a query; good once, for a minute.

    Source: RFC 9449, section 4.2.
    """
    alg = "Ed25519" if isinstance(private, Ed25519PrivateKey) else "ES256"
    header = {"typ": TYPE, "alg": alg, "jwk": public_jwk(private.public_key())}
    claims = {
        "ath": token_hash(token),
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "jti": secrets.token_urlsafe(_JTI_BYTES),
    }
    key = OKPKey(private, private) if alg == "Ed25519" else ECKey(private, private)  # type: ignore[arg-type]
    return jwt.encode(header, claims, key, algorithms=[alg])


def private_key_in(path: Path) -> PrivateKey:
    """The private key in a PEM file, on P-256 or Ed25519.

    Raises:
        KeyAccessError: ``client_private_key``.
        BackendError: it cannot be read.
    """
    with disk_errors(path):
        raw = read_regular(path, most_bytes=_MOST_BYTES) or b""
    try:
        private = load_pem_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if isinstance(private, Ed25519PrivateKey):
        return private
    if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        return private
    raise KeyAccessError(
        f"{path} does not hold a private key on P-256 or Ed25519 without a password",
        code="client_private_key",
        hint="make one: cipherset principal key FILE",
    )
