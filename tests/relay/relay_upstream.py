"""A service of our own on loopback that answers as it is told, and remembers what it was asked."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DEADLINE_S = 60
# uvicorn waits for whoever is connected still.
END_WITHIN_S = 300
SECRET_KEY = "sk-upstream-4711-zanzibar"


@dataclass
class Service:
    """``script`` makes a response of each body; ``asked`` are bodies, ``headers`` what came too."""

    port: int = 0
    script: Callable[[dict[str, Any]], Response] = lambda body: completion("hello")
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def completion(text: str | None, **more: Any) -> JSONResponse:
    message = {"role": "assistant", "content": text, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": more.pop("finish", "stop")}
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    told = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    return JSONResponse({**told, "choices": [choice], **more})


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    told = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event({**told, "choices": [choice], **more})


def event(told: Any) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def spoken(*pieces: str) -> list[bytes]:
    """A whole stream that says these pieces."""
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    told = [chunk({"content": piece}) for piece in pieces]
    return [*told, chunk({}, "stop"), event({"choices": [], "usage": usage}), b"data: [DONE]\n\n"]


class Streamed(Response):
    """Sends pieces of bytes; None waits until the other end has gone."""

    media_type = "text/event-stream"

    def __init__(self, pieces: list[bytes | None], service: Service, kind: str = "") -> None:
        super().__init__()
        self._pieces, self._service = pieces, service
        self._kind = kind or "text/event-stream; charset=utf-8"

    async def __call__(self, scope, receive, send) -> None:
        head = [(b"content-type", self._kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for piece in self._pieces:
            if piece is None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                self._service.gone.set()
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def service() -> Iterator[Service]:
    found = Service()

    async def answer(request: Request) -> Response:
        body = await request.json()
        found.asked.append(body)
        found.headers.append(dict(request.headers))
        found.paths.append(request.url.path)
        return found.script(body)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    with serving(app) as port:
        found.port = port
        yield found


@contextmanager
def serving(app, lifespan: str = "off") -> Iterator[int]:
    config = uvicorn.Config(
        app, port=0, ws="none", lifespan=lifespan, loop="asyncio", log_config=None, http="h11"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server._serve()), daemon=True)
    thread.start()
    try:
        wait(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = lifespan == "off"
        thread.join(END_WITHIN_S)
        assert not thread.is_alive(), server.server_state.connections


def wait(is_done: Callable[[], bool]) -> None:
    ends = time.monotonic() + DEADLINE_S
    while not is_done():
        assert time.monotonic() < ends
        time.sleep(0.01)
