"""What the relay adds to a request of a service: the same, asked directly and through the gateway.

Usage: python benchmarks/relay.py [--calls 60]

Service, gateway and client are three on one machine and share its cores; the service answers at
once, so all that is measured is what is added. In turn in one run: only ratios and differences mean
something on another machine. The gate is in it (two synced commits), the detectors of the prompt
guard without its classifier, the filter of the reply, and HTTP twice instead of once.
"""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app.assets.standing import approve
from cipherset.app.serving.relay import services
from cipherset.app.serving.relay.services import ServiceRequest
from cipherset.app.workspace import Session, hold
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services

SENTENCE = "The parcel of Anna Kowalska, anna.kowalska@example.org, is late again this week. "
REPLY = "We are sorry to hear that, and will look into it before the end of the day. "
SIZES = (1, 20)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--calls", type=int, default=60)
    asked = parser.parse_args()
    hand_over(measured(asked.cache, asked.calls), asked.tables)


def measured(cache: Path, calls: int) -> Iterator[Table]:
    service = Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])
    with tempfile.TemporaryDirectory() as folder, serving(service) as port:
        session = Session(Path(folder) / "home", "ada", cache, TerminalProgress())
        url = f"http://127.0.0.1:{port}/v1"
        services.add(session, ServiceRequest("chat", url, ["small"]))
        approve(session, "service:chat")
        with hold(session) as held:
            app = build_app(Services(held, ClaimedIdentity("ada", lambda: True)))
            with serving(app) as gate, httpx.Client(timeout=60) as client:
                through = f"http://127.0.0.1:{gate}/v1"
                yield latency(client, (url, through), calls)


async def answer(request: Request) -> Response:
    asked = await request.json()
    text = REPLY * max(1, len(asked["messages"][-1]["content"]) // len(SENTENCE))
    if not asked.get("stream"):
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse({"choices": [choice]})
    return StreamingResponse(_pieces(text), media_type="text/event-stream")


async def _pieces(text: str) -> Any:  # noqa: ANN401 -- an asynchronous generator
    for word in text.split(" "):
        yield _event({"content": f"{word} "}, None)
    yield _event({}, "stop")
    yield "data: [DONE]\n\n"


def _event(delta: dict[str, str], finish: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


def latency(client: httpx.Client, urls: tuple[str, str], calls: int) -> Table:
    rows = []
    for n in SIZES:
        for is_stream in (False, True):
            one, both = (asking(client, url, n, is_stream=is_stream) for url in urls)
            for each in (one, both):
                each()
            times: list[tuple[float, float]] = []
            for _ in range(calls):
                times.append((took(one), took(both)))
            directly = median(first for first, _ in times)
            through = median(second for _, second in times)
            added = sorted(second - first for first, second in times)
            rows.append(
                (
                    f"{n * len(SENTENCE)}",
                    "streamed" if is_stream else "whole",
                    f"{directly * 1e3:.1f} ms",
                    f"{through * 1e3:.1f} ms",
                    f"{median(added) * 1e3:.1f} ms",
                    f"{added[int(0.95 * len(added))] * 1e3:.1f} ms",
                    f"{through / directly:.1f}",
                )
            )
    head = ("characters", "reply", "directly", "relayed", "added, p50", "added, p95", "ratio")
    return Table(
        "relay/latency",
        "What the relay adds to one request after another",
        head,
        rows,
        (MADE_UP,),
        note="The service answers at once: beside a model that thinks for seconds the ratio is 1.",
    )


def asking(client: httpx.Client, url: str, n: int, *, is_stream: bool) -> Callable[[], None]:
    messages = [{"role": "user", "content": SENTENCE * n}]

    def ask() -> None:
        body = {"model": "chat/small", "messages": messages, "stream": is_stream}
        found = client.post(f"{url}/chat/completions", json=body)
        found.raise_for_status()

    return ask


def took(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


@contextmanager
def serving(app: Any) -> Iterator[int]:  # noqa: ANN401 -- any ASGI app
    config = uvicorn.Config(app, port=0, ws="none", lifespan="auto", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
