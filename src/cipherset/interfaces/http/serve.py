"""``serve``: the process that holds keys, beside the data."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cipherset.app.access.permissions import active
from cipherset.app.assets.deploy import MODELS
from cipherset.app.serving.alone import only_gateway
from cipherset.app.serving.quiet import Quiet
from cipherset.app.serving.relay.rules import RULES_FILE as GUARD_FILE
from cipherset.app.serving.sanitizing import RULES_FILE
from cipherset.app.workspace import Session, hold
from cipherset.core.errors import UsageError
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.identity.known import Identity
from cipherset.interfaces.http.identity.start import Listening, verified_identity
from cipherset.interfaces.http.identity.tls import ServerTls, TlsFiles
from cipherset.interfaces.http.reload import Reload
from cipherset.interfaces.http.seen import Seen
from cipherset.interfaces.http.server import Server, Settled, listen
from cipherset.interfaces.http.services import LOOPBACK_NAMES, Services
from cipherset.interfaces.http.settings import Settings, read_settings
from cipherset.interfaces.http.tracing import Tracing

HOST: Final = "127.0.0.1"
PORT: Final = 8443


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, and with which files; ``port`` 0 takes a free one."""

    host: str = HOST
    port: int = PORT
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """Where it listens now, and how it knows who asks."""

    url: str
    host: str
    port: int
    identity: str


def serve(session: Session, place: Place, ready: Callable[[Ready], None]) -> None:
    """Answer until SIGTERM or SIGINT; ``ready`` is told once requests are taken.

    Raises:
        UsageError: ``tls_pair``; ``tls_needed``, ``identity_needed``, ``origins_needed``: it would
            be reached by whoever cannot be known; ``gateway_running``.
        InputError: ``serve_file``, ``tls_files``.
        BackendError: ``address``; the ledger cannot be written.
    """
    settings = read_settings(session.home)
    listening = Listening(place.host, _files(place, settings), settings)
    listening.check()
    tls = None if listening.tls is None else ServerTls(listening.tls).context
    with hold(_of_nobody(session)) as held, only_gateway(session.home):
        identity = _identity(held, listening)
        services = Services(
            held, identity, settings.limits, None if tls is not None else _hosts(place, settings)
        )
        app = build_app(services, _seen(services, settings))
        watched = [session.home / name for name in (MODELS, RULES_FILE, GUARD_FILE)]
        reload = Reload(services.reloads, watched)
        with services.closing, listen(place.host, place.port) as sock:
            told = _ready(place, sock, listening)
            settled = Settled(settings.limits, tls, reload, lambda: ready(told))
            Server(app, settled).run(sockets=[sock])


def _seen(services: Services, settings: Settings) -> Seen:
    seen = Seen()
    if settings.telemetry is not None:
        tracing = Tracing(settings.telemetry.endpoint)
        services.closing.callback(tracing.close)
        seen.watching.append(tracing.ended)
    return seen


def _of_nobody(session: Session) -> Session:
    """The session without what is the operator's own: no caller signs with their key."""
    return replace(session, progress=Quiet(), signer=None, emergency=None)


def _files(place: Place, settings: Settings) -> TlsFiles | None:
    if place.tls_cert is None and place.tls_key is None and place.client_ca is None:
        return None
    if place.tls_cert is None or place.tls_key is None:
        raise UsageError(
            "a certificate goes with its key, and the clients' authority with both",
            code="tls_pair",
            hint="give --tls-cert and --tls-key",
        )
    must_bring = settings.tls.client_certificates == "required"
    return TlsFiles(place.tls_cert, place.tls_key, place.client_ca, must_bring)


def _identity(held: Session, listening: Listening) -> Identity:
    if listening.verifies:
        return verified_identity(held, listening.settings)

    def is_alone() -> bool:
        return active(held).limits.grants.self_approval

    if not is_alone():
        raise UsageError(
            "the policies know of more than one person, and nothing tells who asks",
            code="identity_needed",
            hint="give --client-ca, or write [oidc] or [tokens] in serve.toml",
        )
    return ClaimedIdentity(held.actor, is_alone)


def _hosts(place: Place, settings: Settings) -> frozenset[str]:
    """By which names we are called without TLS, where nothing else tells us from another host."""
    origins = {urlsplit(origin).hostname or "" for origin in settings.proof.origins}
    return LOOPBACK_NAMES | {place.host.lower()} | origins


def _ready(place: Place, sock: socket.socket, listening: Listening) -> Ready:
    port = sock.getsockname()[1]
    scheme = "http" if listening.tls is None else "https"
    name = f"[{place.host}]" if ":" in place.host else place.host
    how = "verified" if listening.verifies else "claimed"
    return Ready(f"{scheme}://{name}:{port}", place.host, port, how)
