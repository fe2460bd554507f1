"""What a reply may hold that must not leave, where it stands, and how much each remedy does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

# What stands for a whole text that a detector could not look at.
UNREADABLE: Final = "UNREADABLE"


class Kind(StrEnum):
    """Why something must not leave."""

    COPY = "copy"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 -- the name of a kind
    CANARY = "canary"
    TOPIC = "topic"
    ENDLESS = "endless"


class Remedy(StrEnum):
    """What becomes of it, the mildest first; compare by ``rank``."""

    PASS = "pass"  # noqa: S105 -- the name of a remedy
    REPLACE = "replace"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """0 for pass to 3 for block."""
        return list(Remedy).index(self)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """``text[start:end]`` is what ``kind`` says; ``name`` is its entity, data set or topic."""

    start: int
    end: int
    kind: Kind
    name: str
    remedy: Remedy


class Copy(Protocol):
    """``text[start:end]`` was copied from rows."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class CopyIndex(Protocol):
    """Finds what was copied from the rows of one data set."""

    def matches(self, text: str, *, least_words: int) -> Sequence[Copy]:
        """The copies in ``text`` of at least ``least_words`` words, in order."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A data set whose rows are not to be repeated.

    ``bits`` says how improbable a passage is for one who knows which words follow which in the
    rows; None where nobody counted them, and then every copy counts.
    """

    dataset: str
    index: CopyIndex
    bits: Callable[[str], float] | None = field(default=None, repr=False)


def strictest(*remedies: Remedy) -> Remedy:
    """The one that does most."""
    return max(remedies, key=lambda remedy: remedy.rank)


def joined(findings: Sequence[Finding]) -> list[Finding]:
    """Disjoint findings in order that cover all of ``findings``.

    Those that overlap become one, called and treated as the strictest of them, and of several the
    longest.
    """
    groups: list[list[Finding]] = []
    end = -1
    for finding in sorted(findings):
        if groups and finding.start < end:
            groups[-1].append(finding)
        else:
            groups.append([finding])
        end = max(end, finding.end)
    return [_one(group) for group in groups]


def _one(group: Sequence[Finding]) -> Finding:
    chosen = min(group, key=lambda one: (-one.remedy.rank, one.start - one.end, one))
    end = max(one.end for one in group)
    return Finding(group[0].start, end, chosen.kind, chosen.name, chosen.remedy)
