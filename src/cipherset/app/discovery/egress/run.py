"""``discover --egress``: logs and bodies in, a report out; alerts and numbers into the ledger.

Once through the gate. Who was seen stands in the report and in a sealed file that can be removed;
the ledger has how many they were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cipherset.app.discovery.egress.alerts import summed, write_alerts
from cipherset.app.discovery.egress.kept import keeping
from cipherset.app.discovery.egress.logs import form_of, read, reading, reads_first
from cipherset.app.discovery.egress.report import EgressReport, Sent, Used
from cipherset.app.discovery.egress.request import EgressRequest
from cipherset.app.discovery.egress.rows import Compared, opened
from cipherset.app.discovery.egress.standing import recordable, standings
from cipherset.app.discovery.record import Knowledge, Look, record
from cipherset.app.gate import Act, Action, Fact
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.custody.ledger import Transaction
from cipherset.evidence.discover.egress import (
    Body,
    Faults,
    Hints,
    Service,
    ServiceList,
    Tally,
    read_bodies,
    read_services,
    shipped,
)
from cipherset.evidence.views.inventory.status import Reviewed

EGRESS: Final = "egress"
BODIES: Final = "bodies"
_MOST_LIST: Final = 1 << 22
_MOST_FIRST: Final = 5
_SAID_ROWS: Final = 100


@dataclass(slots=True)
class _Count:
    rows: set[int] = field(default_factory=set)
    bodies: int = 0


_To = tuple[str, str, str | None, str | None]  # log, data set, principal, host


def discover_egress(session: Session, request: EgressRequest) -> EgressReport:
    """Which AI services the logs show, and which rows the bodies hold.

    Leaks: principals, to whoever asks; and whether a phrase is in the rows, as a count.

    Raises:
        PolicyError: ``not_allowed``.
        InputError: ``egress_format``, ``egress_gzip``, ``egress_services``.
        IntegrityError, KeyAccessError: an index was changed, or its key is not here.
        BackendError: a file cannot be read, or the ledger not written.
    """
    facts: dict[str, Fact] = {
        "source": EGRESS,
        "logs": len(request.logs),
        "bodies": len(request.bodies),
    }
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.DISCOVER, EGRESS, facts) as act,
    ):
        session.progress.start("read logs", len(request.logs) + len(request.bodies))
        try:
            return _discovered(workspace, act, request, lambda: session.progress.advance(1))
        finally:
            session.progress.finish()


def _discovered(
    workspace: Workspace, act: Act, request: EgressRequest, done: Callable[[], None]
) -> EgressReport:
    services = _services(request)
    now = workspace.gate.ledger.look(lambda work: work.now)
    tally, faults = _tallied(request, services, now, done)
    compared = opened(workspace) if request.bodies else Compared((), {})
    counts, of_bodies = _compared(request, compared, done)
    seen = tally.sightings()
    called = {each.service.id: each.service for each in seen}
    sent_to = {host: services.of(host) for *_, host in counts if host is not None}
    called |= {each.id: each for each in sent_to.values() if each is not None}
    stand = standings(workspace, services, called.values())
    report = EgressReport(
        used=tuple(Used(each, *stand[each.service.id]) for each in seen),
        sent=_sent(counts, compared, sent_to, stand),
        logs=(*faults, *of_bodies),
        look_alikes=tuple(tally.look_alikes()),
        unresolved=tally.unresolved,
        ambiguous=tally.ambiguous,
        left_out=tally.left_out,
        compared=tuple(each.dataset for each in compared.indexed),
        not_compared=compared.left_out,
    )
    return _written(workspace, act, report)


def _services(request: EgressRequest) -> ServiceList:
    services = shipped()
    for path in request.services:
        with disk_errors(path), path.open("rb") as file:
            raw = file.read(_MOST_LIST)
        text = raw.decode("utf-8-sig", "replace")
        services = services.with_more(read_services(text, str(path)))
    return services


def _tallied(
    request: EgressRequest, services: ServiceList, now: datetime, done: Callable[[], None]
) -> tuple[Tally, list[Faults]]:
    """What all logs tell, those with DNS answers read before those that have addresses alone."""
    tally = Tally(services)
    forms = {path: form_of(path, _hints(request, path, now), request.form) for path in request.logs}
    faults: dict[Path, Faults] = {}
    for path in sorted(forms, key=lambda each: not reads_first(forms[each])):
        hints, name = _hints(request, path, now), str(path)
        faults[path] = read(
            path,
            forms[path],
            hints,
            lambda seen, log=name: tally.take(seen, log),  # type: ignore[misc]
        )
        done()
    return tally, [faults[path] for path in forms]


def _hints(request: EgressRequest, path: Path, now: datetime) -> Hints:
    return Hints(now, request.columns, request.principal or path.name)


def _compared(
    request: EgressRequest, compared: Compared, done: Callable[[], None]
) -> tuple[dict[_To, _Count], list[Faults]]:
    counts: dict[_To, _Count] = {}
    faults = []
    for path in request.bodies:
        n_read = n_bad = 0
        first: list[int] = []
        with reading(path) as log:
            for number, body in enumerate(read_bodies(log, request.name), 1):
                if body is None:
                    n_bad += 1
                    first += [number] if len(first) < _MOST_FIRST else []
                    continue
                n_read += 1
                _count(counts, str(path), body, compared)
        if n_bad and not n_read:
            raise InputError(
                f"{path}: none of its {n_bad} entries can be read, or none has that field",
                code="egress_format",
                hint="give JSON Lines, a HAR or text, and the name of a field that is there",
            )
        faults.append(Faults(str(path), BODIES, n_read + n_bad, n_read, n_bad, tuple(first)))
        done()
    return counts, faults


def _count(counts: dict[_To, _Count], log: str, body: Body, compared: Compared) -> None:
    for one in compared.indexed:
        rows = one.rows_in(body.text)
        if rows:
            to = counts.setdefault((log, one.dataset, body.principal, body.host), _Count())
            to.rows |= rows
            to.bodies += 1


def _sent(
    counts: Mapping[_To, _Count],
    compared: Compared,
    services: Mapping[str, Service | None],
    stand: Mapping[str, tuple[str, Reviewed]],
) -> tuple[Sent, ...]:
    """By data set; hosts of one service together."""
    levels = {each.dataset: each.level for each in compared.indexed}
    together: dict[tuple[str, str, str, str], tuple[_To, _Count]] = {}
    for to, count in counts.items():
        log, dataset, principal, host = to
        service = None if host is None else services[host]
        where = host or "" if service is None else service.id
        key = (dataset, where, principal or "", log)
        _, sums = together.setdefault(key, (to, _Count()))
        sums.rows |= count.rows
        sums.bodies += count.bodies
    found = []
    for _, ((log, dataset, principal, host), sums) in sorted(together.items()):
        service = None if host is None else services[host]
        asset, review = (None, None) if service is None else stand[service.id]
        n_rows = len(sums.rows)
        said = (log, dataset, levels[dataset], n_rows, sums.bodies, principal)
        found.append(Sent(*said, service, host, asset, review))
    return tuple(found)


def _written(workspace: Workspace, act: Act, report: EgressReport) -> EgressReport:
    gate = workspace.gate
    created = gate.ledger.look(lambda work: work.now).isoformat(timespec="seconds")
    with keeping(workspace, created, report.as_json()) as sightings_id:

        def work(transaction: Transaction) -> tuple[str, int]:
            look = Look(Knowledge.EGRESS, EGRESS, _told(report, sightings_id))
            seen = [
                recordable(each.sighting.service, host, each.asset)
                for each in report.used
                for host in each.sighting.hosts
            ]
            recorded = record(transaction, gate.actor, look, seen)
            return recorded.run, write_alerts(transaction, gate.actor, report)

        run, n_new = gate.ledger.transact(work)
    act.facts.update(
        services=len(report.by_service()), alerts=n_new, run=run, sightings=sightings_id
    )
    return replace(report, alerts=n_new, run=run, sightings=sightings_id)


def _told(report: EgressReport, sightings_id: str) -> Mapping[str, Any]:
    """What the run says: numbers, services and data sets, and nobody's name."""
    rows: Sequence[Sent] = report.sent[:_SAID_ROWS]
    return {
        "sightings": sightings_id,
        "logs": len(report.logs),
        "lines": sum(each.lines for each in report.logs),
        "unreadable": sum(each.unreadable for each in report.logs),
        "partly": sum(each.partly for each in report.logs),
        "principals": len({each.sighting.principal for each in report.used}),
        "services": {first.asset: summed(uses) for first, uses in report.by_service()},
        "rows": [
            {"dataset": each.dataset, "rows": each.rows, "bodies": each.bodies, "asset": each.asset}
            for each in rows
        ],
    }
