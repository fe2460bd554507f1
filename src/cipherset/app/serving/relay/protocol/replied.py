"""Answers of ``/v1/responses``, whole or as they come, made anew from what is known of them."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.app.serving.relay.protocol.answers import (
    Call,
    Expected,
    Usage,
    list_of,
    object_of,
    text_of,
    usage_of,
)
from cipherset.app.serving.relay.reply import Channel, Guard, Told, arguments, whole
from cipherset.app.serving.relay.wire.events import garbage
from cipherset.app.serving.relay.wire.upstream import cut

_MOST_ITEMS: Final = 64
_TEXTS: Final = {"output_text": "text", "refusal": "refusal"}
_ENDS: Final = frozenset({"response.completed", "response.incomplete"})


def whole_response(
    found: Mapping[str, Any], guard: Guard, told: Told, expected: Expected
) -> tuple[dict[str, Any], Usage | None]:
    """The response as it may be told, and what it cost.

    Raises:
        BackendError: ``upstream_garbage``, ``upstream_cut``.
    """
    shape = Shape(expected.model)
    if found.get("status") not in ("completed", "incomplete"):
        raise cut()
    output = []
    for item in _typed(list_of(found, "output")[:_MOST_ITEMS]):
        if item["type"] == "message":
            texts = (_part(part) for part in _typed(list_of(item, "content")))
            output += [
                shape.message(whole(text, guard, told)) for text in texts if text is not None
            ]
        elif item["type"] == "function_call":
            call = expected.call({"function": item})
            output.append(shape.call(call, arguments(call.arguments, guard, told)))
    if told.is_filtered:
        output = [one for one in output if one["type"] == "message"]
    usage = usage_of(found)
    is_cut = found.get("status") == "incomplete"
    return shape.whole(output, usage, _why(told, is_cut=is_cut)), usage


@dataclass(slots=True)
class Shape:
    """What stands in every piece of one response; ids are ours."""

    model: str
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def message(self, text: str, status: str = "completed") -> dict[str, Any]:
        """An item with a text."""
        return {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [self.part(text)],
        }

    def part(self, text: str) -> dict[str, Any]:
        """A text within an item."""
        return {"type": "output_text", "text": text, "annotations": []}

    def call(self, call: Call, shown: str) -> dict[str, Any]:
        """An item with a call."""
        return {
            "id": f"fc_{secrets.token_hex(12)}",
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": shown,
            "status": "completed",
        }

    def whole(
        self, output: list[dict[str, Any]], usage: Usage | None, why: str | None
    ) -> dict[str, Any]:
        """The response; ``why`` it is incomplete, if it is."""
        return {
            **self.begun(),
            "status": "completed" if why is None else "incomplete",
            "incomplete_details": None if why is None else {"reason": why},
            "output": output,
            "usage": None if usage is None else _usage(usage),
        }

    def begun(self) -> dict[str, Any]:
        """The response before anything of it is there."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "model": self.model,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "temperature": None,
            "top_p": None,
        }


