"""What each kind of entity means for a label: its level, its tags, and how it has to show.

A *firm* kind has a checksum or a form of its own, so one finding is enough. A *loose* one is found
by lists, cues and topics: a few findings in many rows are ordinary language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cipherset.core.labels import Level, Tag

# A loose kind counts from two rows and this share of the filled ones on: below, it is about what
# name lists and topic words raise in text that is not about anybody.
LEAST_LOOSE_ROWS: Final = 2
LEAST_LOOSE_SHARE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Kind:
    """What finding an entity says of a column."""

    level: Level
    tags: tuple[Tag, ...] = ()
    is_firm: bool = True


def _restricted(*tags: Tag, is_firm: bool = True) -> Kind:
    return Kind(Level.RESTRICTED, tags, is_firm)


def _confidential(*tags: Tag, is_firm: bool = True) -> Kind:
    return Kind(Level.CONFIDENTIAL, tags, is_firm)


_ART_9: Final = _restricted(Tag.PII, Tag.SPECIAL, is_firm=False)
KINDS: Final[Mapping[str, Kind]] = {
    "CARD": _restricted(Tag.PCI, Tag.PII),
    "IBAN": _restricted(Tag.PII),
    "BANK_ACCOUNT": _restricted(Tag.PII),
    "NATIONAL_ID": _restricted(Tag.PII),
    "PASSPORT": _restricted(Tag.PII),
    "DRIVER_LICENSE": _restricted(Tag.PII),
    "TAX_ID": _restricted(Tag.PII),
    "MEDICAL_RECORD": _restricted(Tag.PII, Tag.PHI, Tag.SPECIAL),
    "SECRET": _restricted(Tag.SECRET),
    "HEALTH": _restricted(Tag.PII, Tag.PHI, Tag.SPECIAL, is_firm=False),
    "GENETIC": _restricted(Tag.PII, Tag.PHI, Tag.SPECIAL, is_firm=False),
    "BIOMETRIC": _ART_9,
    "RELIGION": _ART_9,
    "POLITICS": _ART_9,
    "ETHNICITY": _ART_9,
    "SEXUALITY": _ART_9,
    "UNION": _ART_9,
    "CRIMINAL": _ART_9,
    "TRADE_SECRET": _restricted(),
    "EMAIL": _confidential(Tag.PII),
    "PHONE": _confidential(Tag.PII),
    "IP": _confidential(Tag.PII),
    "MAC": _confidential(Tag.PII),
    "DATE_OF_BIRTH": _confidential(Tag.PII),
    "STREET_ADDRESS": _confidential(Tag.PII),
    "POSTAL_CODE": _confidential(Tag.PII),
    "COORDINATES": _confidential(Tag.PII),
    "VEHICLE": _confidential(Tag.PII),
    "USERNAME": _confidential(Tag.PII),
    "REFERENCE_ID": _confidential(Tag.PII),
    "CRYPTO_WALLET": _confidential(Tag.PII),
    "PERSON": _confidential(Tag.PII, is_firm=False),
    "FINANCIAL": _confidential(is_firm=False),
    "CONFIDENTIAL": _confidential(is_firm=False),
    "SOURCE_CODE": _confidential(is_firm=False),
    "URL": Kind(Level.INTERNAL),
    "LOCATION": Kind(Level.INTERNAL, is_firm=False),
    "ORGANIZATION": Kind(Level.INTERNAL, is_firm=False),
    "AMOUNT": Kind(Level.INTERNAL, is_firm=False),
}
# Of a detector that somebody else wrote: personal until its owner says otherwise.
UNKNOWN: Final = _confidential(Tag.PII)
# What a health, religion or other flag of yes and no still tells; an e-mail address it cannot hold.
TOLD_BY_A_FLAG: Final = frozenset(
    entity for entity, kind in KINDS.items() if Tag.SPECIAL in kind.tags
)
# What a run of digits in a code, a number or a date may pass for.
MADE_OF_DIGITS: Final = frozenset(
    {
        "BANK_ACCOUNT",
        "CARD",
        "COORDINATES",
        "DRIVER_LICENSE",
        "IP",
        "MEDICAL_RECORD",
        "NATIONAL_ID",
        "PASSPORT",
        "PHONE",
        "POSTAL_CODE",
        "REFERENCE_ID",
        "TAX_ID",
        "VEHICLE",
    }
)


def kind_of(entity: str) -> Kind:
    """What ``entity`` means for a label."""
    return KINDS.get(entity, UNKNOWN)
