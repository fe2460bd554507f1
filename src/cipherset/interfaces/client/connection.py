"""One connection to a gateway: who we are, what came back, and what went wrong as our errors."""

import hashlib
import secrets
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, import_key
from pydantic import TypeAdapter, ValidationError

from cipherset.core.errors import (
    BackendError,
    CiphersetError,
    InputError,
    IntegrityError,
    KeyAccessError,
    PolicyError,
    UsageError,
)
from cipherset.core.files import disk_errors

_T = TypeVar("_T")
_BY_STATUS: Final[Mapping[int, type[CiphersetError]]] = {
    **dict.fromkeys((400, 404, 405, 501), UsageError),
    **dict.fromkeys((401, 403, 421, 429), PolicyError),
    **dict.fromkeys((408, 413, 414, 422, 431), InputError),
    409: IntegrityError,
    500: CiphersetError,
    503: BackendError,
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What shows who we are; files are PEM.

    ``ca`` is whose certificates the gateway may bear, where it is no public authority.
    ``certificate`` and ``certificate_key`` are ours, for mutual TLS. ``token`` is sent with a proof
    that we hold ``key`` (DPoP), or alone where it is bound to the certificate.
    """

    ca: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    token: str | None = field(default=None, repr=False)
    key: Path | None = None


class Connection:
    """Asks a gateway; used by the groups of calls."""

    def __init__(self, url: str, credentials: Credentials, timeout_s: float) -> None:
        """Nothing is sent yet.

        Raises:
            UsageError: ``gateway_url``: no URL, or http to another machine.
            KeyAccessError: ``client_files``: the files do not fit together.
            BackendError: they cannot be read.
        """
        _check(url)
        self.credentials = credentials
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            verify=_context(credentials),
            auth=_auth(credentials),
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """The answer, if it is a good one.

        Raises:
            CiphersetError: of the class that the gateway had, with its code, message and hint.
            BackendError: ``gateway_unreachable``, ``gateway_answer``.
        """
        told = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._client.request(method, path, json=body, params=told)
        except httpx.TransportError as error:
            raise BackendError(
                f"the gateway cannot be reached: {type(error).__name__}",
                code="gateway_unreachable",
                hint="see that it runs (cipherset serve), its address, and who signs certificates",
            ) from None
        if answer.is_success:
            return answer
        raise _refusal(answer)

    def told(self, kind: TypeAdapter[_T], answer: httpx.Response) -> _T:
        """The body of ``answer`` as what it should be.

        Raises:
            BackendError: ``gateway_answer``.
        """
        try:
            return kind.validate_json(answer.content)
        except ValidationError:
            raise _no_answer() from None


def _check(url: str) -> None:
    parts = urlsplit(url)
    is_here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme == "https" or (parts.scheme == "http" and is_here):
        return
    raise UsageError(
        "the gateway's address is no URL, or would send what is asked in the clear",
        code="gateway_url",
        hint="give https://HOST:PORT; http:// only to this machine itself",
    )


def _context(credentials: Credentials) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=credentials.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if credentials.certificate is not None:
            context.load_cert_chain(credentials.certificate, credentials.certificate_key)
    except (OSError, ssl.SSLError):
        raise _bad_files("certificate, key and authority") from None
    return context


def _auth(credentials: Credentials) -> httpx.Auth | None:
    if credentials.token is None:
        return None
    if credentials.key is None:
        return _Bearer(credentials.token)
    return _Proving(credentials.token, credentials.key)


class _Bearer(httpx.Auth):
    """A token that is bound to the certificate of the connection (RFC 8705)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _Proving(httpx.Auth):
    """A token that is bound to a key, and for each request a proof that we hold it (RFC 9449)."""

    def __init__(self, token: str, key: Path) -> None:
        self._token = token
        self._key = _private_key(key)
        self._alg = "Ed25519" if isinstance(self._key, OKPKey) else "ES256"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"DPoP {self._token}"
        request.headers["DPoP"] = self._proof(request)
        yield request

    def _proof(self, request: httpx.Request) -> str:
        """Source: RFC 9449, section 4.2."""
        header = {"typ": "dpop+jwt", "alg": self._alg, "jwk": self._key.as_dict(private=False)}
        ath = urlsafe_b64encode(hashlib.sha256(self._token.encode()).digest())
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": request.method,
            "htu": str(request.url.copy_with(query=None, fragment=None)),
            "iat": int(time.time()),
            "ath": ath.rstrip(b"=").decode(),
        }
        return jwt.encode(header, claims, self._key, algorithms=[self._alg])


def _private_key(path: Path) -> OKPKey | ECKey:
    with disk_errors(path):
        pem = path.read_bytes()
    for kind in ("OKP", "EC"):
        try:
            key = import_key(pem, kind)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, OKPKey | ECKey) and key.is_private:
            return key
    raise _bad_files("key")


def _refusal(answer: httpx.Response) -> CiphersetError:
    kind = _BY_STATUS.get(answer.status_code, BackendError)
    try:
        found = answer.json()["error"]
        return kind(str(found["message"]), code=str(found["code"]), hint=str(found["hint"]))
    except (ValueError, KeyError, TypeError):
        return _no_answer()


def _no_answer() -> BackendError:
    return BackendError(
        "what came back is no answer of a gateway",
        code="gateway_answer",
        hint="see what listens at that address, and that client and gateway are of one version",
    )


def _bad_files(what: str) -> KeyAccessError:
    return KeyAccessError(
        f"the {what} of the client cannot be used",
        code="client_files",
        hint="give PEM files without a password that fit together",
    )
