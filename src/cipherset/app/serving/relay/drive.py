"""From an admitted turn to its answer, whole or as it comes; whatever happens, it is written down.

What waits for the service is asynchronous, what computes or writes runs in a thread. Whoever stops
listening ends the connection to the service at once.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from anyio import CancelScope, to_thread

from cipherset.app.serving.relay.protocol.answers import Usage
from cipherset.app.serving.relay.turn import Stream, Turn
from cipherset.app.serving.relay.wire.events import DONE, EventReader, parsed
from cipherset.app.serving.relay.wire.upstream import Upstream

Answered = Callable[[dict[str, Any]], tuple[dict[str, Any], Usage | None]]


async def whole(upstream: Upstream, turn: Turn, answered: Answered) -> dict[str, Any]:
    """The answer of a turn, made by ``answered`` of the service's.

    Raises: as ``Upstream.whole``; BackendError: it cannot be written down.
    """
    usage: Usage | None = None
    try:
        found = await upstream.whole(turn.question)
        answer, usage = await to_thread.run_sync(answered, found)
        n_told = sum(map(len, turn.told.text))
        await to_thread.run_sync(turn.done, usage, n_told)
    except BaseException as error:
        await _failed(turn, error, usage, 0)
        raise
    return answer


@asynccontextmanager
async def live(
    upstream: Upstream, turn: Turn, stream: Stream
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The events of a turn as they come; on leaving, all of it is written down.

    Raises: as ``whole``.
    """
    try:
        async with upstream.answering(turn.question, is_stream=True) as response:
            yield _events(response, stream)
        await to_thread.run_sync(turn.done, stream.usage, stream.n_fed)
    except BaseException as error:
        await _failed(turn, error, stream.usage, stream.n_fed)
        raise


async def _events(response: httpx.Response, stream: Stream) -> AsyncIterator[dict[str, Any]]:
    reader = EventReader()
    async for chunk in response.aiter_raw():
        texts = reader.feed(chunk)
        if not texts:
            continue
        told, is_over = await to_thread.run_sync(_fed, stream, texts)
        for event in told:
            yield event
        if is_over:
            return
    for event in await to_thread.run_sync(stream.finish):
        yield event


def _fed(stream: Stream, texts: Sequence[str]) -> tuple[list[dict[str, Any]], bool]:
    """What may be told after these events of the service, and whether that was all."""
    told: list[dict[str, Any]] = []
    for text in texts:
        if text == DONE:
            return told + stream.finish(), True
        told += stream.feed(parsed(text))
        if stream.is_stopped:
            return told, True
    return told, False


async def _failed(turn: Turn, error: BaseException, usage: Usage | None, n: int) -> None:
    with CancelScope(shield=True):
        await to_thread.run_sync(turn.failed, error, usage, n)
