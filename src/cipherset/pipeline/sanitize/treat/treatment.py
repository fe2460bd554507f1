"""What can be done with a finding, from what leaves nothing to what leaves all of it.

    remove       nothing stands there
    placeholder  its kind, as in ``[EMAIL]``
    token        its kind and a keyed token, the same for the same value
    surrogate    a made-up value of the same kind, the same for the same value
    sealed       its kind and the value under the key, which opens again through the gate
    generalize   something coarser: the month of a date, the range of an amount
    mask         asterisks, with the last characters kept where a rule says so
    keep         the value itself: what was found is not treated

Where findings overlap, the first of their treatments in this order is what is done to all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Treatment(StrEnum):
    """What is done with a finding; strictest first."""

    REMOVE = "remove"
    PLACEHOLDER = "placeholder"
    TOKEN = "token"  # noqa: S105 -- a name, not a password
    SURROGATE = "surrogate"
    SEALED = "sealed"
    GENERALIZE = "generalize"
    MASK = "mask"
    KEEP = "keep"


STRICTEST_FIRST: Final = tuple(Treatment)
KEYED: Final = frozenset({Treatment.TOKEN, Treatment.SURROGATE, Treatment.SEALED})
# What there is a coarser form of, see ``generalize``.
COARSER: Final = frozenset(
    {
        "AGE",
        "AMOUNT",
        "COORDINATES",
        "DATE_OF_BIRTH",
        "IP",
        "LOCATION",
        "PHONE",
        "STREET_ADDRESS",
    }
)
# What there are made-up values of, see ``surrogate``; other kinds of identifiers share one form.
MADE_UP: Final = frozenset(
    {
        "BANK_ACCOUNT",
        "CARD",
        "CRYPTO_WALLET",
        "DRIVER_LICENSE",
        "EMAIL",
        "IBAN",
        "IP",
        "LOCATION",
        "MAC",
        "MEDICAL_RECORD",
        "NATIONAL_ID",
        "ORGANIZATION",
        "PASSPORT",
        "PERSON",
        "PHONE",
        "REFERENCE_ID",
        "STREET_ADDRESS",
        "TAX_ID",
        "URL",
        "USERNAME",
        "VEHICLE",
    }
)
MOST_KEPT: Final = 4


def allowed(entity: str) -> tuple[Treatment, ...]:
    """The treatments there are for a kind of entity, strictest first."""
    return tuple(
        treatment
        for treatment in Treatment
        if (treatment is not Treatment.GENERALIZE or entity in COARSER)
        and (treatment is not Treatment.SURROGATE or entity in MADE_UP)
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """A treatment, and how many characters a mask leaves at the end, 0 to 4."""

    treatment: Treatment
    keep_last: int = 0

    @property
    def strictness(self) -> int:
        """0 is strictest."""
        return STRICTEST_FIRST.index(self.treatment)


@dataclass(frozen=True, slots=True)
class Treatments:
    """A rule for each kind of entity; what is not named has the default.

    ``region`` is that of phone numbers without a country prefix: they have one token with it and
    without.
    """

    by_entity: Mapping[str, Rule] = field(default_factory=dict)
    default: Rule = Rule(Treatment.PLACEHOLDER)
    region: str = "US"

    def of(self, entity: str) -> Rule:
        """The rule of a kind of entity."""
        return self.by_entity.get(entity, self.default)

    @property
    def keyed(self) -> tuple[str, ...]:
        """The treatments in use that need a key, in order of strictness."""
        used = {rule.treatment for rule in (self.default, *self.by_entity.values())}
        return tuple(treatment.value for treatment in Treatment if treatment in used & KEYED)
