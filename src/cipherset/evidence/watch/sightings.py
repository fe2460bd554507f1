"""What was seen of each principal, hour by hour: the ground that all detectors stand on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Amounts = npt.NDArray[np.float64]
HOURS_A_DAY: Final = 24
_HOUR_S: Final = 3600


class AlertKind(StrEnum):
    """What is unusual of a principal, against their own past."""

    BULK = "bulk"
    OFF_HOURS = "off-hours"
    PROBING = "probing"
    DRIP = "drip"
    FIRST_USE = "first-use"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One act that was asked for: when (UTC), by whom, what, on which asset, and how it ended.

    ``amount`` counts the rows that it touched, 1 where none were. ``asset`` is an asset's id, None
    where it was on no asset.
    """

    at: datetime
    principal: str
    action: str
    asset: str | None = None
    is_refused: bool = False
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Alert:
    """Something unusual: ``found`` in the hours from ``since`` to ``until``, ``usual`` before.

    ``action`` is the one in question, None where it is all of them together.
    """

    kind: AlertKind
    principal: str
    action: str | None
    since: datetime
    until: datetime
    found: float
    usual: float


@dataclass(frozen=True, slots=True)
class Clock:
    """The hours that are looked at: ``n_hours`` of them from midnight before the first sighting."""

    start: datetime
    n_hours: int

    @classmethod
    def over(cls, sightings: Iterable[Sighting]) -> "Clock":
        """From the first day of ``sightings``, of which there is at least one, to the last."""
        times = [each.at for each in sightings]
        first, last = min(times).astimezone(UTC), max(times).astimezone(UTC)
        start = first.replace(hour=0, minute=0, second=0, microsecond=0)
        days = int((last - start).total_seconds() // (_HOUR_S * HOURS_A_DAY)) + 1
        return cls(start, days * HOURS_A_DAY)

    def hour(self, at: datetime) -> int:
        """The number of the hour that ``at`` is in, from 0 on."""
        return int((at - self.start).total_seconds() // _HOUR_S)

    def time(self, hour: int) -> datetime:
        """When hour number ``hour`` begins."""
        return self.start + timedelta(hours=hour)

    def weekends(self) -> npt.NDArray[np.bool_]:
        """For each day whether it is a Saturday or a Sunday, shape (n_hours / 24,)."""
        days = np.arange(self.n_hours // HOURS_A_DAY) + self.start.weekday()
        return days % 7 >= 5


@dataclass(slots=True)
class Past:
    """One principal: per hour the amount of each action, the refusals and all acts, (n_hours,).

    ``first_uses`` counts the assets that were used for the first time. ``first`` is the hour of the
    first act.
    """

    n_hours: int
    first: int
    amounts: dict[str, Amounts] = field(default_factory=dict)
    refusals: Amounts = field(init=False)
    acts: Amounts = field(init=False)
    first_uses: Amounts = field(init=False)

    def __post_init__(self) -> None:
        self.refusals, self.acts, self.first_uses = (np.zeros(self.n_hours) for _ in range(3))

    def add(self, hour: int, seen: Sighting, *, is_new_asset: bool) -> None:
        """Count one more act."""
        self.acts[hour] += 1
        self.first_uses[hour] += is_new_asset
        if seen.is_refused:
            self.refusals[hour] += 1
            return
        if seen.action not in self.amounts:
            self.amounts[seen.action] = np.zeros(self.n_hours)
        self.amounts[seen.action][hour] += seen.amount


def pasts(sightings: Iterable[Sighting], clock: Clock) -> dict[str, Past]:
    """Everybody's past, by name."""
    found: dict[str, Past] = {}
    known: set[tuple[str, str]] = set()
    for seen in sorted(sightings, key=lambda each: each.at):
        hour = clock.hour(seen.at)
        if seen.principal not in found:
            found[seen.principal] = Past(clock.n_hours, hour)
        use = (seen.principal, seen.asset or "")
        is_new = seen.asset is not None and use not in known
        known.add(use)
        found[seen.principal].add(hour, seen, is_new_asset=is_new)
    return found
