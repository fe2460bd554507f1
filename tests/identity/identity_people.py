"""A workspace with principals, and a clock that a test sets."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request

from cipherset.app.access import principals
from cipherset.app.access.binding import JKT, key_thumbprint, public_jwk
from cipherset.app.access.credentials import open_credentials
from cipherset.app.access.principals import Change
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.identity.replay import USED_FILE, LastProof, ReplayStore
from cipherset.interfaces.http.identity.verified import VerifiedIdentity
from cipherset.interfaces.http.settings import Proof
from cipherset.interfaces.proof import make_proof

ROUTER = "spiffe://example.org/router"


@dataclass
class Clock:
    """Seconds since 1970, as a test sets them."""

    time: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)


@dataclass(frozen=True)
class Client:
    """A client's key, and requests that are proved with it."""

    private: object = field(default_factory=Ed25519PrivateKey.generate, repr=False)

    @property
    def binding(self) -> str:
        return f"{JKT}:{self.thumbprint}"

    @property
    def thumbprint(self) -> str:
        return key_thumbprint(public_jwk(self.private.public_key()))

    def pem(self, path: Path) -> Path:
        public = self.private.public_key()
        path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return path

    def headers(self, token, method="GET", url="https://127.0.0.1:8443/who", proof=None):
        return {
            "authorization": f"DPoP {token}",
            "dpop": proof or make_proof(self.private, method, url, token),
        }


def p256() -> Client:
    return Client(generate_private_key(SECP256R1()))


def session_of(home: Path, actor: str = "root") -> Session:
    return Session(home, actor, home, TerminalProgress())


def add(session: Session, name: str, *identities: str, role: str = "reviewer"):
    return principals.add(session, Change(name, (role,), identities=identities or None))


def request(headers=(), *, method="GET", path="/who", server=("127.0.0.1", 8443), **scope):
    """A request as the server's protocol would build it."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
            "server": server,
            "client": ("127.0.0.1", 50_000),
            **scope,
        }
    )


def with_certificate(pem: str, **scope):
    return request(extensions={"tls": {"client_cert_chain": [pem]}}, **scope)


def identity_over(held: Session, **options) -> VerifiedIdentity:
    proof = options.pop("proof", Proof())
    used = ReplayStore(LastProof(held.home / USED_FILE))
    return VerifiedIdentity(open_credentials(held), proof, used, **options)


def refusal(identity, asked) -> PolicyError:
    """How ``identify`` refuses; everybody is told the same."""
    try:
        known = identity.identify(asked)
    except PolicyError as error:
        assert (error.code, error.message) == ("unidentified", REFUSED)
        return error
    raise AssertionError(f"{known.name} was let in")


REFUSED = "nobody who is known here is proved to have sent this"
