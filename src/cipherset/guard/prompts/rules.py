"""What is done about what is found: rules from a TOML file, laid over the shipped ones."""

import json
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cipherset.core.errors import InputError
from cipherset.guard.prompts.conversation import Limits, Role
from cipherset.guard.prompts.fence import Spotlight
from cipherset.guard.prompts.injection.kinds import Kind

UNREAD: Final = "unread"
_MOST_BYTES: Final = 1 << 20


class Action(StrEnum):
    """What is done, from the mildest on."""

    LOG = "log"
    WARN = "warn"
    TOKENIZE = "tokenize"
    REDACT = "redact"
    BLOCK = "block"


class Tokens(StrEnum):
    """How tokens look."""

    READABLE = "readable"
    TAGGED = "tagged"


_Where = Role | Literal["any"]
_OfText = Literal[Action.LOG, Action.WARN, Action.REDACT, Action.BLOCK]
_Count = Annotated[int, Field(gt=0)]


class PromptRules(BaseModel):
    """The rules, as ``rules.toml`` describes them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    spotlight: Spotlight
    tokens: Tokens
    most_parts: _Count
    most_characters: _Count
    most_depth: _Count
    thresholds: Mapping[Role, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
    findings: Mapping[Kind | Literal["unread"], Mapping[_Where, _OfText]]
    entities: Mapping[str, Mapping[_Where, Action]]

    @property
    def limits(self) -> Limits:
        """How much of a conversation is looked at."""
        return Limits(self.most_parts, self.most_characters, self.most_depth)

    def on_finding(self, kind: str, role: Role) -> Action:
        """What is done about a text of ``role`` in which ``kind`` was found; if unsaid, blocked."""
        return _of(self.findings.get(kind, {}), role) or Action.BLOCK  # type: ignore[call-overload]

    def on_entity(self, entity: str, role: Role) -> Action:
        """What is done about an ``entity`` in a text of ``role``; if unsaid, it is tokenized."""
        asked = _of(self.entities.get(entity, {}), role)
        return asked or _of(self.entities.get("default", {}), role) or Action.TOKENIZE


@cache
def default_rules() -> PromptRules:
    """The shipped rules."""
    return _checked("rules.toml", tomllib.loads(_shipped()))


def read_rules(path: Path) -> PromptRules:
    """The rules of a TOML file, and the shipped ones where it says nothing.

    Raises:
        InputError: ``guard_rules``: it is not there, not TOML, or asks for what there is not.
    """
    try:
        with path.open("rb") as file:
            asked = tomllib.loads(file.read(_MOST_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise _bad(path.name, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise _bad(path.name, "not TOML in UTF-8") from None
    return rules_over(asked, path.name)


def rules_over(asked: Mapping[str, Any], name: str) -> PromptRules:
    """``asked``, which is called ``name``, and the shipped rules where it says nothing.

    Raises:
        InputError: ``guard_rules``: it asks for what there is not.
    """
    rules = tomllib.loads(_shipped())
    for key, value in asked.items():
        both = isinstance(value, dict) and isinstance(rules.get(key), dict)
        rules[key] = rules[key] | value if both else value
    return _checked(name, rules)


def _checked(name: str, rules: dict[str, Any]) -> PromptRules:
    try:
        # As JSON, in which strict types take words for the members of an enum.
        return PromptRules.model_validate_json(json.dumps(rules, default=str))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        raise _bad(name, f"{where}: {first['msg']}") from None


def _of(actions: Mapping[_Where, Action], role: Role) -> Action | None:
    return actions.get(role, actions.get("any"))


def _shipped() -> str:
    return files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")


def _bad(name: str, found: str) -> InputError:
    return InputError(
        f"{name}: {found}",
        code="guard_rules",
        hint="see docs/how-to/guard-prompts.md for what a file of rules may say",
    )
