"""Server-sent events as an answer: one after the other, and no more once nobody listens."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cipherset.core.errors import CiphersetError

Live = AbstractAsyncContextManager[AsyncIterator[str]]
_TYPE: Final = "text/event-stream; charset=utf-8"


class EventStream(Response):
    """Sends what ``live`` yields, each as one event.

    ``refused`` answers where nothing was sent yet; later an error is an event of its own, made by
    ``failed``. ``last`` ends a stream that came to its end.
    """

    def __init__(
        self,
        live: Live,
        *,
        refused: Callable[[CiphersetError], Response],
        failed: Callable[[CiphersetError], str],
        last: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(headers=dict(headers or {}), media_type=_TYPE)
        del self.headers["content-length"]
        self._live = live
        self._refused = refused
        self._failed = failed
        self._last = last
        self._is_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it, unless the client goes before."""
        async with anyio.create_task_group() as group:
            group.start_soon(_gone, receive, group.cancel_scope)
            await self._all(scope, receive, send)
            group.cancel_scope.cancel()

    async def _all(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._live as events:
                async for event in events:
                    await self._send(send, event)
        except CiphersetError as error:
            if not self._is_begun:
                await self._refused(error)(scope, receive, send)
                return
            await self._send(send, self._failed(error))
        else:
            if self._last is not None:
                await self._send(send, self._last)
        if not self._is_begun:
            await self._begin(send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, event: str) -> None:
        if not self._is_begun:
            await self._begin(send)
        body = "".join(f"{line}\n" for line in event.split("\n")) + "\n"
        await send({"type": "http.response.body", "body": body.encode(), "more_body": True})

    async def _begin(self, send: Send) -> None:
        self._is_begun = True
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)


async def _gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """End ``scope`` when the client is not there any more."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
