"""A conversation with its parts kept apart: who speaks is said by structure, never by text.

Instructions come from ``system`` and ``developer``, requests from ``user``. What a tool gave back
or a search brought up is data, whatever it says, and ``fence`` marks it as such.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cipherset.core.errors import InputError


class Role(StrEnum):
    """Whose words a part holds."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    RETRIEVED = "retrieved"


TRUSTED: Final = frozenset({Role.SYSTEM, Role.DEVELOPER})
UNTRUSTED: Final = frozenset({Role.TOOL, Role.RETRIEVED})


class Form(StrEnum):
    """How a part is written: prose, or JSON whose strings are looked at one by one."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Part:
    """One message, tool result, retrieved chunk, or the arguments of one tool call."""

    role: Role
    text: str = field(repr=False)
    form: Form = Form.TEXT


@dataclass(frozen=True, slots=True)
class Conversation:
    """Parts in their order."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a conversation is looked at; more is refused. ``most_depth`` is that of JSON."""

    most_parts: int = 512
    most_characters: int = 400_000
    most_depth: int = 32


def check_limits(conversation: Conversation, limits: Limits) -> None:
    """Nothing, where ``conversation`` keeps within ``limits``.

    Raises:
        InputError: ``prompt_parts``, ``prompt_length`` or ``prompt_depth``.
    """
    parts = conversation.parts
    if len(parts) > limits.most_parts:
        raise InputError(
            f"the conversation has {len(parts)} parts, and may have {limits.most_parts}",
            code="prompt_parts",
            hint="leave out the oldest messages",
        )
    length = sum(len(part.text) for part in parts)
    if length > limits.most_characters:
        raise InputError(
            f"the conversation has {length} characters, and may have {limits.most_characters}",
            code="prompt_length",
            hint="send less text, or leave out the oldest messages",
        )
    for place, part in enumerate(parts):
        if part.form is Form.JSON and depth(part.text) > limits.most_depth:
            raise InputError(
                f"part {place} is JSON of more than {limits.most_depth} levels",
                code="prompt_depth",
                hint="send flatter arguments",
            )


def depth(text: str) -> int:
    """How many brackets of JSON are open at once in ``text``, outside of its strings."""
    deepest = level = 0
    in_string = escaped = False
    for letter in text:
        if in_string:
            in_string = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            in_string = True
        elif letter in "[{":
            level += 1
            deepest = max(deepest, level)
        elif letter in "]}":
            level -= 1
    return deepest
