"""Everything unusual, by all detectors, each thing told once."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cipherset.evidence.watch.hours import off_hours
from cipherset.evidence.watch.sightings import Alert, AlertKind, Clock, Sighting, pasts
from cipherset.evidence.watch.windows import unusual_amounts, unusual_counts


def alerts(sightings: Sequence[Sighting]) -> list[Alert]:
    """Everything unusual in ``sightings``, by time; each hour is judged by those before it only."""
    if not sightings:
        return []
    clock = Clock.over(sightings)
    known = pasts(sightings, clock)
    found = [
        *unusual_amounts(known, clock),
        *unusual_counts(known, clock),
        *off_hours(known, clock),
    ]
    return list(_without_echoes(sorted(found, key=_order)))


def _order(alert: Alert) -> tuple[datetime, str, AlertKind, timedelta]:
    return alert.until, alert.principal, alert.kind, alert.until - alert.since


def _without_echoes(found: list[Alert]) -> Iterator[Alert]:
    """Those that are not only a longer window around what an earlier alert told already."""
    told: dict[tuple[str, str], list[Alert]] = {}
    for alert in found:
        same = told.setdefault((alert.principal, alert.action or alert.kind), [])
        if not any(alert.since <= each.since for each in same):
            same.append(alert)
            yield alert
