"""What the routes share: who asks, in which workspace, and what lives as long as the process.

A router that keeps something (models, a worker, a queue) makes it when it is built, and says here
how it is closed, loaded anew, and found to be well.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from cipherset.app.workspace import Session
from cipherset.interfaces.http.identity.known import Identity
from cipherset.interfaces.http.limits import DEFAULT_LIMITS, RequestLimits

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Services:
    """Made once per process; handed to every router.

    ``session`` is held (``app.workspace.hold``) and nobody's: use ``Caller`` in a route, which is
    the session of the one who asks. ``hosts`` are the names that a request may call us by, None
    for any. ``closing`` runs when the process ends, ``reloads`` when it is told to load anew;
    ``checks`` raise a ``CiphersetError`` where something that a route needs is not there.
    """

    session: Session
    identity: Identity
    limits: RequestLimits = DEFAULT_LIMITS
    hosts: frozenset[str] | None = LOOPBACK_NAMES
    closing: ExitStack = field(default_factory=ExitStack)
    reloads: list[Callable[[], None]] = field(default_factory=list)
    checks: dict[str, Callable[[], None]] = field(default_factory=dict)

    def session_of(self, request: Request) -> Session:
        """The session of the one who asks.

        Raises:
            PolicyError: ``unidentified``.
        """
        known = self.identity.identify(request)
        return replace(
            self.session,
            actor=known.name,
            authenticated=known.authenticated,
            network=known.network,
            environment=replace(self.session.environment, identity=known.identity),
        )


def _caller(request: Request) -> Session:
    services: Services = request.app.state.services
    return services.session_of(request)


Caller = Annotated[Session, Depends(_caller)]
