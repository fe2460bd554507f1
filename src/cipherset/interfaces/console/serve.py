"""``console``: the pages alone, on this machine, for the person at the terminal."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
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
    """Where the console is; ``url`` lets in whoever uses it first, and nobody after."""

    url: str = field(repr=False)
    port: int
    principal: str


def serve_console(session: Session, port: int, ready: Callable[[Opened, ExitStack], None]) -> None:
    """Show the console until SIGTERM or SIGINT; ``ready`` is told once it is there.

    The stack that ``ready`` gets ends once somebody was let in, at the latest with the console.

    An emergency is no reason to look around: it is left at the terminal.

    Raises:
        BackendError: ``address``; the ledger cannot be written.
    """
    alone = replace(session, progress=Quiet(), emergency=None)
    with hold(alone) as held, listen(HOST, port) as sock, ExitStack() as waiting:
        found = sock.getsockname()[1]
        doors = Doors(session.actor, found, spent=waiting.close)
        services = Services(held, doors)
        app = assembled(services, [router(doors)], Seen(), schema=None)
        url = f"http://{HOST}:{found}{HOME}/enter?ticket={doors.ticket()}"
        told = Opened(url, found, session.actor)
        settled = Settled(DEFAULT_LIMITS, None, Reload((), ()), lambda: ready(told, waiting))
        with services.closing:
            Server(app, settled).run(sockets=[sock])


def leading_file(url: str, waiting: ExitStack) -> Path:
    """A file that leads a browser to ``url``; gone once ``waiting`` ends.

    An address among a program's arguments is read by every user of the machine; this file by its
    owner alone.

    Raises:
        OSError: the folder of temporary files cannot be written.
    """
    folder = Path(
        waiting.enter_context(
            tempfile.TemporaryDirectory(prefix="cipherset-", ignore_cleanup_errors=True)
        )
    )
    place = folder / "console.html"
    place.touch(0o600, exist_ok=False)
    place.write_text(_LEADING.format(url=escape(url)), encoding="utf-8")
    return place


_LEADING: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>Cipherset</title>
<p><a href="{url}">To the console</a></p>
</html>
"""
