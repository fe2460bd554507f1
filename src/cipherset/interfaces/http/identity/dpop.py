"""Proof that a client holds the key of its token, made anew for each request (RFC 9449).

Checked as section 4.3 says, with a window for ``iat`` and no nonce. Keys are on P-256 or Ed25519,
which every client can make; an RSA key of a stranger's size would be work for free.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from cipherset.app.access.binding import base64url, key_thumbprint, public_jwk
from cipherset.interfaces.http.identity.signed import moment, read_header, verified

TYPE: Final = "dpop+jwt"
_EARLY_S: Final = 5.0  # how far a client's clock may be ahead
_MOST_JTI: Final = 128
_KINDS: Final = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "Ed25519"}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PRIVATE: Final = "d"


@dataclass(frozen=True, slots=True)
class Target:
    """What a proof must be for: the method, the origins that are us, the path as it was sent."""

    method: str
    origins: frozenset[str]
    path: str


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that holds: the thumbprint of its key, its name, and when it was made."""

    thumbprint: str
    name: str
    made: float


def check_proof(
    text: str, target: Target, token: str, *, now: float, window_s: float
) -> Proven | None:
    """What the proof proves for this request and token; None where it does not hold.

    Whether it was used before is not looked at: see ``replay``.
    """
    header = read_header(text)
    if header is None or header.typ != TYPE or header.jwk is None:
        return None
    key = _public_key(header.jwk, header.alg)
    claims = None if key is None else verified(text, key, (header.alg,))
    if claims is None:
        return None
    made, name = moment(claims, "iat"), claims.get("jti")
    if made is None or not now - window_s <= made <= now + _EARLY_S:
        return None
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_JTI:
        return None
    if not (_is_for(claims, target) and _is_with(claims, token)):
        return None
    return Proven(key_thumbprint(header.jwk), name, made)


def token_hash(token: str) -> str:
    """base64url(SHA-256(the token)). Source: RFC 9449, section 4.2 (``ath``)."""
    return base64url(hashlib.sha256(token.encode()).digest())


def origin(url: str) -> str:
    """``scheme://host:port`` in one form, with the port always there; empty where it is no URL.

    Source: RFC 6454, section 4; RFC 3986, section 6.2.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return ""
    if not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _public_key(jwk: Mapping[str, Any], alg: str) -> ECKey | OKPKey | None:
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if not (isinstance(kty, str) and isinstance(crv, str)) or _KINDS.get((kty, crv)) != alg:
        return None
    members = {name: jwk.get(name) for name in ("kty", "crv", "x", "y") if name in jwk}
    if _PRIVATE in jwk or not all(isinstance(value, str) for value in members.values()):
        return None
    kind: type[ECKey] | type[OKPKey] = ECKey if kty == "EC" else OKPKey
    try:
        key = kind.import_key(members)  # type: ignore[arg-type]
        key.public_key  # noqa: B018 -- an impossible point shows here
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    # One key has one form: another writing of its point would be another thumbprint.
    return key if public_jwk(key.public_key) == members else None  # type: ignore[arg-type]


def _is_for(claims: Mapping[str, Any], target: Target) -> bool:
    method, url = claims.get("htm"), claims.get("htu")
    if method != target.method or not isinstance(url, str) or len(url) > 4096:
        return False
    try:
        path = urlsplit(url).path or "/"
    except ValueError:
        return False
    return origin(url) in target.origins and path == target.path


def _is_with(claims: Mapping[str, Any], token: str) -> bool:
    shown = claims.get("ath")
    return isinstance(shown, str) and hmac.compare_digest(
        shown.encode(errors="replace"), token_hash(token).encode()
    )
