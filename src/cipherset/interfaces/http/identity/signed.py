"""Signed JSON (JWS, compact) from strangers: read with care, verified with the key that we chose.

What the header says of a key (``jku``, ``x5u``, ``x5c``, ``jwk``) is never followed here;
extensions that must be understood (``crit``, ``b64``) are refused; algorithms are those that we
name, none of which is symmetric.
"""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

MOST_BYTES: Final = 16_384
_MOST_HEADER_BYTES: Final = 4096
_REFUSED: Final = frozenset({"crit", "b64"})
PublicKey = ECKey | OKPKey | RSAKey


@dataclass(frozen=True, slots=True)
class Header:
    """The protected header, unverified."""

    alg: str
    typ: str
    kid: str | None
    jwk: dict[str, Any] | None


def read_header(text: str) -> Header | None:
    """The header of a token; None where it is not one that we read."""
    if len(text) > MOST_BYTES or text.count(".") != 2 or not text.isascii():
        return None
    found = read_json(text.partition(".")[0])
    if found is None or _REFUSED & found.keys():
        return None
    alg, typ, kid, jwk = (found.get(name) for name in ("alg", "typ", "kid", "jwk"))
    if not (isinstance(alg, str) and isinstance(typ, str) and isinstance(kid, str | None)):
        return None
    kind = typ.lower().removeprefix("application/")
    return Header(alg, kind, kid, jwk if isinstance(jwk, dict) else None)


def read_json(part: str) -> dict[str, Any] | None:
    """The JSON object in a part of a token; None where it is none, or too large or deep."""
    if len(part) > _MOST_HEADER_BYTES:
        return None
    try:
        found = json.loads(urlsafe_b64decode(part.encode()))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def verified(text: str, key: PublicKey, algorithms: Collection[str]) -> dict[str, Any] | None:
    """The claims; None where the signature is not the key's, or an algorithm none of these."""
    registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    registry.max_header_length = _MOST_HEADER_BYTES
    try:
        return jwt.decode(text, key, registry=registry).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return None


def moment(claims: dict[str, Any], name: str) -> float | None:
    """The time that a claim says, in seconds since 1970; None where it says none."""
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)
