"""Alerts of what logs showed: each written once, whoever reads the same logs again.

They name a service or a data set and numbers, and nobody: principals of logs are not in the ledger.
So they stop nothing by themselves, unlike those that are about a principal (``app.watching``).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cipherset.app.discovery.egress.report import ROWS, SHADOW, EgressReport, Sent, Used
from cipherset.app.watching.watch import ALERT
from cipherset.core import canonical
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.records import events_of
from cipherset.evidence.views.inventory.status import Review


@dataclass(frozen=True, slots=True)
class _Alert:
    """What is to be told of ``subject``: so many, in that time where logs had one."""

    kind: str
    subject: str
    found: int
    told: dict[str, Any]
    since: str | None = None
    until: str | None = None

    @property
    def id(self) -> str:
        """The same whenever the same is told."""
        what = {"alert": self.kind, "subject": self.subject, "told": self.told}
        return canonical.digest(what).removeprefix("sha256:")[:16]


def write_alerts(transaction: Transaction, actor: str, report: EgressReport) -> int:
    """Write down what nobody was told of before; how many alerts that is."""
    known = {
        json.loads(event.body)["id"]
        for event in events_of(transaction.connection, ALERT, Outcome.DONE)
    }
    now = transaction.now.isoformat(timespec="microseconds")
    new = [each for each in (*_of_services(report), *_of_rows(report)) if each.id not in known]
    for each in new:
        body = {
            "id": each.id,
            "kind": each.kind,
            "of": None,
            "since": each.since or now,
            "until": each.until or now,
            "found": float(each.found),
            "usual": 0.0,
            **each.told,
        }
        transaction.append(
            actor=actor, action=ALERT, subject=each.subject, outcome=Outcome.DONE, body=body
        )
    return len(new)


def summed(uses: Sequence[Used]) -> dict[str, Any]:
    """What all principals together did with one service; how many, not who."""
    seen = [each.sighting for each in uses]
    times = [time for each in seen for time in (each.first_seen, each.last_seen) if time]
    sent = [each.bytes_up for each in seen if each.bytes_up is not None]
    return {
        "service": seen[0].service.id,
        "count": sum(each.count for each in seen),
        "bytes_up": sum(sent) if sent else None,
        "principals": len(seen),
        "first_seen": min(times).isoformat(timespec="microseconds") if times else None,
        "last_seen": max(times).isoformat(timespec="microseconds") if times else None,
    }


def _of_services(report: EgressReport) -> Iterator[_Alert]:
    """Of each service that nobody has approved."""
    for first, uses in report.by_service():
        if first.review.status is Review.APPROVED:
            continue
        told = summed(uses)
        yield _Alert(
            SHADOW,
            told["service"],
            told["count"],
            {"asset": first.asset, **told},
            told["first_seen"],
            told["last_seen"],
        )


def _of_rows(report: EgressReport) -> Iterator[_Alert]:
    """Of the rows of each data set that went to one service; a row that two sent counts twice."""
    together: dict[tuple[str, str | None], list[Sent]] = {}
    for each in report.sent:
        if each.is_alarming:
            together.setdefault((each.dataset, each.asset), []).append(each)
    for (dataset, asset), sent in together.items():
        service, rows = sent[0].service, sum(each.rows for each in sent)
        told = {
            "asset": asset,
            "bodies": sum(each.bodies for each in sent),
            "level": sent[0].level.value,
            "principals": len({each.principal for each in sent}),
            "rows": rows,
            "service": None if service is None else service.id,
        }
        yield _Alert(ROWS, dataset, rows, told)
