"""What the logs showed: per principal and service, which rows went where, and how they were read.

It names principals, so it is for whoever asked, and for the file that can be removed; the ledger
has their number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from cipherset.core.labels import Level
from cipherset.evidence.discover.egress import Alike, Faults, Service, Sighting
from cipherset.evidence.views.inventory.status import Review, Reviewed, counted

SHADOW: Final = "shadow-ai"
SERVICE: Final = "ai-service"
ROWS: Final = "rows-sent"
NO_AI: Final = "no AI service"


@dataclass(frozen=True, slots=True)
class Used:
    """A principal's use of a service, the asset that the service is, and how it was reviewed."""

    sighting: Sighting
    asset: str
    review: Reviewed

    def as_json(self) -> dict[str, Any]:
        """One of the findings."""
        seen = self.sighting
        is_approved = self.review.status is Review.APPROVED
        return {
            "kind": SERVICE if is_approved else SHADOW,
            "where": ", ".join(seen.logs),
            "what": seen.service.name,
            "status": self.review.status.value,
            "principal": seen.principal,
            "first_seen": text(seen.first_seen),
            "last_seen": text(seen.last_seen),
            "count": seen.count,
            "bytes_up": seen.bytes_up,
            "because": self.review.because,
            "asset": self.asset,
            "service": seen.service.id,
            "vendor": seen.service.vendor,
            "is": seen.service.kind,
            "hosts": list(seen.hosts),
            "grant": self.review.grant,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """How many rows of a data set a principal sent to a service, in how many bodies.

    ``service`` is None where the log names a host that is none (``host``), or no host at all.
    """

    log: str
    dataset: str
    level: Level
    rows: int
    bodies: int
    principal: str | None = field(repr=False)
    service: Service | None
    host: str | None
    asset: str | None
    review: Reviewed | None

    @property
    def is_elsewhere(self) -> bool:
        """Whether they went to a host that is no AI service."""
        return self.service is None and self.host is not None

    @property
    def status(self) -> str:
        """How the service was reviewed; of one without a name, nobody has."""
        if self.is_elsewhere:
            return NO_AI
        return (Review.UNREVIEWED if self.review is None else self.review.status).value

    @property
    def is_alarming(self) -> bool:
        """Whether somebody is to be told: not of what went to an approved service."""
        return not self.is_elsewhere and self.status != Review.APPROVED.value

    def as_json(self) -> dict[str, Any]:
        """One of the findings."""
        return {
            "kind": ROWS,
            "where": self.log,
            "what": self.dataset,
            "status": self.status,
            "principal": self.principal,
            "first_seen": None,
            "count": self.bodies,
            "bytes_up": None,
            "rows": self.rows,
            "level": self.level.value,
            "asset": self.asset,
            "service": None if self.service is None else self.service.id,
            "host": self.host,
        }


@dataclass(frozen=True, slots=True)
class EgressReport:
    """All of it; ``alerts`` are the new ones, ``run`` and ``sightings`` where it is written.

    ``compared`` are the data sets that were looked for, ``not_compared`` the others and why.
    """

    used: tuple[Used, ...]
    sent: tuple[Sent, ...]
    logs: tuple[Faults, ...]
    look_alikes: tuple[Alike, ...]
    unresolved: int
    ambiguous: int
    left_out: int
    compared: tuple[str, ...] = ()
    not_compared: Mapping[str, str] = field(default_factory=dict)
    alerts: int = 0
    run: str = ""
    sightings: str = ""

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "findings": [
                *(each.as_json() for each in self.used),
                *(each.as_json() for each in self.sent),
            ],
            "statuses": self.counts(),
            "logs": [_faults(each) for each in self.logs],
            "look_alikes": [
                {"host": each.host, "looks_like": each.looks_like, "count": each.count}
                for each in self.look_alikes
            ],
            "compared": list(self.compared),
            "not_compared": dict(self.not_compared),
            "unresolved": self.unresolved,
            "ambiguous": self.ambiguous,
            "left_out": self.left_out,
            "alerts": self.alerts,
            "run": self.run,
            "sightings": self.sightings,
        }

    def counts(self) -> dict[str, int]:
        """How many services there are of each status; one without a name is one of its own."""
        stand = {each.asset: each.review for each in self.used}
        for each in self.sent:
            if each.is_elsewhere:
                continue
            said = each.review or Reviewed(Review.UNREVIEWED, "nobody knows which it is")
            stand[each.asset or f"{each.log}: {each.dataset}"] = said
        return counted(stand.values())

    def unreviewed(self) -> dict[str, str]:
        """What each service is called that nobody has reviewed, by its asset."""
        return {
            each.asset: each.sighting.service.name
            for each in self.used
            if each.review.status is Review.UNREVIEWED
        }

    def reviewed(self, stand: Mapping[str, Reviewed]) -> "EgressReport":
        """The same with the reviews that ``stand`` now, by id."""
        used = (replace(each, review=stand.get(each.asset, each.review)) for each in self.used)
        sent = (
            each if each.asset is None else replace(each, review=stand.get(each.asset, each.review))
            for each in self.sent
        )
        return replace(self, used=tuple(used), sent=tuple(sent))

    def by_service(self) -> Sequence[tuple[Used, Sequence[Used]]]:
        """For each service a use of it, and all of them."""
        found: dict[str, list[Used]] = {}
        for each in self.used:
            found.setdefault(each.asset, []).append(each)
        return [(uses[0], uses) for uses in found.values()]


def text(time: datetime | None) -> str | None:
    """A time as reports have it."""
    return None if time is None else time.isoformat(timespec="seconds")


def _faults(each: Faults) -> dict[str, Any]:
    return {
        "log": each.log,
        "format": each.form,
        "lines": each.lines,
        "told": each.calls,
        "unreadable": each.unreadable,
        "first_unreadable": list(each.first),
        "partly": each.partly,
    }
