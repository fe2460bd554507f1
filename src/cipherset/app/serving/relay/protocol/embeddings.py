"""``/v1/embeddings``: texts in, with tokens for what must not leave; vectors out.

A token stands for another value in each request, so a vector of a text with a value in it is that
of the text with a token. Source: the OpenAI API reference, "Create embeddings", as of 2026.
"""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cipherset.app.serving.relay.protocol.answers import Usage, list_of, usage_of
from cipherset.app.serving.relay.protocol.asked import (
    DROPPED,
    Asked,
    Fields,
    Texts,
    Wanted,
    bad,
    model_of,
)
from cipherset.app.serving.relay.wire.events import garbage
from cipherset.guard.prompts import Role

PATH: Final = "/embeddings"
_MOST_DIM: Final = 65_536
_FLOAT_BYTES: Final = 4


def embeddings_asked(body: object) -> Asked:
    """The parts of a request for embeddings.

    Raises:
        InputError: ``request_field``.
    """
    fields, texts = Fields.of(body, "the request"), Texts()
    fields.drop(DROPPED)
    service, model = model_of(fields)
    given = fields.take("input")
    template: dict[str, Any] = {"model": model, **fields.plain("dimensions")}
    template |= fields.one_of("encoding_format", "float", "base64")
    fields.done()
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not listed:
        raise bad("input is neither a text nor texts", "send text, not numbers of tokens")
    slots = [texts.slot(Role.USER, one) for one in listed]
    template["input"] = slots[0] if isinstance(given, str) else slots
    return Asked(
        service=service,
        model=model,
        path=PATH,
        texts=texts,
        template=template,
        tools=frozenset(),
        n_answers=len(listed),
        is_stream=False,
        shows_usage=True,
        wanted=Wanted(),
        with_context=_without_context,
    )


def embeddings_answer(
    found: Mapping[str, Any], model: str, n_answers: int
) -> tuple[dict[str, Any], Usage | None]:
    """The vectors as they may be told: numbers, one for each text.

    Raises:
        BackendError: ``upstream_garbage``.
    """
    data = list_of(found, "data")
    if len(data) != n_answers or not all(isinstance(one, dict) for one in data):
        raise garbage("it has not one vector for each text")
    vectors = {one.get("index"): _vector(one.get("embedding")) for one in data}
    if set(vectors) != set(range(n_answers)):
        raise garbage("it has not one vector for each text")
    usage = usage_of(found)
    told = [{"object": "embedding", "index": n, "embedding": vectors[n]} for n in range(n_answers)]
    n_tokens = 0 if usage is None else usage.prompt
    counted = {"prompt_tokens": n_tokens, "total_tokens": n_tokens}
    return {"object": "list", "data": told, "model": model, "usage": counted}, usage


def _vector(value: object) -> str | list[float]:
    """Numbers, or the base64 of little-endian float32, and nothing else that it could hold."""
    if isinstance(value, list) and 0 < len(value) <= _MOST_DIM and all(map(_is_number, value)):
        return value
    if isinstance(value, str):
        try:
            raw = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if raw and len(raw) % _FLOAT_BYTES == 0 and len(raw) <= _MOST_DIM * _FLOAT_BYTES:
            return value
    raise garbage("a vector in it is none")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _without_context(body: dict[str, Any], notice: str, retrieved: Sequence[str]) -> None:
    """There is no place for words beside the texts."""
