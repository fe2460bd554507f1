"""Alerts of what logs showed: each written once, whoever reads the same logs again.

They name a service or a data set and numbers, and nobody: principals of logs are not in the ledger.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cipherset.app.discovery.egress.report import Sent, Used
from cipherset.app.watching.watch import ALERT
from cipherset.core import canonical
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.records import events_of
from cipherset.evidence.views.inventory.status import Review
from cipherset.evidence.watch import AlertKind


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


def of_services(
    transaction: Transaction, actor: str, uses: Sequence[tuple[Used, Sequence[Used]]]
) -> int:
    """How many alerts are new of the services that nobody has approved; each is written down."""
    n_new = 0
    for first, all_of_it in uses:
        if first.review.status is Review.APPROVED:
            continue
        told = summed(all_of_it)
        body = {
            "of": None,
            "since": told["first_seen"] or _now(transaction),
            "until": told["last_seen"] or _now(transaction),
            "found": float(told["count"]),
            "usual": 0.0,
            "asset": first.asset,
            "status": first.review.status.value,
            **told,
        }
        what = {"asset": first.asset, "told": told}
        n_new += _write(
            transaction, actor, AlertKind.SHADOW_AI, first.sighting.service.id, body, what
        )
    return n_new


def of_rows(transaction: Transaction, actor: str, sent: Sequence[Sent]) -> int:
    """How many alerts are new of rows that went where nobody has approved; each is written down."""
    together: dict[tuple[str, str | None], list[Sent]] = {}
    for each in sent:
        if each.is_alarming:
            together.setdefault((each.dataset, each.asset), []).append(each)
    n_new = 0
    for (dataset, asset), found in together.items():
        told = {
            "asset": asset,
            "bodies": sum(each.bodies for each in found),
            "level": found[0].level.value,
            "principals": len({each.principal for each in found}),
            "rows": sum(each.rows for each in found),
            "service": None if found[0].service is None else found[0].service.id,
        }
        body = {
            "of": None,
            "since": _now(transaction),
            "until": _now(transaction),
            "found": float(told["rows"] or 0),
            "usual": 0.0,
            **told,
        }
        what = {"dataset": dataset, "told": told}
        n_new += _write(transaction, actor, AlertKind.ROWS_SENT, dataset, body, what)
    return n_new


def _now(transaction: Transaction) -> str:
    return transaction.now.isoformat(timespec="microseconds")


def _write(
    transaction: Transaction,
    actor: str,
    kind: AlertKind,
    subject: str,
    body: Mapping[str, Any],
    what: Mapping[str, Any],
) -> bool:
    """Whether it was written; not if one with the same id was before."""
    alert_id = canonical.digest({"alert": kind.value, **what}).removeprefix("sha256:")[:16]
    known = (event.body for event in events_of(transaction.connection, ALERT, Outcome.DONE))
    if any(alert_id in each for each in known):
        return False
    transaction.append(
        actor=actor,
        action=ALERT,
        subject=subject,
        outcome=Outcome.DONE,
        body={"id": alert_id, "kind": kind.value, **body},
    )
    return True
