"""The rules of sanitizing as values, and as the one JSON form that is kept and digested."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.core import canonical
from cipherset.pipeline.sanitize.treat import Rule, Treatments

SCHEMA: Final = "cipherset/rules/1"


@dataclass(frozen=True, slots=True)
class Terms:
    """Words of the owner's, and the kind of entity that they are."""

    entity: str
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """Which detectors look, and what becomes of what they find.

    ``use`` is None where all that are built in look; ``gliner`` is the directory of a model.
    ``languages`` are ISO 639-1 codes.
    """

    use: tuple[str, ...] | None
    skip: tuple[str, ...]
    extras: tuple[str, ...]
    terms: tuple[Terms, ...]
    entities: Mapping[str, Rule | None]
    default: Rule
    phone_region: str
    languages: tuple[str, ...]
    gliner: str | None = None

    @property
    def treatments(self) -> Treatments:
        """The rule of each kind of entity."""
        by_entity = {name: rule for name, rule in self.entities.items() if rule is not None}
        return Treatments(by_entity, self.default, self.phone_region)

    def as_json(self) -> dict[str, Any]:
        """All of it, the owner's words too; ``policy_of`` reads it again."""
        detectors: dict[str, Any] = {"skip": list(self.skip), "extras": list(self.extras)}
        if self.use is not None:
            detectors["use"] = list(self.use)
        if self.gliner is not None:
            detectors["gliner"] = self.gliner
        return {
            "schema": SCHEMA,
            "detectors": detectors,
            "terms": [{"entity": each.entity, "words": list(each.words)} for each in self.terms],
            "defaults": _rule(self.default) | {"phone_region": self.phone_region},
            "entities": {name: _rule(rule) for name, rule in self.entities.items()},
            "languages": {"expected": list(self.languages)},
        }

    @property
    def text(self) -> str:
        """The canonical JSON text; the owner's words are in it, so it is kept sealed."""
        return canonical.encode(self.as_json()).decode()

    @property
    def digest(self) -> str:
        """Of the JSON form: two files that ask for the same have one."""
        return canonical.digest(self.as_json())


def _rule(rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"treatment": "default"}
    kept = {"keep_last": rule.keep_last} if rule.keep_last else {}
    return {"treatment": rule.treatment.value} | kept
