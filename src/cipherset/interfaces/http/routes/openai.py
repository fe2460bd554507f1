"""``/v1/chat/completions``, ``responses``, ``embeddings``, ``models``: as OpenAI's clients ask.

Errors have the one shape, and ``type`` beside it, which these clients know.
"""

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from cipherset.app.serving.relay.drive import live, whole
from cipherset.app.serving.relay.guards import KeptGuards
from cipherset.app.serving.relay.protocol.answers import ChatStream, Expected, whole_answer
from cipherset.app.serving.relay.protocol.chat import chat_asked
from cipherset.app.serving.relay.protocol.embeddings import embeddings_answer, embeddings_asked
from cipherset.app.serving.relay.protocol.replied import ResponseStream, whole_response
from cipherset.app.serving.relay.protocol.responses import responses_asked
from cipherset.app.serving.relay.relay import Relay
from cipherset.app.serving.relay.turn import Stream, Turn
from cipherset.app.serving.relay.wire.upstream import Upstream
from cipherset.app.workspace import Session
from cipherset.core.errors import CiphersetError
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.errors import answer, body_of, status_of
from cipherset.interfaces.http.services import Caller, Services
from cipherset.interfaces.http.streaming import EventStream

_REQUEST_S: Final = 310.0  # a little more than the relay waits for a service
_WARNINGS: Final = "X-Cipherset-Warnings"
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    503: "server_error",
}
_Body = Annotated[dict[str, Any], Body()]


class OpenAiRoute(APIRoute):
    """A route whose refusals say their type too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals as these clients know them."""
        handler = super().get_route_handler()

        async def with_type(request: Request) -> Response:
            try:
                return await handler(request)
            except CiphersetError as error:
                return _refused(error)

        return with_type


@dataclass(frozen=True, slots=True)
class Relayed:
    """What the routes keep: the relay, and the connections to services."""

    relay: Relay
    upstream: Upstream

    async def chat(self, session: Session, body: dict[str, Any]) -> Response:
        """A chat completion."""
        turn = await to_thread.run_sync(lambda: self.relay.admit(session, chat_asked(body)))
        expected, shows_usage = _expected(turn), turn.asked.shows_usage
        if turn.asked.is_stream:
            made = ChatStream(turn.guard, turn.told, expected, shows_usage=shows_usage)
            return _streamed(self.upstream, turn, made, last="data: [DONE]")
        made_of = partial(whole_answer, guard=turn.guard, told=turn.told, expected=expected)
        return JSONResponse(await whole(self.upstream, turn, made_of), headers=_headers(turn))

    async def respond(self, session: Session, body: dict[str, Any]) -> Response:
        """A response."""
        turn = await to_thread.run_sync(lambda: self.relay.admit(session, responses_asked(body)))
        expected = _expected(turn)
        if turn.asked.is_stream:
            made = ResponseStream(turn.guard, turn.told, expected)
            return _streamed(self.upstream, turn, made, last=None)
        made_of = partial(whole_response, guard=turn.guard, told=turn.told, expected=expected)
        return JSONResponse(await whole(self.upstream, turn, made_of), headers=_headers(turn))

    async def embed(self, session: Session, body: dict[str, Any]) -> Response:
        """Vectors."""
        turn = await to_thread.run_sync(lambda: self.relay.admit(session, embeddings_asked(body)))
        n = turn.asked.n_answers
        made_of = partial(embeddings_answer, model=turn.shown_model, n_answers=n)
        return JSONResponse(await whole(self.upstream, turn, made_of), headers=_headers(turn))


def router(services: Services) -> APIRouter:
    """The routes, and the guards and connections that they keep ready."""
    routes = APIRouter(prefix="/v1", tags=["relay"], route_class=OpenAiRoute)
    guards = KeptGuards(services.session)
    relayed = Relayed(Relay(guards), Upstream(guards.rules.patience))
    services.reloads.append(guards.reload)
    services.closing.callback(relayed.upstream.close)
    asks = performs(Action.QUERY, request_s=_REQUEST_S)

    @routes.post(
        "/chat/completions", summary="A chat completion, guarded on both ways", openapi_extra=asks
    )
    async def chat_completions(body: _Body, session: Caller) -> Response:
        return await relayed.chat(session, body)

    @routes.post("/responses", summary="A response, guarded on both ways", openapi_extra=asks)
    async def responses(body: _Body, session: Caller) -> Response:
        return await relayed.respond(session, body)

    @routes.post("/embeddings", summary="Vectors of guarded texts", openapi_extra=asks)
    async def embeddings(body: _Body, session: Caller) -> Response:
        return await relayed.embed(session, body)

    @routes.get(
        "/models", summary="The models of approved services", openapi_extra=performs(Action.VIEW)
    )
    def models(session: Caller) -> dict[str, Any]:
        found = [
            {"id": one, "object": "model", "created": 0, "owned_by": one.partition("/")[0]}
            for one in relayed.relay.models(session)
        ]
        return {"object": "list", "data": found}

    return routes


def _expected(turn: Turn) -> Expected:
    return Expected(turn.shown_model, turn.asked.n_answers, turn.asked.tools)


def _streamed(upstream: Upstream, turn: Turn, made: Stream, *, last: str | None) -> EventStream:
    @asynccontextmanager
    async def events() -> AsyncIterator[AsyncIterator[str]]:
        async with live(upstream, turn, made) as found:
            yield _lines(found)

    return EventStream(
        events(), refused=_refused, failed=_failed, last=last, headers=_headers(turn)
    )


async def _lines(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """Each as the data of an event, under its type where it has one."""
    async for event in events:
        kind = event.get("type")
        name = f"event: {kind}\n" if kind is not None else ""
        yield f"{name}data: {json.dumps(event, ensure_ascii=False)}"


def _failed(error: CiphersetError) -> str:
    return f"data: {json.dumps(_told(error))}"


def _refused(error: CiphersetError) -> Response:
    """The one answer to ``error``, with its type."""
    plain = answer(error)
    told = json.loads(bytes(plain.body))
    told["error"]["type"] = _type(plain.status_code)
    headers = {
        name: value
        for name, value in plain.headers.items()
        if name in ("retry-after", "www-authenticate")
    }
    return JSONResponse(told, plain.status_code, headers)


def _told(error: CiphersetError) -> dict[str, Any]:
    told = body_of(error)
    told["error"]["type"] = _type(status_of(error))
    return told


def _type(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")


def _headers(turn: Turn) -> dict[str, str]:
    return {_WARNINGS: ", ".join(turn.warnings)} if turn.warnings else {}
