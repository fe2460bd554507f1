"""Who asks, proved: by the connection's certificate, or by a token bound to the client's key.

Every way to fail gives one refusal, and what can be asked of the ledger is asked in each.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import Final

from starlette.requests import Request

from cipherset.app.access.binding import JKT
from cipherset.app.access.credentials import Credentials
from cipherset.custody.policy import Authenticated
from cipherset.interfaces.http.identity.access_token import AccessTokens
from cipherset.interfaces.http.identity.certificate import Peer, peer_of
from cipherset.interfaces.http.identity.clock import ForwardClock
from cipherset.interfaces.http.identity.dpop import Proven, Target, check_proof, origin
from cipherset.interfaces.http.identity.known import Known, unidentified
from cipherset.interfaces.http.identity.replay import ReplayStore
from cipherset.interfaces.http.settings import Proof

OURS: Final = "cst_"
_SCHEMES: Final = frozenset({"dpop", "bearer"})
_NOBODY: Final = "cipherset:principal:"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows beside its connection."""

    scheme: str
    token: str
    proof: str | None


@dataclass(frozen=True, slots=True)
class _Bearer:
    """A principal, if the token holds, and what whoever bears it must hold."""

    name: str | None
    identity: str | None = None
    jkt: str | None = None
    x5t: str | None = None


class VerifiedIdentity:
    """An ``Identity`` that takes nobody's word."""

    def __init__(
        self,
        credentials: Credentials,
        proof: Proof,
        used: ReplayStore,
        *,
        issued: AccessTokens | None = None,
        takes_ours: bool = False,
        clock: ForwardClock | None = None,
    ) -> None:
        """For the principals of one ledger.

        Args:
            credentials: Who may be whom.
            proof: How proofs of possession are checked.
            used: The proofs that were used.
            issued: Takes the tokens of an issuer, if there is one.
            takes_ours: Whether tokens of ``cipherset principal token`` are taken.
            clock: The time of day.
        """
        self._credentials = credentials
        self._proof = proof
        self._issued = issued
        self._takes_ours = takes_ours
        self._clock = clock or ForwardClock()
        self._used = used
        self._origins = frozenset(map(origin, proof.origins)) - {""}

    def identify(self, request: Request) -> Known:
        """The one who asks: see ``Identity``.

        Raises:
            PolicyError: ``unidentified``.
            BackendError: ``issuer_unreachable``; the ledger cannot be read.
        """
        now = self._clock.now()
        peer = peer_of(request.scope)
        if peer is not None and not peer.holds(datetime.fromtimestamp(now, UTC)):
            peer = None
        if "authorization" not in request.headers and "dpop" not in request.headers:
            return self._by_certificate(request, peer)
        shown = _shown(request)
        if shown is None:
            raise unidentified()
        return self._by_token(request, shown, peer, now)

    def _by_certificate(self, request: Request, peer: Peer | None) -> Known:
        identity = None if peer is None else peer.identity
        name = self._credentials.principal_of(identity or _NOBODY)
        if identity is None or name is None:
            raise unidentified()
        return Known(name, Authenticated.CERTIFICATE, network_of(request), identity)

    def _by_token(self, request: Request, shown: Shown, peer: Peer | None, now: float) -> Known:
        bearer = self._bearer(shown.token, now)
        proven = self._proven(request, shown, now)
        is_theirs = _is_theirs(bearer, shown.scheme, proven, peer)
        if bearer.name is None or not is_theirs or not self._is_new(proven, now):
            raise unidentified()
        return Known(bearer.name, Authenticated.TOKEN, network_of(request), bearer.identity)

    def _bearer(self, token: str, now: float) -> _Bearer:
        if token.startswith(OURS):
            ours = self._credentials.shown(token) if self._takes_ours else None
            if ours is None:
                return _Bearer(None)
            kind, _, thumbprint = ours.binding.partition(":")
            if kind == JKT:
                return _Bearer(ours.principal, jkt=thumbprint)
            return _Bearer(ours.principal, x5t=thumbprint)
        holder = None if self._issued is None else self._issued.holder(token, now=now)
        if holder is None:
            return _Bearer(None)
        name = self._credentials.principal_of(holder.identity)
        return _Bearer(name, holder.identity, holder.jkt, holder.x5t)

    def _proven(self, request: Request, shown: Shown, now: float) -> Proven | None:
        if shown.proof is None:
            return None
        target = Target(request.method, self._origins | _own_origins(request), _path_of(request))
        return check_proof(shown.proof, target, shown.token, now=now, window_s=self._proof.window_s)

    def _is_new(self, proven: Proven | None, now: float) -> bool:
        """Whether the proof, where there is one, was not used before. Now it was.

        Asked last: whoever is nobody does not fill the memory of what was used.
        """
        return proven is None or self._used.is_first(
            proven.thumbprint, proven.name, proven.made, keep_from=now - self._proof.window_s
        )


def network_of(request: Request) -> str | None:
    """The address that the connection comes from; None where it is not an IP address."""
    try:
        found = ip_address((request.client.host if request.client else "").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def _shown(request: Request) -> Shown | None:
    """The token and its proof; None where there are more or fewer than one of each."""
    authorization, proofs = (request.headers.getlist(name) for name in ("authorization", "dpop"))
    if len(authorization) != 1 or len(proofs) > 1:
        return None
    scheme, _, token = authorization[0].partition(" ")
    scheme = scheme.lower()
    if scheme not in _SCHEMES or not token or (scheme == "dpop") != bool(proofs):
        return None
    return Shown(scheme, token, proofs[0] if proofs else None)


def _is_theirs(bearer: _Bearer, scheme: str, proven: Proven | None, peer: Peer | None) -> bool:
    """Whether the bearer holds all that the token is bound to, which is something."""
    if bearer.jkt is None and bearer.x5t is None:
        return False
    by_key = bearer.jkt is None or (proven is not None and proven.thumbprint == bearer.jkt)
    by_certificate = bearer.x5t is None or (peer is not None and peer.thumbprint == bearer.x5t)
    # A token that is bound to a key is sent as DPoP, and no other (RFC 9449, section 7.1).
    return by_key and by_certificate and (scheme == "dpop") == (bearer.jkt is not None)


def _own_origins(request: Request) -> frozenset[str]:
    """The address that the connection came to: the socket's, not what the client calls it."""
    server = request.scope.get("server")
    if server is None:
        return frozenset()
    host, port = server
    names = {f"[{host}]" if ":" in host else host}
    if _is_loopback(host):
        names.add("localhost")
    return frozenset(f"{request.scope['scheme']}://{name}:{port}" for name in names)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _path_of(request: Request) -> str:
    raw: bytes | None = request.scope.get("raw_path")
    return (
        (raw or request.scope["path"].encode()).decode("ascii", errors="replace").partition("?")[0]
    )
