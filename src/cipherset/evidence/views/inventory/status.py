"""How an asset was reviewed, from what was said of it and what was asked for; never stored.

What was said last counts. Approved is what a run of ``approve`` says so of, under a grant; a
request that is open puts it in review; suspended, retired and denied are unapproved; of all else
nobody has said anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol


class Review(StrEnum):
    """Whether an asset may be used, as far as anybody has said."""

    UNREVIEWED = "unreviewed"
    IN_REVIEW = "in review"
    APPROVED = "approved"
    UNAPPROVED = "unapproved"


# By the kind of the run that says it; the gate has the same words (``Standing``).
_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {"approve": "approved", "suspend": "suspended", "retire": "retired"}
)
PROPOSED: Final = "proposed"
APPROVE: Final = "approve"
_OPEN: Final = frozenset({"pending", "scheduled", "live"})
_DENIED: Final = "denied"


class Remark(Protocol):
    """A run of the ledger."""

    @property
    def kind(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def started(self) -> str: ...
    @property
    def inputs(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Stands:
    """Where an asset stands, and since when (UTC, ISO 8601); empty where nothing was said."""

    word: str = PROPOSED
    since: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for ``approve`` over an asset: its grant's id, when it was made, where it is."""

    grant: str
    created: str
    state: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The review of an asset, why it is so, and the request that says it, if one does."""

    status: Review
    because: str
    grant: str | None = None


NOTHING_SAID: Final = Stands()


def all_stands(remarks: Iterable[Remark]) -> dict[str, Stands]:
    """What was said last of each asset that anything was said of; ``remarks`` the oldest first."""
    return {
        asset: Stands(_SAID[remark.kind], remark.started)
        for remark in remarks
        if remark.kind in _SAID and remark.status == "done"
        for asset in remark.inputs
    }


def reviewed(stands: Stands, asked: Iterable[Asked]) -> Reviewed:
    """How an asset was reviewed that stands so, where ``asked`` are the requests to approve it."""
    if stands.word == _SAID[APPROVE]:
        return Reviewed(Review.APPROVED, f"approved on {stands.since[:10]}")
    later = sorted(
        (each for each in asked if each.created > stands.since), key=lambda one: one.created
    )
    for each in reversed(later):
        if each.state == "live":
            return Reviewed(Review.IN_REVIEW, f"{each.grant} allows its approval", each.grant)
        if each.state in _OPEN:
            return Reviewed(Review.IN_REVIEW, f"{each.grant} is {each.state}", each.grant)
    if stands.word != PROPOSED:
        return Reviewed(Review.UNAPPROVED, f"{stands.word} on {stands.since[:10]}")
    if later and later[-1].state == _DENIED:
        return Reviewed(Review.UNAPPROVED, f"{later[-1].grant} was denied", later[-1].grant)
    if later:
        return Reviewed(Review.UNREVIEWED, f"{later[-1].grant} is {later[-1].state}")
    return Reviewed(Review.UNREVIEWED, "nobody has asked for its approval")


def counted(found: Iterable[Reviewed]) -> dict[str, int]:
    """How many there are of each status."""
    told = [each.status for each in found]
    return {status.value: told.count(status) for status in Review}
