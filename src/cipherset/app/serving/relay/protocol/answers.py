"""Answers of ``/v1/chat/completions``, whole or as they come, made anew from what is known of them.

What the service says beside that (fingerprints, reasoning, probabilities of tokens) is left out.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.app.serving.relay.reply import MOST_ARGUMENTS, Channel, Guard, Told, arguments, whole
from cipherset.app.serving.relay.wire.events import garbage
from cipherset.app.serving.relay.wire.upstream import cut

_FINISHES: Final = frozenset({"stop", "length", "tool_calls", "content_filter"})
_FILTERED: Final = "content_filter"
_MOST_CALLS: Final = 64
_MOST_TOKENS: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the service counted them."""

    prompt: int
    completion: int

    def as_json(self) -> dict[str, int]:
        """As the protocol has it."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        }


@dataclass(slots=True)
class Head:
    """What stands in every piece of one answer; ids are ours, for the service's could say much."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def around(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """One object of the answer."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


def whole_answer(
    found: Mapping[str, Any], guard: Guard, told: Told, expected: "Expected"
) -> tuple[dict[str, Any], Usage | None]:
    """The answer as it may be told, and what it cost.

    Raises:
        BackendError: ``upstream_garbage``.
    """
    choices = []
    for one in _choices(found, expected.n_answers):
        message = object_of(one, "message")
        own = Told()
        shown: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        for name in ("content", "refusal"):
            text = text_of(message, name)
            shown[name] = None if text is None else whole(text, guard, own)
        calls = [expected.call(each) for each in list_of(message, "tool_calls")]
        if calls:
            shown["tool_calls"] = [
                _shown_call(call, arguments(call.arguments, guard, own)) for call in calls
            ]
        finish = _finish(one) or "stop"
        if own.is_filtered:
            finish = _FILTERED
            shown.pop("tool_calls", None)
        _add(told, own)
        choices.append({"index": one["index"], "message": shown, "finish_reason": finish})
    usage = usage_of(found)
    answer = Head(expected.model).around("chat.completion", choices)
    return answer | ({} if usage is None else {"usage": usage.as_json()}), usage


