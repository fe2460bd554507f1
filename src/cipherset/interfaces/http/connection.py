"""A connection that does not wait for ever, and whose first words need not be HTTP.

uvicorn waits without end for the head of a request, byte by byte, and for a client that takes no
answer. Here each has its time. What is not HTTP gets the one shape of errors, once.
"""

import asyncio
import json
from typing import Any, ClassVar, Final

import h11

from cipherset.core.errors import BackendError, CiphersetError, InputError
from cipherset.interfaces.http.errors import body_of
from cipherset.interfaces.http.identity.tls import PeerProtocol
from cipherset.interfaces.http.limits import DEFAULT_LIMITS, RequestLimits
from cipherset.interfaces.http.perimeter.sending import SECURITY_HEADERS

_NOT_HTTP: Final = InputError(
    "what was sent is not a request of HTTP/1.1",
    code="not_http",
    hint="use a client of HTTP, and https:// where the gateway says so",
)
_TOO_MANY: Final = BackendError(
    "as many connections are open as there may be",
    code="connections",
    hint="come again after the seconds in Retry-After",
)


def protocol_with(limits: RequestLimits) -> type[PeerProtocol]:
    """The protocol for uvicorn, with these times."""
    return type("LimitedProtocol", (TimedProtocol,), {"limits": limits})


class TimedProtocol(PeerProtocol):
    """uvicorn's HTTP/1.1 with a time for each wait, and a number of connections."""

    limits: ClassVar[RequestLimits] = DEFAULT_LIMITS
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 -- asyncio's own
        """Begin to wait for a head, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.write(_raw(503, _TOO_MANY))
            transport.close()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        self._set_write_timer(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that is not whole is waited for from its first byte on."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._head_timer is None and not self.transport.is_closing():
            self._wait_for_head()

    def pause_writing(self) -> None:
        """The client takes nothing more: it has its time to go on."""
        super().pause_writing()
        self._set_write_timer(self.loop.call_later(self.limits.write_s, self.transport.abort))

    def resume_writing(self) -> None:
        """It went on."""
        super().resume_writing()
        self._set_write_timer(None)

    def send_400_response(self, msg: str) -> None:
        """Say that it was not HTTP, unless an answer is on its way; then close."""
        self._stop_waiting()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self.transport.write(_raw(400, _NOT_HTTP))
        self.transport.close()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.header_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _set_write_timer(self, timer: asyncio.TimerHandle | None) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
        self._write_timer = timer


def _raw(status: int, error: CiphersetError) -> bytes:
    """A whole answer, for whom no request was read from."""
    body = json.dumps(body_of(error)).encode()
    headers = {
        **SECURITY_HEADERS,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Retry-After": "1",
    }
    phrase = "Bad Request" if status == 400 else "Service Unavailable"
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
