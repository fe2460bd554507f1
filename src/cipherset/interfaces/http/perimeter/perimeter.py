"""The outermost layer: what it refuses no other code sees, and what fails inside ends here.

In this order: the place it comes from, the size of its head, the method, how many are under way,
the size, time and depth of its body. Then the route answers, within its time. Whatever it throws
that is not ours becomes one body without a word of it.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cipherset.core.errors import BackendError, Caught, CiphersetError, InputError, UsageError
from cipherset.interfaces.http.actions import BODY_BYTES, LINKED, REQUEST_S
from cipherset.interfaces.http.errors import INTERNAL, answer
from cipherset.interfaces.http.limits import RequestLimits
from cipherset.interfaces.http.perimeter.body import (
    ClientGoneError,
    body_too_large,
    check_json,
    drain,
    read_body,
    replayed,
)
from cipherset.interfaces.http.perimeter.flight import Flight
from cipherset.interfaces.http.perimeter.places import misplaced
from cipherset.interfaces.http.perimeter.reading import CrowdedOutError, Reading
from cipherset.interfaces.http.perimeter.sending import Sending
from cipherset.interfaces.http.perimeter.table import (
    GET,
    HEAD,
    METHODS,
    NO_ROUTE,
    OPTIONS,
    Found,
    RouteTable,
)
from cipherset.interfaces.http.seen import Ended, Seen

_LOG: Final = logging.getLogger("cipherset.gateway")
_HEALTH: Final = "/healthz"
_ID_BYTES: Final = 8
_TOO_LARGE: Final = "body_too_large"
# So that whoever sends too much still reads why: a connection closed on unread bytes is reset.
_DRAINED: Final = 4
_DRAIN_S: Final = 2.0
# Bytes of JSON that are looked through in a thread, so that nobody waits for it.
_LONG: Final = 1 << 16
_LARGE: Final = 8  # one in so many of those that are read at once may be large


class _Refusal(Exception):  # noqa: N818 -- a way out, not an error of its own
    """An answer that the perimeter gives by itself."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class Perimeter:
    """ASGI middleware around the whole app."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        table: RouteTable,
        limits: RequestLimits,
        hosts: frozenset[str] | None,
        seen: Seen,
        flight: Flight,
    ) -> None:
        self._app = app
        self._table = table
        self._limits = limits
        self._hosts = hosts
        self._seen = seen
        self._flight = flight
        self._reading = Reading(limits.reading, limits.reading_each)
        most = (max(1, limits.reading // _LARGE), max(1, limits.reading_each // _LARGE))
        self._reading_large = Reading(*most)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no request (lifespan) goes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == HEAD
        if is_head:
            scope = {**scope, "method": GET}
        sending = Sending(
            send,
            request_id=secrets.token_hex(_ID_BYTES),
            is_https=scope.get("scheme") == "https",
            is_head=is_head,
        )
        found = self._table.find(scope)
        began = time.perf_counter()
        try:
            ready = await self._admitted(scope, receive, found)
            await self._answered(scope, ready, sending, found)
        except _Refusal as refusal:
            await refusal.response(scope, receive, sending.send)
        except ClientGoneError:
            pass
        method = HEAD if is_head else scope["method"]
        self._seen.request(
            Ended(
                NO_ROUTE if found is None else found.template,
                method if method in METHODS else NO_ROUTE,
                sending.status,
                time.perf_counter() - began,
                sending.request_id,
            )
        )

    async def _admitted(self, scope: Scope, receive: Receive, found: Found | None) -> Receive:
        """The body, within every limit, to be received again."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self._check_head(scope, headers, linked=found is not None and LINKED in found.told)
        self._check_method(scope["method"], found)
        limits = self._limits
        if self._flight.count >= limits.concurrent and scope["path"] != _HEALTH:
            raise _Refusal(_closing(answer(_busy())))
        most = limits.body_bytes if found is None else found.told.get(BODY_BYTES, limits.body_bytes)
        try:
            body = await self._read(scope, headers, receive, most)
            await self._check_json(body)
        except InputError as error:
            if error.code == _TOO_LARGE:
                await drain(receive, most_bytes=_DRAINED * most, within_s=_DRAIN_S)
            raise _Refusal(_closing(answer(error, _STATUS.get(error.code)))) from None
        except CrowdedOutError:
            raise _Refusal(_closing(answer(_busy()))) from None
        return replayed(body, receive)

    async def _read(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, most: int
    ) -> bytes:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > most:
            raise body_too_large(most)
        address = (scope.get("client") or ("",))[0]
        # One that does not say how long it is may become as long as it may.
        is_usual = most <= self._limits.body_bytes or 0 < int(length) <= self._limits.body_bytes
        async with (self._reading if is_usual else self._reading_large).one(address):
            return await read_body(receive, most_bytes=most, within_s=self._limits.body_s)

    async def _check_json(self, body: bytes) -> None:
        """Of every route, whatever the body is called: all of ours take JSON."""
        depth = self._limits.json_depth
        if len(body) > _LONG:
            await run_in_threadpool(check_json, body, depth)
        else:
            check_json(body, depth)

    def _check_head(self, scope: Scope, headers: Mapping[str, str], *, linked: bool) -> None:
        wrong = misplaced(headers, self._hosts, linked=linked)
        if wrong is not None:
            raise _Refusal(answer(wrong, _STATUS.get(wrong.code)))
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        limits = self._limits
        if size > limits.header_bytes or len(scope["headers"]) > limits.headers:
            raise _Refusal(_closing(answer(_head_too_large(), 431)))
        if target > limits.target_bytes:
            raise _Refusal(_closing(answer(_head_too_large(), 414)))

    def _check_method(self, method: str, found: Found | None) -> None:
        if method not in METHODS:
            raise _Refusal(answer(_method(), 501))
        if found is None:
            return
        allow = {"Allow": ", ".join(found.allowed)}
        if method == OPTIONS:
            raise _Refusal(Response(status_code=204, headers=allow))
        if method not in found.allowed:
            refused = answer(_method(), 405)
            refused.headers.update(allow)
            raise _Refusal(refused)

    async def _answered(
        self, scope: Scope, receive: Receive, sending: Sending, found: Found | None
    ) -> None:
        """Let the app answer; one that has not begun within its time is answered for.

        A handler's thread cannot be stopped: it counts as under way until it ends.
        """
        own = None if found is None else found.told.get(REQUEST_S)
        within_s = self._limits.request_s if own is None else own
        task = asyncio.create_task(self._run(scope, receive, sending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        begun = asyncio.create_task(sending.begun.wait())
        try:
            await asyncio.wait({task, begun}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
        if not task.done() and not sending.begun.is_set():
            sending.shut()
            raise _Refusal(answer(_too_long(within_s)))
        await task

    async def _run(self, scope: Scope, receive: Receive, sending: Sending) -> None:
        caught = Caught()
        with self._flight.one(), self._seen.one_under_way(), caught:
            await self._app(scope, receive, sending)
        if caught.kind:
            _LOG.error("request %s failed with an unexpected %s", sending.request_id, caught.kind)
            if not sending.begun.is_set():
                await answer(INTERNAL)(scope, receive, sending)


_STATUS: Final[Mapping[str, int]] = {
    _TOO_LARGE: 413,
    "body_too_slow": 408,
    "other_host": 421,
}


def _closing(response: JSONResponse) -> JSONResponse:
    """The response, after which the connection ends: the rest of the request was not read."""
    response.headers["Connection"] = "close"
    return response


def _busy() -> CiphersetError:
    return BackendError(
        "as many requests are under way as there may be",
        code="busy",
        hint="come again after the seconds in Retry-After",
    )


def _too_long(within_s: float) -> CiphersetError:
    return BackendError(
        f"there was no answer within {within_s:g} s; what was begun goes on, and is recorded",
        code="request_too_long",
        hint="ask for less at once, or look in the ledger for what came of it",
    )


def _head_too_large() -> CiphersetError:
    return InputError(
        "the request's headers or its target are larger than they may be",
        code="head_too_large",
        hint="send fewer and shorter ones",
    )


def _method() -> CiphersetError:
    return UsageError(
        "this is not done with that method", code="method", hint="see the header Allow"
    )