@dataclass(slots=True)
class Call:
    """A call of a tool, as far as it is there; its id is ours."""

    id: str
    name: str
    arguments: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer may be: how many, with calls of which tools, and as whose it is shown."""

    model: str
    n_answers: int
    tools: frozenset[str]

    def call(self, value: object) -> Call:
        """A whole call.

        Raises:
            BackendError: ``upstream_garbage``.
        """
        if not isinstance(value, dict):
            raise garbage("a call in it is no object")
        function = object_of(value, "function")
        name, found = function.get("name"), function.get("arguments", "")
        if name not in self.tools or not isinstance(found, str) or len(found) > MOST_ARGUMENTS:
            raise garbage("it calls a tool that was not offered, or with too much")
        return Call(f"call_{secrets.token_hex(12)}", name, found)


@dataclass(slots=True)
class _Choice:
    content: Channel
    refusal: Channel
    calls: dict[int, Call] = field(default_factory=dict)
    is_over: bool = False


class ChatStream:
    """An answer as it comes: events of the service in, chunks for the caller out."""

    def __init__(self, guard: Guard, told: Told, expected: Expected, *, shows_usage: bool) -> None:
        """``told`` is filled in on the way."""
        self._guard, self._told, self._expected = guard, told, expected
        self._shows_usage = shows_usage
        self._head = Head(expected.model)
        self._choices: dict[int, _Choice] = {}
        self.usage: Usage | None = None
        self.n_fed = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it will be told: the service may stop."""
        return len(self._choices) == self._expected.n_answers and all(
            choice.is_over for choice in self._choices.values()
        )

    @property
    def is_stopped(self) -> bool:
        """Whether it is over by the filter's word alone."""
        return self.is_over and self._told.is_filtered

    def feed(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What may be told after ``event``.

        Raises:
            BackendError: ``upstream_garbage``.
        """
        if "error" in event:
            raise cut()
        self.usage = usage_of(event) or self.usage
        found: list[dict[str, Any]] = []
        for one in _choices(event, None):
            found += self._choice(one)
        return found

    def finish(self) -> list[dict[str, Any]]:
        """The last chunks, once the service said that it was done.

        Raises:
            BackendError: ``upstream_cut``: it said so too early.
        """
        if not self.is_over:
            raise cut()
        if not self._shows_usage or self.usage is None:
            return []
        last = self._head.around("chat.completion.chunk", [])
        return [last | {"usage": self.usage.as_json()}]

    def _choice(self, one: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        index = one["index"]
        if index >= self._expected.n_answers:
            raise garbage("it has more answers than were asked for")
        choice = self._choices.get(index)
        if choice is None:
            choice = _Choice(self._guard.channel(), self._guard.channel())
            self._choices[index] = choice
            yield self._chunk(index, {"role": "assistant", "content": ""})
        if choice.is_over:
            return
        delta = object_of(one, "delta")
        for name, channel in (("content", choice.content), ("refusal", choice.refusal)):
            piece = text_of(delta, name)
            if piece:
                self.n_fed += len(piece)
                yield from self._text(index, name, channel.feed(piece))
        for call in list_of(delta, "tool_calls"):
            self._add_call(choice, call)
        finish = _finish(one)
        if finish or choice.content.is_over or choice.refusal.is_over:
            yield from self._end(index, choice, finish or "stop")

    def _end(self, index: int, choice: _Choice, finish: str) -> Iterator[dict[str, Any]]:
        choice.is_over = True
        own = Told()
        for name, channel in (("content", choice.content), ("refusal", choice.refusal)):
            yield from self._text(index, name, channel.finish())
            own.note(channel)
        calls = self._whole_calls(choice, own)
        if own.is_filtered:
            finish = _FILTERED
        elif calls:
            yield self._chunk(index, {"tool_calls": calls})
        _add(self._told, own)
        yield self._chunk(index, {}, finish)

    def _whole_calls(self, choice: _Choice, own: Told) -> list[dict[str, Any]]:
        return [
            {"index": n, **_shown_call(call, arguments(call.arguments, self._guard, own))}
            for n, call in enumerate(choice.calls.values())
        ]

    def _add_call(self, choice: _Choice, value: object) -> None:
        """A piece of a call; it is told when it is whole."""
        if not isinstance(value, dict) or not isinstance(value.get("index", 0), int):
            raise garbage("a call in it is no object")
        place = value.get("index", 0)
        function = object_of(value, "function")
        call = choice.calls.get(place)
        if call is None:
            if len(choice.calls) >= _MOST_CALLS:
                raise garbage("it has too many calls")
            choice.calls[place] = self._expected.call(value)
            self.n_fed += len(choice.calls[place].arguments)
            return
        piece = function.get("arguments") or ""
        if not isinstance(piece, str) or len(call.arguments) + len(piece) > MOST_ARGUMENTS:
            raise garbage("a call in it has too much")
        call.arguments += piece
        self.n_fed += len(piece)

    def _text(self, index: int, name: str, piece: str) -> Iterator[dict[str, Any]]:
        if piece:
            self._told.text.append(piece)
            yield self._chunk(index, {name: piece})

    def _chunk(
        self, index: int, delta: dict[str, Any], finish: str | None = None
    ) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "finish_reason": finish}
        return self._head.around("chat.completion.chunk", [choice])


def usage_of(found: Mapping[str, Any]) -> Usage | None:
    """What the service says that it cost, where it says so in whole numbers."""
    told = found.get("usage")
    if not isinstance(told, dict):
        return None
    prompt = told.get("prompt_tokens", told.get("input_tokens"))
    completion = told.get("completion_tokens", told.get("output_tokens", 0))
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    fit = all(0 <= n <= _MOST_TOKENS for n in (prompt, completion))
    return Usage(prompt, completion) if fit else None


def text_of(found: Mapping[str, Any], name: str) -> str | None:
    """A text of an answer, None where there is none.

    Raises:
        BackendError: ``upstream_garbage``.
    """
    text = found.get(name)
    if text is not None and not isinstance(text, str):
        raise garbage("a text in it is no text")
    return text


def object_of(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object of an answer, empty where there is none.

    Raises:
        BackendError: ``upstream_garbage``.
    """
    value = found.get(name) or {}
    if not isinstance(value, dict):
        raise garbage("a part of it is no object")
    return value


def list_of(found: Mapping[str, Any], name: str) -> list[Any]:
    """A list of an answer, empty where there is none.

    Raises:
        BackendError: ``upstream_garbage``.
    """
    value = found.get(name) or []
    if not isinstance(value, list) or len(value) > 4096:
        raise garbage("a part of it is no list")
    return value


def _choices(found: Mapping[str, Any], n: int | None) -> list[dict[str, Any]]:
    choices = list_of(found, "choices")
    for one in choices:
        if not isinstance(one, dict) or not isinstance(one.get("index"), int) or one["index"] < 0:
            raise garbage("a choice in it has no number")
    if n is not None and not 1 <= len(choices) <= n:
        raise garbage("it has no answer, or more than were asked for")
    return choices


def _finish(one: Mapping[str, Any]) -> str | None:
    finish = one.get("finish_reason")
    if finish is None:
        return None
    return finish if finish in _FINISHES else "stop"


def _shown_call(call: Call, shown: str) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": shown},
    }


def _add(told: Told, own: Told) -> None:
    told.text += own.text
    told.found += own.found
    told.is_filtered = told.is_filtered or own.is_filtered
    told.held += own.held
