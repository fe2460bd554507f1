"""How sensitive something is, where it came from, and what may be mixed; never a value of it.

A label belongs to a column, a source, or what was made of either. Joined, the highest level and
every tag and trust remain: what is derived is never labeled lower than what it was made of.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from cipherset.core.errors import IntegrityError, PolicyError


class Level(StrEnum):
    """Who may see it, lowest first; compare by ``rank``, for text compares by its letters."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """0 for public to 3 for restricted."""
        return list(Level).index(self)


class Tag(StrEnum):
    """What kind of sensitive: of persons, health, cards, secrets, GDPR article 9 and 10."""

    PII = "PII"
    PHI = "PHI"
    PCI = "PCI"
    SECRET = "SECRET"  # noqa: S105 -- the name of a tag
    SPECIAL = "SPECIAL"


class Trust(StrEnum):
    """Who answers for a source's rows; its owner says which."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
    PARTNER = "partner"
    PUBLIC = "public"
    CRAWLED = "crawled"


EXTERNAL: Final = frozenset({Trust.PARTNER, Trust.PUBLIC, Trust.CRAWLED})


class Label(BaseModel):
    """A level, its tags, and the trust of everything it was made of; both sorted."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    level: Level
    tags: tuple[Tag, ...] = ()
    trusts: tuple[Trust, ...] = ()

    @field_validator("tags", "trusts")
    @classmethod
    def _sorted(cls, values: tuple[StrEnum, ...]) -> tuple[StrEnum, ...]:
        return tuple(sorted(set(values)))

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """The label of what ``as_json`` gave.

        Raises:
            IntegrityError: ``label_schema``.
        """
        try:
            return cls.model_validate(dict(value), strict=False)
        except ValidationError:
            raise IntegrityError(
                "a label in the ledger is not one that this version wrote",
                code="label_schema",
                hint="restore the workspace from a backup",
            ) from None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return self.model_dump(mode="json")

    @property
    def is_external(self) -> bool:
        """Whether anybody outside answers for some of it."""
        return not EXTERNAL.isdisjoint(self.trusts)

    def is_lower_than(self, other: "Label") -> bool:
        """Whether it demands less than ``other``: a lower level, a tag less, or an outside less."""
        outside = EXTERNAL.intersection(other.trusts)
        return (
            self.level.rank < other.level.rank
            or not set(other.tags) <= set(self.tags)
            or not outside <= set(self.trusts)
        )


def joined(labels: Iterable[Label | None]) -> Label | None:
    """The highest level with every tag and trust; None where no label is known.

    >>> one = Label(level=Level.INTERNAL, trusts=(Trust.CRAWLED,))
    >>> joined([one, None, Label(level=Level.RESTRICTED, tags=(Tag.PCI,))]).level.value
    'restricted'
    """
    known = [label for label in labels if label is not None]
    if not known:
        return None
    if len(known) == 1:  # most are of one source, and there may be thousands
        return known[0]
    return Label(
        level=max((label.level for label in known), key=lambda level: level.rank),
        tags=tuple(tag for label in known for tag in label.tags),
        trusts=tuple(trust for label in known for trust in label.trusts),
    )


def mixes(labels: Sequence[Label]) -> bool:
    """Whether rows of a restricted source would train together with those of another, outside one.

    Outside rows can be planted to draw out what the model learned of the others, and whoever
    answers for them has no say in where restricted rows go.
    """
    return any(
        one.level is Level.RESTRICTED and other.is_external
        for i, one in enumerate(labels)
        for j, other in enumerate(labels)
        if i != j
    )


def check_mixing(labels: Sequence[Label], *, accepted: str | None = None) -> bool:
    """Whether restricted and outside rows are mixed, which takes an ``accepted`` reason.

    Args:
        labels: One label for each source of what is to train together.
        accepted: Why it may be all the same; the caller writes it down.

    Raises:
        PolicyError: ``mixing``.
    """
    mixed = mixes(labels)
    if mixed and accepted is None:
        trusts = sorted({trust for label in labels if label.is_external for trust in label.trusts})
        raise PolicyError(
            "restricted rows would train together with rows from outside "
            f"({', '.join(trusts)}), of which nobody here knows how they were chosen",
            code="mixing",
            hint="use another key, so that they stay apart, or record why they may be mixed: "
            "--accept-mixing REASON",
        )
    return mixed
