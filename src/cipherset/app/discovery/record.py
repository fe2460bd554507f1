"""A sighting becomes an asset of the ledger, and each look a run that says what was seen where.

An asset is recorded once: seen again, it is an input of one more run ``discover``, whose parameters
say by what it was seen, when, and in which places. Who saw it has not made it, so it is never an
output. No file's content and no key's value is handed to this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from cipherset.core import canonical
from cipherset.custody.ledger import RunStatus, Transaction
from cipherset.custody.ledger.records import find_asset, find_run, told_by
from cipherset.custody.policy import Kind
from cipherset.evidence.views.inventory.sightings import AS, DISCOVER, PLACES

SCHEMA: Final = "cipherset/sighting/1"
# What is told of one asset in one run: whoever has a thousand files knows where to look.
_MOST_PLACES: Final = 5
_MOST_TEXT: Final = 300


class Knowledge(StrEnum):
    """By what an asset that we did not make came to be known."""

    SCAN = "scan"
    AGENT = "agent"
    QUESTIONNAIRE = "questionnaire"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that was seen: ``what``, as a ``kind`` of thing, in one place.

    ``within`` is what it belongs to (a repository, a host, a file): the same thing seen twice in it
    is one asset. ``digest`` is that of a model file: then it is the asset that we made, if we did.
    """

    asset: Kind
    kind: str
    what: str
    where: str
    within: str
    digest: str | None = None

    @property
    def id(self) -> str:
        """The asset's."""
        if self.digest is not None:
            return self.digest
        told = {"kind": self.kind, "schema": SCHEMA, "what": self.what, "where": self.within}
        return canonical.digest(told)


@dataclass(frozen=True, slots=True)
class Look:
    """A look: by what, at which host or folder (``label``), and what else its run says of it."""

    by: Knowledge
    label: str
    told: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Recorded:
    """The run of a look, and the ids of the assets that nobody had seen before."""

    run: str
    new: frozenset[str]


def record(transaction: Transaction, actor: str, look: Look, seen: Sequence[Sighting]) -> Recorded:
    """Write down what was seen, in one transaction: all of it, or nothing.

    Raises:
        InputError: ``event_body``, ``asset_id``.
        BackendError: the ledger cannot be written.
    """
    assets: dict[str, list[Sighting]] = {}
    for each in seen:
        assets.setdefault(each.id, []).append(each)
    new = frozenset(
        asset_id
        for asset_id, (first, *_) in assets.items()
        if _is_new(transaction, actor, asset_id, first, look)
    )
    at = {"source": look.by.value, "label": plain(look.label)}
    places = {asset_id: _places(sightings) for asset_id, sightings in assets.items()}
    parameters = {**at, **_told_once(transaction, at, places), **look.told}
    run = transaction.start_run(DISCOVER, actor=actor, inputs=sorted(assets), parameters=parameters)
    transaction.finish_run(run.id, status=RunStatus.DONE)
    return Recorded(run.id, new)


def plain(text: str) -> str:
    """``text`` as the ledger and a terminal can hold it: printable, and not without end."""
    kept = text.encode("utf-8", "backslashreplace").decode()
    kept = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in kept
    )
    return kept if len(kept) <= _MOST_TEXT else kept[: _MOST_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _is_new(
    transaction: Transaction, actor: str, asset_id: str, first: Sighting, look: Look
) -> bool:
    """Whether it was not known; then it is recorded."""
    if find_asset(transaction.connection, asset_id) is not None:
        return False
    transaction.record_asset(
        asset_id,
        actor=actor,
        kind=first.asset.value,
        name=plain(_called(first, look.by)),
        attributes={
            "seen_as": first.kind,
            "what": plain(first.what),
            "within": plain(first.within),
            "source": look.by.value,
        },
    )
    return True


def _called(seen: Sighting, by: Knowledge) -> str:
    """A name that says which one it is to who reviews it: there may be one in every folder."""
    is_local = by in {Knowledge.SCAN, Knowledge.AGENT} and seen.digest is None
    return f"{seen.what} in {seen.within}" if is_local else seen.what


def _told_once(
    transaction: Transaction, at: Mapping[str, str], places: Mapping[str, Any]
) -> dict[str, Any]:
    """The places, or the run that told the same: most hosts are as they were the day before."""
    for run_id, told in told_by(transaction.connection, DISCOVER):
        if at.items() <= told.items():
            base = run_id if PLACES in told else str(told[AS])
            if find_run(transaction.connection, base).parameters[PLACES] == places:
                return {AS: base}
            break
    return {PLACES: dict(places)}


def _places(sightings: Sequence[Sighting]) -> dict[str, Any]:
    places = sorted({plain(each.where) for each in sightings})
    return {"where": places[:_MOST_PLACES], "count": len(places)}
