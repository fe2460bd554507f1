"""The keys of an issuer of tokens: found by discovery, kept for a while, fetched anew on rotation.

Sources: OpenID Connect Discovery 1.0, sections 4.2 and 4.3; RFC 7517. Whatever a token says, only
the configured issuer is asked, and no oftener than the limits below: a stranger's key ids make no
flood.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from cipherset.core.errors import BackendError, InputError
from cipherset.interfaces.http.identity.signed import PublicKey
from cipherset.interfaces.http.settings import Oidc

DISCOVERY: Final = "/.well-known/openid-configuration"
FRESH_S: Final = 300.0  # a key that the issuer took away is taken no longer than that
STALE_S: Final = 3600.0  # ... unless it cannot be asked; then this long
AGAIN_S: Final = 10.0  # between two tries, for a key id that is not known, or after a failure
_TIMEOUT_S: Final = 5.0
_MOST_BYTES: Final = 2**18
_MOST_KEYS: Final = 64
_RSA_BITS: Final = range(2048, 8193)
_FAMILIES: Final[dict[str, type[PublicKey]]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
_FIT: Final = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "Ed25519": ("OKP", "Ed25519"),
}


@dataclass(frozen=True, slots=True)
class _Kept:
    kid: str | None
    alg: str | None
    key: PublicKey

    def fits(self, alg: str) -> bool:
        kty, crv = _FIT[alg]
        written = self.key.as_dict(private=False)
        return self.alg in {None, alg} and written["kty"] == kty and written.get("crv") == crv


class IssuerKeys:
    """The public keys of one issuer; for any number of threads, one of which fetches."""

    def __init__(self, oidc: Oidc, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is fetched before it is needed.

        Raises:
            InputError: ``issuer_url``: not https, and not this machine; ``issuer_ca``.
        """
        _check_url(oidc.issuer)
        self._issuer = oidc.issuer
        self._trusted = _trusted(oidc.ca)
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: tuple[_Kept, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None

    def key(self, kid: str | None, alg: str) -> PublicKey | None:
        """The key to verify a token with; None where the issuer has none such.

        Raises:
            BackendError: ``issuer_unreachable``: nothing is known of its keys, or not lately.
        """
        with self._lock:
            if not self._is_within(self._fetched, FRESH_S):
                self._fetch_if_due()
            found = self._find(kid, alg)
            if found is None and self._fetch_if_due():
                found = self._find(kid, alg)
            if not self._is_within(self._fetched, STALE_S):
                raise _unreachable(self._issuer)
            return found

    def _find(self, kid: str | None, alg: str) -> PublicKey | None:
        fit = [each for each in self._keys if each.fits(alg)]
        if kid is not None:
            fit = [each for each in fit if each.kid == kid]
        return fit[0].key if len(fit) == 1 else None

    def _is_within(self, then: float | None, span_s: float) -> bool:
        return then is not None and self._clock() - then < span_s

    def _fetch_if_due(self) -> bool:
        """Whether they were fetched just now."""
        if self._is_within(self._tried, AGAIN_S):
            return False
        self._tried = self._clock()
        found = self._fetch()
        if found is None:
            return False
        self._keys, self._fetched = found, self._clock()
        return True

    def _fetch(self) -> tuple[_Kept, ...] | None:
        with httpx.Client(
            verify=self._trusted, timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False
        ) as client:
            told = _get(client, self._issuer.rstrip("/") + DISCOVERY)
            if told is None or told.get("issuer") != self._issuer:
                return None
            where = told.get("jwks_uri")
            if not isinstance(where, str) or not _is_safe(where):
                return None
            return _keys(_get(client, where))


def _get(client: httpx.Client, url: str) -> dict[str, Any] | None:
    """The JSON object at ``url``; None where there is none, or one that is too large."""
    try:
        with client.stream("GET", url, headers={"accept": "application/json"}) as response:
            raw = b""
            for part in response.iter_bytes():
                raw += part
                if len(raw) > _MOST_BYTES:
                    return None
            found = json.loads(raw) if response.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _keys(told: dict[str, Any] | None) -> tuple[_Kept, ...] | None:
    listed = None if told is None else told.get("keys")
    if not isinstance(listed, list):
        return None
    kept = map(_key, (each for each in listed[:_MOST_KEYS] if isinstance(each, dict)))
    return tuple(each for each in kept if each is not None)


def _key(jwk: dict[str, Any]) -> _Kept | None:
    """A public key to verify with; None for any other, such as a symmetric one."""
    family = _FAMILIES.get(str(jwk.get("kty")))
    if family is None or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    try:
        if family is RSAKey and _modulus_bits(jwk) not in _RSA_BITS:
            return None
        key = family.import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    kid, alg = jwk.get("kid"), jwk.get("alg")
    return _Kept(kid if isinstance(kid, str) else None, alg if isinstance(alg, str) else None, key)


def _modulus_bits(jwk: dict[str, Any]) -> int:
    return int.from_bytes(urlsafe_b64decode(jwk["n"].encode())).bit_length()


def _trusted(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError):
        raise InputError(
            f"the authority of the issuer cannot be read from {ca}",
            code="issuer_ca",
            hint="give its certificate in PEM: [oidc] ca in serve.toml",
        ) from None


def _check_url(url: str) -> None:
    if not _is_safe(url):
        raise InputError(
            f"the issuer {url} is not asked in the clear",
            code="issuer_url",
            hint="write its https URL: [oidc] issuer in serve.toml",
        )


def _is_safe(url: str) -> bool:
    """https, or this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "https" or (
            parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
        )
    except ValueError:
        return False


def _unreachable(issuer: str) -> BackendError:
    return BackendError(
        "who makes the tokens cannot be asked for its keys",
        code="issuer_unreachable",
        hint=f"see that {issuer} answers; this is tried again by itself",
    )
