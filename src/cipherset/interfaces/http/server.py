"""uvicorn, as the gateway runs it: it says when it is ready, reloads on SIGHUP, ends cleanly."""

import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from cipherset.core.errors import BackendError
from cipherset.interfaces.http.connection import protocol_with
from cipherset.interfaces.http.limits import RequestLimits
from cipherset.interfaces.http.reload import Reload

_BACKLOG: Final = 512
_TICKS: Final = 20  # of a tenth of a second, between two looks at what may be loaded anew


@dataclass(frozen=True, slots=True)
class Settled:
    """What the server runs with, beside the app."""

    limits: RequestLimits
    tls: ssl.SSLContext | None
    reload: Reload
    ready: Callable[[], None]


class Server(uvicorn.Server):
    """SIGTERM and SIGINT end it, once all that is under way is answered."""

    def __init__(self, app: ASGIApp, settled: Settled) -> None:
        super().__init__(_config(app, settled))
        self._settled = settled

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self._settled.ready()

    async def on_tick(self, counter: int) -> bool:
        """Look for what is to be loaded anew, and whether this is the end."""
        if counter % _TICKS == 0:
            await run_in_threadpool(self._settled.reload.look)
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals inside; afterwards nothing is raised again, so that all is closed.

        A thread that is not the main one has no signals to handle.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {
            signal.SIGTERM: self.handle_exit,
            signal.SIGINT: self.handle_exit,
            signal.SIGHUP: self._handle_reload,
        }
        before = {sig: signal.signal(sig, handler) for sig, handler in handlers.items()}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _handle_reload(self, _signal: int, _frame: FrameType | None) -> None:
        self._settled.reload.ask()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at ``host`` and ``port``; 0 takes a free one.

    Raises:
        BackendError: ``address``: it is taken, or no address of this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host.strip("[]"), port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise BackendError(
            f"{host} port {port} cannot be listened at: {type(error).__name__}",
            code="address",
            hint="choose another --port (0 takes a free one), or a --host of this machine",
        ) from None
    # Connections take it over, and asyncio sets it on none of a socket that it did not make: an
    # answer's body would wait for the acknowledgment of its head, 40 ms of a client that delays it.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _config(app: ASGIApp, settled: Settled) -> uvicorn.Config:
    limits = settled.limits
    tls = settled.tls
    return uvicorn.Config(
        app,
        http=protocol_with(limits),
        ws="none",
        loop="asyncio",
        lifespan="on",
        interface="asgi3",
        # No line per request, and none of what was asked: events are in the ledger.
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        # The address is the connection's own, whatever a header says.
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=int(limits.idle_s),
        timeout_graceful_shutdown=int(limits.shutdown_s),
        h11_max_incomplete_event_size=limits.header_bytes + limits.target_bytes,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
