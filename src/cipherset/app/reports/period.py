"""From when to when a report looks, in the form in which events bear their times."""

from dataclasses import dataclass

from cipherset.app.audit.show import utc
from cipherset.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` on and before ``until``: UTC, ISO 8601, as events bear it."""

    since: str
    until: str

    def holds(self, time: str) -> bool:
        """Whether an event of that time is of the period."""
        return self.since <= time < self.until

    def overlaps(self, since: str, until: str | None) -> bool:
        """Whether something that lasted from ``since`` to ``until`` (None: still) was in it."""
        return since < self.until and (until is None or until > self.since)


def period_of(since: str, until: str | None, now: str) -> Period:
    """The period that was asked for; until now where no end was given.

    Raises:
        UsageError: ``since``: one of them is no date and no time; ``period``: it holds nothing.
    """
    period = Period(utc(since), now if until is None else utc(until))
    if period.since >= period.until:
        raise UsageError(
            f"nothing happened from {period.since} to {period.until}: the end is not after the "
            "beginning",
            code="period",
            hint="give --since a time before --until, and before now",
        )
    return period
