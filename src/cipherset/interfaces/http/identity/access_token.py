"""Access tokens of an issuer (RFC 9068): what one must say for its bearer to be somebody.

One that is not bound to a key of the client's (``cnf``) is refused: whoever copies it could be
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from cipherset.interfaces.http.identity.issuer import IssuerKeys
from cipherset.interfaces.http.identity.signed import moment, read_header, verified
from cipherset.interfaces.http.settings import Oidc

_MOST_CLAIM: Final = 200
_PLAIN: Final = "!$&'()*+,;=:@/?-._~"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is, and the thumbprints of what its bearer must hold: one at least."""

    identity: str
    jkt: str | None
    x5t: str | None


class AccessTokens:
    """Takes the tokens of one issuer."""

    def __init__(self, oidc: Oidc, keys: IssuerKeys) -> None:
        self._oidc = oidc
        self._keys = keys

    def holder(self, text: str, *, now: float) -> Holder | None:
        """Whose token it is; None where it does not hold.

        Raises:
            BackendError: ``issuer_unreachable``.
        """
        header = read_header(text)
        types = {each.lower() for each in self._oidc.types}
        if header is None or header.typ not in types or header.alg not in self._oidc.algorithms:
            return None
        key = self._keys.key(header.kid, header.alg)
        claims = None if key is None else verified(text, key, (header.alg,))
        if claims is None or not self._is_for_us(claims, now):
            return None
        return self._named(claims)

    def _is_for_us(self, claims: Mapping[str, Any], now: float) -> bool:
        told = dict(claims)
        ends, made = moment(told, "exp"), moment(told, "iat")
        begins = moment(told, "nbf") if "nbf" in told else made
        audience = told.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        leeway = self._oidc.leeway_s
        return (
            told.get("iss") == self._oidc.issuer
            and self._oidc.audience in audiences
            and ends is not None
            and now < ends + leeway
            and made is not None
            and made <= now + leeway
            and begins is not None
            and begins <= now + leeway
        )

    def _named(self, claims: Mapping[str, Any]) -> Holder | None:
        value, bound = claims.get(self._oidc.claim), claims.get("cnf")
        if not isinstance(value, str) or not 0 < len(value) <= _MOST_CLAIM:
            return None
        if not isinstance(bound, dict):
            return None
        jkt, x5t = bound.get("jkt"), bound.get("x5t#S256")
        told = [each for each in (jkt, x5t) if each is not None]
        if not told or not all(isinstance(each, str) and each for each in told):
            return None
        return Holder(identity_of(self._oidc.issuer, value), jkt, x5t)


def identity_of(issuer: str, value: str) -> str:
    """``ISSUER#VALUE``, the value with all but plain characters in percents (RFC 3986)."""
    return f"{issuer}#{quote(value, safe=_PLAIN)}"
