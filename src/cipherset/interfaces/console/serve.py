"""``console``: the pages alone, on this machine, for the person at the terminal."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session, hold
from cipherset.interfaces.console.doors import Doors
from cipherset.interfaces.console.frame import HOME
from cipherset.interfaces.console.mount import router
from cipherset.interfaces.http.app import assembled
from cipherset.interfaces.http.limits import DEFAULT_LIMITS
from cipherset.interfaces.http.reload import Reload
from cipherset.interfaces.http.seen import Seen
from cipherset.interfaces.http.server import Server, Settled, listen
from cipherset.interfaces.http.services import Services

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the console is; ``url`` lets in whoever opens it first, and nobody after."""

    url: str = field(repr=False)
    port: int
    principal: str


def serve_console(session: Session, port: int, ready: Callable[[Opened], None]) -> None:
    """Show the console until SIGTERM or SIGINT; ``ready`` is told once it is there.

    An emergency is no reason to look around: it is left at the terminal.

    Raises:
        BackendError: ``address``; the ledger cannot be written.
    """
    alone = replace(session, progress=Quiet(), emergency=None)
    with hold(alone) as held, listen(HOST, port) as sock:
        found = sock.getsockname()[1]
        doors = Doors(session.actor, found)
        services = Services(held, doors)
        app = assembled(services, [router(doors)], Seen(), schema=None)
        url = f"http://{HOST}:{found}{HOME}/enter?ticket={doors.ticket()}"
        told = Opened(url, found, session.actor)
        settled = Settled(DEFAULT_LIMITS, None, Reload((), ()), lambda: ready(told))
        with services.closing:
            Server(app, settled).run(sockets=[sock])
