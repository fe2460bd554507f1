"""Attacks on prompts, as data: a small set of our own, and files of the same form.

A file is JSON Lines: ``text``, and ``kind`` (injection, jailbreak or benign) or ``label`` (1 or 0);
``role`` is whose words it is, user where nothing is said. Lines of other keys are allowed.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.guard.prompts import Role

MOST_ATTACKS: Final = 100_000
MOST_CHARACTERS: Final = 100_000


class Intent(StrEnum):
    """What a text is up to."""

    INJECTION = "injection"
    JAILBREAK = "jailbreak"
    BENIGN = "benign"


_BY_LABEL: Final = {1: Intent.JAILBREAK, 0: Intent.BENIGN}


@dataclass(frozen=True, slots=True)
class PromptAttack:
    """A text, whose words it is, and what it is up to."""

    text: str = field(repr=False)
    intent: Intent
    role: Role


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    text: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    kind: Intent | None = None
    label: Literal[0, 1] | None = None
    role: Role = Role.USER

    def attack(self) -> PromptAttack | None:
        """The attack, None where nothing says what it is up to."""
        intent = self.kind or (None if self.label is None else _BY_LABEL[self.label])
        return None if intent is None else PromptAttack(self.text, intent, self.role)


@cache
def shipped() -> tuple[PromptAttack, ...]:
    """The set that comes with the package."""
    text = files(__package__).joinpath("prompts.toml").read_text(encoding="utf-8")
    return tuple(_shipped(tomllib.loads(text)))


def _shipped(told: Mapping[str, Mapping[str, list[str]]]) -> Iterator[PromptAttack]:
    for intent, roles in told.items():
        for role, texts in roles.items():
            yield from (PromptAttack(text, Intent(intent), Role(role)) for text in texts)


@cache
def values() -> tuple[tuple[str, str], ...]:
    """Replies with a made-up value in them, and the value."""
    text = files(__package__).joinpath("values.toml").read_text(encoding="utf-8")
    return tuple((each["reply"], each["value"]) for each in tomllib.loads(text)["values"])


def read_attacks(path: Path) -> tuple[PromptAttack, ...]:
    """The attacks of a file.

    Raises:
        InputError: ``redteam_injections``: a line is none, or there are none or too many.
        BackendError: it cannot be read.
    """
    found: list[PromptAttack] = []
    with disk_errors(path), path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if raw.strip():
                found.append(_read(path, number, raw))
            if len(found) > MOST_ATTACKS:
                raise _bad(path, f"has more than {MOST_ATTACKS} lines")
    if not found:
        raise _bad(path, "has no attack in it")
    return tuple(found)


def _read(path: Path, number: int, raw: bytes) -> PromptAttack:
    try:
        attack = _Row.model_validate(json.loads(raw)).attack()
    except (ValueError, RecursionError):
        attack = None
    if attack is None:
        raise _bad(path, f"line {number} is no attack")
    return attack


def _bad(path: Path, found: str) -> InputError:
    return InputError(
        f"{path.name} {found}",
        code="redteam_injections",
        hint='write JSON Lines such as {"text": "…", "kind": "injection", "role": "retrieved"}; '
        "kind is injection, jailbreak or benign",
    )