class ResponseStream:
    """A response as it comes: one message of all its text, and then its calls, each whole."""

    def __init__(self, guard: Guard, told: Told, expected: Expected) -> None:
        """``told`` is filled in on the way."""
        self._guard, self._told, self._expected = guard, told, expected
        self._shape = Shape(expected.model)
        self._channel: Channel | None = None
        self._item: dict[str, Any] = {}
        self._texts: list[str] = []
        self._calls: list[Call] = []
        self._number = -1
        self._is_over = False
        self.usage: Usage | None = None
        self.n_fed = 0

    @property
    def is_stopped(self) -> bool:
        """Whether it is over by the filter's word alone."""
        return self._is_over and self._told.is_filtered

    def feed(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What may be told after ``event``.

        Raises:
            BackendError: ``upstream_garbage``; ``upstream_cut``: the service failed at it.
        """
        if self._is_over:
            return []
        return list(self._events(event))

    def finish(self) -> list[dict[str, Any]]:
        """Nothing more, once it was complete.

        Raises:
            BackendError: ``upstream_cut``: it was not.
        """
        if not self._is_over:
            raise cut()
        return []

    def _events(self, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        kind = event.get("type")
        if self._number < 0:
            yield self._event("response.created", {"response": self._shape.begun()})
            yield self._event("response.in_progress", {"response": self._shape.begun()})
        if kind in ("error", "response.failed") or "error" in event:
            raise cut()
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            yield from self._text(text_of(event, "delta") or "")
        elif kind == "response.output_item.done":
            self._add_call(object_of(event, "item"))
        elif kind in _ENDS:
            self.usage = usage_of(object_of(event, "response"))
            yield from self._end(is_cut=kind == "response.incomplete")
        if self._channel is not None and self._channel.is_over and not self._is_over:
            yield from self._end(is_cut=False)

    def _text(self, piece: str) -> Iterator[dict[str, Any]]:
        if self._channel is None:
            self._channel = self._guard.channel()
            self._item = self._shape.message("", "in_progress")
            shown = {**self._item, "content": []}
            yield self._event("response.output_item.added", {"output_index": 0, "item": shown})
            part = self._shape.part("")
            yield self._event("response.content_part.added", {**self._at(), "part": part})
        self.n_fed += len(piece)
        yield from self._delta(self._channel.feed(piece))

    def _delta(self, told: str) -> Iterator[dict[str, Any]]:
        if told:
            self._texts.append(told)
            self._told.text.append(told)
            yield self._event(
                "response.output_text.delta", {**self._at(), "delta": told, "logprobs": []}
            )

    def _add_call(self, item: Mapping[str, Any]) -> None:
        if item.get("type") != "function_call":
            return
        if len(self._calls) >= _MOST_ITEMS:
            raise garbage("it has too many calls")
        call = self._expected.call({"function": item})
        self.n_fed += len(call.arguments)
        self._calls.append(call)

    def _end(self, *, is_cut: bool) -> Iterator[dict[str, Any]]:
        self._is_over = True
        output = []
        if self._channel is not None:
            yield from self._delta(self._channel.finish())
            self._told.note(self._channel)
            text = "".join(self._texts)
            part = self._shape.part(text)
            done = {**self._item, "status": "completed", "content": [part]}
            yield self._event(
                "response.output_text.done", {**self._at(), "text": text, "logprobs": []}
            )
            yield self._event("response.content_part.done", {**self._at(), "part": part})
            yield self._event("response.output_item.done", {"output_index": 0, "item": done})
            output.append(done)
        shown = [arguments(call.arguments, self._guard, self._told) for call in self._calls]
        if not self._told.is_filtered:
            for call, text in zip(self._calls, shown, strict=True):
                item = self._shape.call(call, text)
                yield from self._call(len(output), item)
                output.append(item)
        why = _why(self._told, is_cut=is_cut)
        last = "response.completed" if why is None else "response.incomplete"
        yield self._event(last, {"response": self._shape.whole(output, self.usage, why)})

    def _call(self, place: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        begun = {**item, "arguments": "", "status": "in_progress"}
        at = {"output_index": place, "item_id": item["id"]}
        text, name = item["arguments"], item["name"]
        yield self._event("response.output_item.added", {"output_index": place, "item": begun})
        yield self._event("response.function_call_arguments.delta", {**at, "delta": text})
        done = "response.function_call_arguments.done"
        yield self._event(done, {**at, "arguments": text, "name": name})
        yield self._event("response.output_item.done", {"output_index": place, "item": item})

    def _at(self) -> dict[str, Any]:
        return {"item_id": self._item["id"], "output_index": 0, "content_index": 0}

    def _event(self, kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
        self._number += 1
        return {"type": kind, "sequence_number": self._number, **told}


def _typed(items: Sequence[object]) -> Iterator[dict[str, Any]]:
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise garbage("a part of it is of no type")
        yield item


def _part(part: Mapping[str, Any]) -> str | None:
    """The text of a part; of a part that is none, nothing."""
    name = _TEXTS.get(part["type"])
    return None if name is None else text_of(part, name)


def _why(told: Told, *, is_cut: bool) -> str | None:
    if told.is_filtered:
        return "content_filter"
    return "max_output_tokens" if is_cut else None


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt + usage.completion,
    }
