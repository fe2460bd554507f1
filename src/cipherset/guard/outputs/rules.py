"""What becomes of findings in a reply, as its owner wrote it, and how a label makes it stricter.

    [copies]             words that stand in rows
    [personal]           entities of persons; single ones under [personal.entities]
    [secrets]            passwords, tokens, keys
    [canaries]           planted rows
    [topics]             what is not spoken of (deny), or all that is (allow)
    [context.LEVEL]      replies made from context of this level or above: stricter, never milder

Each has a ``remedy``: pass, replace, review or block.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator

from cipherset.core.errors import InputError
from cipherset.core.labels import Label, Level
from cipherset.guard.outputs.findings import UNREADABLE, Kind, Remedy, strictest

_FEWEST_WORDS: Final = 6  # the index knows no shorter n-gram
_MOST_WORDS: Final = 64
# Of no single person, and what most replies are made of.
_ORDINARY: Final = ("AMOUNT", "LOCATION", "ORGANIZATION", "URL")

Entity = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Copies(_Strict):
    """From how many words on a copy counts, and from how many bits on: 0, every one does.

    ``caller_may_repeat``: what stands in the prompt is not held back, or whoever sends a row and
    has it repeated would learn whether it is one.
    """

    remedy: Remedy = Remedy.BLOCK
    least_words: int = Field(default=8, ge=_FEWEST_WORDS, le=_MOST_WORDS, strict=True)
    least_bits: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    caller_may_repeat: StrictBool = True


class Personal(_Strict):
    """A remedy for all entities, and for some another one."""

    remedy: Remedy = Remedy.REPLACE
    entities: Mapping[Entity, Remedy] = Field(
        default_factory=lambda: dict.fromkeys(_ORDINARY, Remedy.PASS)
    )
    caller_may_repeat: StrictBool = True


class Secrets(_Strict):
    """Passwords, tokens, keys."""

    remedy: Remedy = Remedy.BLOCK
    caller_may_repeat: StrictBool = True


class CanaryRule(_Strict):
    """Planted rows: nobody else knows them."""

    remedy: Remedy = Remedy.BLOCK


class Topics(_Strict):
    """What is not spoken of, or all that is: one of the two lists.

    ``terms`` are the owner's words by topic, for whoever builds the detectors.
    """

    remedy: Remedy = Remedy.BLOCK
    terms: Mapping[Entity, tuple[str, ...]] = Field(default_factory=dict, repr=False)
    deny: tuple[Entity, ...] = ()
    allow: tuple[Entity, ...] | None = None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if self.deny and self.allow is not None:
            raise ValueError("deny and allow exclude each other")
        return self

    def limits(self, topic: str) -> bool:
        """Whether ``topic`` is not to be spoken of."""
        if self.allow is None:
            return topic in self.deny or (bool(self.deny) and topic == UNREADABLE)
        return topic not in self.allow


class InContext(_Strict):
    """What is at least done where the context has this level; what is left out stays."""

    copies: Remedy = Remedy.PASS
    personal: Remedy = Remedy.PASS
    entities: Mapping[Entity, Remedy] = Field(default_factory=dict)
    secrets: Remedy = Remedy.PASS
    canaries: Remedy = Remedy.PASS
    topics: Remedy = Remedy.PASS
    every_copy: StrictBool = False


_IN_CONTEXT: Final = {
    Level.CONFIDENTIAL: InContext(every_copy=True),
    Level.RESTRICTED: InContext(personal=Remedy.BLOCK, copies=Remedy.BLOCK, every_copy=True),
}


class OutputRules(_Strict):
    """All of it; the defaults are those that hold where nobody wrote any."""

    copies: Copies = Copies()
    personal: Personal = Personal()
    secrets: Secrets = Secrets()
    canaries: CanaryRule = CanaryRule()
    topics: Topics = Topics()
    context: Mapping[Level, InContext] = Field(default_factory=lambda: dict(_IN_CONTEXT))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The rules of a TOML text.

        Raises:
            InputError: ``output_rules``: not TOML, or a key or value that there is not.
        """
        try:
            asked = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            raise _refused("not TOML") from None
        return cls.over(asked)

    @classmethod
    def over(cls, asked: Mapping[str, Any]) -> Self:
        """The rules that ``asked`` says, and the defaults where it says nothing.

        Raises:
            InputError: ``output_rules``: a key or value that there is not.
        """
        try:
            return cls.model_validate(dict(asked))
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "topics"
            raise _refused(f"{where} is not known here, or is not what it can be") from None

    def under(self, context: Label | None) -> "Ruled":
        """What holds for a reply made from context with this label; None: from no context.

        With a higher label every remedy is the same or stricter.
        """
        rank = -1 if context is None else context.level.rank
        more = [each for level, each in self.context.items() if level.rank <= rank]
        return Ruled(self, tuple(more))


@dataclass(frozen=True, slots=True)
class Ruled:
    """The rules as they hold for one reply."""

    rules: OutputRules
    more: tuple[InContext, ...] = field(default=())

    @property
    def least_bits(self) -> float:
        """From how many bits on a copy counts."""
        every = any(each.every_copy for each in self.more)
        return 0.0 if every else self.rules.copies.least_bits

    def remedy(self, kind: Kind, name: str) -> Remedy:
        """What becomes of a finding of ``kind`` that is called ``name``."""
        if kind is Kind.ENDLESS:
            return Remedy.BLOCK
        if kind is Kind.PERSONAL:
            return self._personal(name)
        if kind is Kind.TOPIC and not self.rules.topics.limits(name):
            return Remedy.PASS
        sources: tuple[OutputRules | InContext, ...] = (self.rules, *self.more)
        return strictest(*(_of(kind, each) for each in sources))

    def may_repeat(self, kind: Kind) -> bool:
        """Whether what stands in the prompt is left standing."""
        rules = self.rules
        return {
            Kind.COPY: rules.copies.caller_may_repeat,
            Kind.PERSONAL: rules.personal.caller_may_repeat,
            Kind.SECRET: rules.secrets.caller_may_repeat,
        }.get(kind, False)

    def _personal(self, entity: str) -> Remedy:
        """A context's remedy for all entities is for those that do not pass anyway."""
        rule = self.rules.personal
        base = rule.entities.get(entity, rule.remedy)
        if entity == UNREADABLE:
            base = strictest(base, Remedy.REPLACE)
        general = () if base is Remedy.PASS else tuple(each.personal for each in self.more)
        single = (each.entities.get(entity, Remedy.PASS) for each in self.more)
        return strictest(base, *general, *single)


def _of(kind: Kind, source: OutputRules | InContext) -> Remedy:
    """What ``source`` says of a kind, the entities of persons aside."""
    section = _SECTIONS[kind](source)
    return section if isinstance(section, Remedy) else section.remedy


_Section = Remedy | Copies | Secrets | CanaryRule | Topics
_SECTIONS: Final[Mapping[Kind, Callable[[OutputRules | InContext], _Section]]] = {
    Kind.COPY: lambda source: source.copies,
    Kind.SECRET: lambda source: source.secrets,
    Kind.CANARY: lambda source: source.canaries,
    Kind.TOPIC: lambda source: source.topics,
}


def _refused(what: str) -> InputError:
    return InputError(
        f"the rules for outputs: {what}",
        code="output_rules",
        hint="see docs/how-to/guard-outputs.md for the sections and their keys",
    )
