"""The answer on its way out: headers that every one of them bears, and no second beginning."""

import asyncio
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

# No page may frame, sniff, cache or take a part of what the gateway says.
SECURITY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STRICT_TRANSPORT: Final = "max-age=31536000"


class Sending:
    """A ``send`` that adds the headers, and after ``shut`` lets nothing more of its app through.

    ``begun`` is set once the answer's first line is out; ``status`` is what it said.
    """

    def __init__(self, send: Send, *, request_id: str, is_https: bool, is_head: bool) -> None:
        self._send = send
        self.request_id = request_id
        self._is_https = is_https
        self._is_head = is_head
        self._is_shut = False
        self.begun = asyncio.Event()
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send ``message``, as the app asks."""
        if not self._is_shut:
            await self.send(message)

    async def send(self, message: Message) -> None:
        """Send ``message``, whoever asks."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add_headers(message)
            self.begun.set()
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def shut(self) -> None:
        """Let nothing more of the app through."""
        self._is_shut = True

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        headers["X-Request-Id"] = self.request_id
        if self._is_https:
            headers["Strict-Transport-Security"] = STRICT_TRANSPORT
