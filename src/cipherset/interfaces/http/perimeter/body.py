"""A body read within its size, its time and its depth, before anything parses it."""

import asyncio
import json
import re
from typing import Final

from starlette.types import Message, Receive

from cipherset.core.errors import InputError

# A string of JSON, closed or not, so that a search never goes back.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_OPENING: Final = b"[{"
# Of a byte or two the parser makes up to a hundred, before it is known who asks.
MOST_ITEMS: Final = 1 << 22


class ClientGoneError(Exception):
    """Whoever asked has hung up; nobody is left to be told."""


async def read_body(receive: Receive, *, most_bytes: int, within_s: float) -> bytes:
    """The whole body.

    Raises:
        InputError: ``body_too_large``, ``body_too_slow``.
        ClientGoneError: the connection ended first.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientGoneError
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most_bytes:
                    raise body_too_large(most_bytes)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise InputError(
            f"the request's body was not there after {within_s:g} s",
            code="body_too_slow",
            hint="send it at once",
        ) from None


async def drain(receive: Receive, *, most_bytes: int, within_s: float) -> None:
    """Read on and forget, until the body ends, that many bytes have come, or it took that long."""
    size = 0
    try:
        async with asyncio.timeout(within_s):
            while size < most_bytes:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def body_too_large(most_bytes: int) -> InputError:
    """The refusal of a body above the limit."""
    return InputError(
        f"the request's body has more than {most_bytes} bytes",
        code="body_too_large",
        hint="send it in parts",
    )


def replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that has ``body`` once, and goes on with what the connection says after."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again


def check_json(raw: bytes, most_depth: int) -> None:
    """Nothing, where lists and objects in ``raw`` are no deeper than that, and text is Unicode.

    They hold at most ``MOST_ITEMS`` together, which is more than a body of the usual size has.

    Whether it is JSON at all is for the parser to say.

    Raises:
        InputError: ``json_items``, ``json_depth``, ``json_text``.
    """
    bare = _STRING.sub(b"", raw)
    if sum(map(bare.count, (b",", b"[", b"{"))) > MOST_ITEMS:
        raise InputError(
            f"the request's JSON holds more than {MOST_ITEMS:,} items",
            code="json_items",
            hint="send less at a time",
        )
    depth = deepest = 0
    for match in _BRACKET.finditer(bare):
        depth += 1 if match[0] in _OPENING else -1
        deepest = max(deepest, depth)
    if deepest > most_depth:
        raise InputError(
            f"the request's JSON is nested deeper than {most_depth} levels",
            code="json_depth",
            hint="see the route's schema in /openapi.json",
        )
    if _SURROGATE.search(raw):  # seldom: half of a pair is no character
        _check_text(raw)


def _check_text(raw: bytes) -> None:
    try:
        json.dumps(json.loads(raw), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(
            "the request holds half of a surrogate pair, which is no character",
            code="json_text",
            hint="send text that is Unicode",
        ) from None
    except ValueError:
        return
