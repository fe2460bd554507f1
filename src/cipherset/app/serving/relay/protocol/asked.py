"""A request taken apart: every text in it is a part of a conversation, and has a slot to return to.

What goes upstream is made anew from what is known of the protocol. A field that is not known here
is refused, not passed on: a text in it would be seen by nobody.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from cipherset.app.serving.retrieval.retrieve import Reference
from cipherset.core.errors import InputError
from cipherset.guard.prompts import Form, Part, Role

CONTEXT: Final = "cipherset"  # our own field of a request: what a search found, and for what
MOST_TOOLS: Final = 128
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_PURPOSE: Final = re.compile(r"[^\x00-\x1f]{1,200}")
# Said of the one who asks, or for the service's own ends: not needed for an answer, and not sent.
DROPPED: Final = frozenset(
    {"user", "metadata", "safety_identifier", "prompt_cache_key", "service_tier", "store"}
)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where part number ``place`` goes; JSON again where it was JSON."""

    place: int
    form: Form = Form.TEXT


@dataclass(slots=True)
class Texts:
    """The parts so far."""

    parts: list[Part] = field(default_factory=list, repr=False)

    def slot(self, role: Role, text: object) -> Slot:
        """The slot of a text.

        Raises:
            InputError: ``request_field``: it is no text.
        """
        if not isinstance(text, str):
            raise bad("a text is no text", "send text; other content is not looked at here")
        self.parts.append(Part(role, text))
        return Slot(len(self.parts) - 1)

    def arguments(self, role: Role, text: object) -> Slot:
        """The slot of a text that is to be JSON; it stays a text."""
        slot = self.slot(role, text)
        self.parts[-1] = Part(role, self.parts[-1].text, Form.JSON)
        return slot

    def schema(self, role: Role, value: object) -> Slot:
        """The slot of a value of JSON."""
        self.parts.append(Part(role, json.dumps(value, ensure_ascii=False), Form.JSON))
        return Slot(len(self.parts) - 1, Form.JSON)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search found that is to stand in the context, and what it is for."""

    references: tuple[Reference, ...] = ()
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in its parts.

    ``template`` is the body for the service with slots for texts; ``sent`` what the caller wrote
    himself. ``with_context`` puts what was retrieved, and notices, where the protocol has them.
    """

    service: str
    model: str
    path: str
    texts: Texts = field(repr=False)
    template: Mapping[str, Any] = field(repr=False)
    tools: frozenset[str]
    n_answers: int
    is_stream: bool
    shows_usage: bool
    wanted: Wanted
    with_context: Callable[[dict[str, Any], str, Sequence[str]], None] = field(repr=False)

    @property
    def sent(self) -> list[str]:
        """What the caller may be told again: not what tools, searches or models said."""
        own = (Role.SYSTEM, Role.DEVELOPER, Role.USER)
        return [part.text for part in self.texts.parts if part.role in own]


def filled(template: object, parts: Sequence[Part]) -> Any:  # noqa: ANN401 -- any JSON
    """``template`` with the text of each slot's part in its place."""
    if isinstance(template, Slot):
        text = parts[template.place].text
        return json.loads(text) if template.form is Form.JSON else text
    if isinstance(template, dict):
        return {key: filled(value, parts) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, parts) for value in template]
    return template


@dataclass(slots=True)
class Fields:
    """The fields of an object; each is taken once, and what nobody took is refused."""

    left: dict[str, Any] = field(repr=False)
    where: str

    @classmethod
    def of(cls, value: object, where: str) -> "Fields":
        """Those of ``value``.

        Raises:
            InputError: ``request_field``: it is no object.
        """
        if not isinstance(value, dict):
            raise bad(f"{where} is no object", "compare it with the protocol")
        return cls({key: one for key, one in value.items() if one is not None}, where)

    def take(self, name: str, default: object = None) -> Any:  # noqa: ANN401 -- any JSON
        """The value of ``name``."""
        return self.left.pop(name, default)

    def plain(self, *names: str) -> dict[str, Any]:
        """Those of ``names`` that are there: numbers and booleans, which say nothing."""
        found = {name: self.left.pop(name) for name in names if name in self.left}
        for name, value in found.items():
            if not isinstance(value, bool | int | float) or not isfinite(value):
                raise bad(f"{self.where}.{name} is no number", "compare it with the protocol")
        return found

    def one_of(self, name: str, *words: str) -> dict[str, Any]:
        """``name``, where it is there, as one of ``words``."""
        if name not in self.left:
            return {}
        if self.left[name] not in words:
            raise bad(f"{self.where}.{name} is none of {', '.join(words)}", "choose one of these")
        return {name: self.left.pop(name)}

    def listed(self, name: str) -> list[Any]:
        """A list, empty where it is not there."""
        found = self.left.pop(name, [])
        if not isinstance(found, list):
            raise bad(f"{self.where}.{name} is no list", "compare it with the protocol")
        return found

    def drop(self, names: frozenset[str]) -> None:
        """Take ``names`` and forget them."""
        for name in names & self.left.keys():
            del self.left[name]

    def done(self) -> None:
        """Nothing, where every field was taken.

        Raises:
            InputError: ``request_field``.
        """
        if self.left:
            known = sorted(name for name in self.left if _NAME.fullmatch(name))[:4]
            raise bad(
                f"{self.where} has fields that are not passed on: {', '.join(known) or '…'}",
                "leave them out: what they hold is not looked at here",
            )


def wanted_of(fields: Fields) -> Wanted:
    """What of a search is to stand in the context.

    Raises:
        InputError: ``request_field``.
    """
    told = fields.take(CONTEXT)
    if told is None:
        return Wanted()
    own = Fields.of(told, CONTEXT)
    purpose = own.take("purpose", "")
    found = []
    for one in own.listed("context"):
        each = Fields.of(one, f"{CONTEXT}.context")
        dataset, row = each.take("dataset"), each.take("id")
        each.done()
        if not isinstance(dataset, str) or not isinstance(row, str):
            raise bad("what is wanted has a dataset and an id", "send hits of a search")
        found.append(Reference(dataset, row))
    own.done()
    if found and not (isinstance(purpose, str) and _PURPOSE.fullmatch(purpose)):
        raise bad("what is retrieved is for a purpose", f"say it: {CONTEXT}.purpose")
    return Wanted(tuple(found), purpose)


def model_of(fields: Fields) -> tuple[str, str]:
    """The service and the model that are asked.

    Raises:
        InputError: ``request_field``.
    """
    told = fields.take("model")
    service, slash, model = told.partition("/") if isinstance(told, str) else ("", "", "")
    if not (service and slash and model):
        raise bad("the model is not called SERVICE/MODEL", "see which there are: GET /v1/models")
    return service, model


def named(value: object) -> str:
    """The name of a function.

    Raises:
        InputError: ``request_field``.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise bad("a function has no name, or one that cannot be", "letters, digits, _ and -")
    return value


def identified(value: object) -> str:
    """The id of a call.

    Raises:
        InputError: ``request_field``.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise bad("a call has no id, or one that cannot be", "send the id as it came")
    return value


def bad(what: str, hint: str) -> InputError:
    """The refusal of a request that is not in its form; its values are not in it."""
    return InputError(what, code="request_field", hint=hint)
