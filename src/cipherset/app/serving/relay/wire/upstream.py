"""The way to a service and back: one request, its times, its second tries, its breaker.

Only the registered address is asked: no redirect is followed, no proxy of the environment taken,
and nothing of the caller's request but its guarded body is sent. It is tried again only where
nothing of an answer has come: the service was not reached, or said itself that it could not.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import httpx
from anyio import from_thread
from pydantic import BaseModel, ConfigDict, Field

from cipherset.app.serving.relay.wire.breaker import Breaker
from cipherset.app.serving.relay.wire.events import MOST_BYTES, garbage, parsed
from cipherset.core.errors import BackendError, CiphersetError, InputError

_AGAIN: Final = frozenset({429, 502, 503, 504})
_OURS: Final = frozenset({401, 403, 407})
_STREAM: Final = "text/event-stream"


_Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=1, le=100, strict=True)]


class Patience(BaseModel):
    """Seconds to connect, between two pieces of an answer, and in all; how often it is tried.

    A service that failed ``most_failures`` times in a row is left alone for ``rest_s``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    connect_s: _Seconds = 5.0
    read_s: _Seconds = 60.0
    total_s: _Seconds = 300.0
    tries: _Count = 3
    wait_s: _Seconds = 0.25
    most_failures: _Count = 5
    rest_s: _Seconds = 15.0


DEFAULT_PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent where: the service's name, the whole address, its credential, the body."""

    service: str
    url: str
    credential: str | None = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True)
class Upstream:
    """The connections to all services, and a breaker of each; for one event loop."""

    patience: Patience = DEFAULT_PATIENCE
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[float, float], float] = secrets.SystemRandom().uniform
    breakers: dict[str, Breaker] = field(default_factory=dict)
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    def breaker(self, service: str) -> Breaker:
        """That of a service."""
        found = self.breakers.get(service)
        if found is None:
            patience = self.patience
            found = Breaker(patience.most_failures, patience.rest_s)
            self.breakers[service] = found
        return found

    async def whole(self, question: Question) -> dict[str, Any]:
        """The answer, where it comes at once.

        Raises:
            InputError: ``upstream_rejected``.
            BackendError: ``upstream_unreachable``, ``upstream_slow``, ``upstream_status``,
                ``upstream_garbage``, ``upstream_cut``, ``upstream_resting``.
        """
        async with self.answering(question, is_stream=False) as response:
            raw = bytearray()
            async for chunk in response.aiter_raw():
                raw += chunk
                if len(raw) > MOST_BYTES:
                    raise garbage("it goes on without an end")
            try:
                return parsed(raw.decode())
            except UnicodeDecodeError:
                raise garbage("it is not UTF-8") from None

    @asynccontextmanager
    async def answering(
        self, question: Question, *, is_stream: bool
    ) -> AsyncIterator[httpx.Response]:
        """The answer as it begins; leaving ends the connection, whatever was read of it.

        Raises: as ``whole``.
        """
        with _judged(self.breaker(question.service)):
            try:
                async with asyncio.timeout(self.patience.total_s):
                    response = await self._first(question, is_stream=is_stream)
                    try:
                        yield response
                    finally:
                        await response.aclose()
            except (TimeoutError, httpx.TimeoutException):
                raise _slow() from None
            except (httpx.HTTPError, httpx.StreamError):
                raise cut() from None  # house: who sees the cut first is chance

    def close(self) -> None:
        """Close what is open; from a thread of the event loop's."""
        client, self._client = self._client, None
        if client is not None:
            from_thread.run(client.aclose)

    async def _first(self, question: Question, *, is_stream: bool) -> httpx.Response:
        """The first answer that is one, or the last that was to be had."""
        left = self.patience.tries - 1
        while True:
            try:
                response = await self._send(question, is_stream=is_stream)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError):
                if not left:
                    raise _unreachable() from None
            else:
                if not (left and response.status_code in _AGAIN):
                    return await _checked(response, is_stream=is_stream)
                await response.aclose()
            longest = self.patience.wait_s * 2 ** (self.patience.tries - left)
            left -= 1
            await self.sleep(self.jitter(0.0, longest))

    async def _send(self, question: Question, *, is_stream: bool) -> httpx.Response:
        client = self._opened()
        headers = {"Accept": _STREAM if is_stream else "application/json"}
        if question.credential is not None:
            headers["Authorization"] = f"Bearer {question.credential}"
        request = client.build_request("POST", question.url, json=question.body, headers=headers)
        return await client.send(request, stream=True)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            read_s = self.patience.read_s
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(read_s, connect=self.patience.connect_s),
                headers={"Accept-Encoding": "identity", "User-Agent": "cipherset"},
                follow_redirects=False,
                trust_env=False,
            )
        return self._client


@contextmanager
def _judged(breaker: Breaker) -> Iterator[None]:
    """Inside, what happens to a service is told to its breaker."""
    breaker.enter()
    try:
        yield
    except CiphersetError as error:
        if isinstance(error, BackendError) and error.code.startswith("upstream_"):
            breaker.failed()
        else:
            breaker.left()
        raise
    except BaseException:
        breaker.left()
        raise
    breaker.succeeded()


async def _checked(response: httpx.Response, *, is_stream: bool) -> httpx.Response:
    """``response``, if it is an answer in the form that was asked for."""
    refusal = _refusal(response.status_code)
    if refusal is None and response.headers.get("content-encoding", "identity") != "identity":
        refusal = garbage("it is packed, which was not asked for")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if refusal is None and kind != (_STREAM if is_stream else "application/json"):
        refusal = garbage("it is of another type than was asked for")
    if refusal is not None:
        await response.aclose()
        raise refusal
    return response


def _refusal(status: int) -> CiphersetError | None:
    """Why ``status`` is no answer; nothing of what the service says to it is passed on."""
    if status == 200:
        return None
    if 400 <= status < 500 and status not in _OURS and status not in _AGAIN:
        return InputError(
            f"the service does not take this request (status {status})",
            code="upstream_rejected",
            hint="send less, or leave out what its models do not know",
        )
    hint = "the owner looks at its key: cipherset service add" if status in _OURS else "ask again"
    return BackendError(
        f"the service gave no answer (status {status})", code="upstream_status", hint=hint
    )


def cut() -> BackendError:
    """The refusal of an answer that ended before its end."""
    return BackendError(
        "the service's answer broke off", code="upstream_cut", hint="ask again in a moment"
    )


def _slow() -> BackendError:
    return BackendError(
        "the service took too long", code="upstream_slow", hint="ask again, or for less"
    )


def _unreachable() -> BackendError:
    return BackendError(
        "the service cannot be reached",
        code="upstream_unreachable",
        hint="ask again in a moment; the owner looks at its address: cipherset service list",
    )
