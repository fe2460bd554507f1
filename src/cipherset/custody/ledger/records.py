"""Assets and runs as rows, read and written inside a transaction that the caller holds."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from cipherset.core import canonical
from cipherset.core.errors import InputError, UsageError
from cipherset.custody.ledger.chain import Event, Outcome
from cipherset.custody.ledger.tables import assets, events, run_assets, runs

INPUT: Final = "input"
OUTPUT: Final = "output"


# Built once: every decision asks.
_ASSET: Final = select(assets).where(assets.c.id == bindparam("a"))
_IDS_OF: Final = select(run_assets.c.run_id).where(run_assets.c.asset_id == bindparam("a"))
_RUNS_OF: Final = select(runs).where(runs.c.id.in_(_IDS_OF)).order_by(runs.c.started, runs.c.id)
_LINKS_OF: Final = select(run_assets).where(run_assets.c.run_id.in_(_IDS_OF))
_Links = dict[tuple[str, str], list[str]]  # by run and role, the ids of assets


_SEQ: Final = events.c.seq
_ACTS_ON: Final = select(events.c.action, events.c.actor, events.c.outcome).where(
    events.c.subject == bindparam("s"), events.c.outcome.in_((Outcome.INTENDED, Outcome.DONE))
)


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Asset:
    """A dataset, key, model or service, addressed by a digest."""

    id: str
    kind: str
    name: str
    attributes: Mapping[str, Any]
    created: str


@dataclass(frozen=True, slots=True)
class Run:
    """What turned assets into assets; ``inputs`` and ``outputs`` are asset ids, sorted."""

    id: str
    kind: str
    actor: str
    started: str
    finished: str | None
    status: RunStatus
    parameters: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def json_text(value: Mapping[str, Any]) -> str:
    """The canonical JSON text of ``value``.

    Raises:
        InputError: ``event_body``: a value that JSON cannot hold.
    """
    try:
        return canonical.encode(dict(value)).decode()
    except (ValueError, RecursionError):
        raise InputError(
            "what is to be recorded cannot be written as JSON (RFC 8785)",
            code="event_body",
            hint="use text, numbers up to 2**53, true, false, null, and lists and maps of them",
        ) from None


def checked_text(value: str) -> str:
    """``value``, which either database can hold.

    Raises:
        InputError: ``event_body``: it holds a null character or half of a surrogate pair.
    """
    if "\0" in value or not _is_unicode(value):
        raise InputError(
            "what is to be recorded holds a character that is no text",
            code="event_body",
            hint="leave out null characters and halves of surrogate pairs",
        )
    return value


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_asset(connection: Connection, asset_id: str) -> Asset | None:
    """The asset, or None if it is not known."""
    row = connection.execute(_ASSET, {"a": asset_id}).one_or_none()
    return None if row is None else _asset(row)


def all_assets(connection: Connection) -> tuple[Asset, ...]:
    """Every asset, the oldest first."""
    query = select(assets).order_by(assets.c.created, assets.c.id)
    return tuple(_asset(row) for row in connection.execute(query))


def find_run(connection: Connection, run_id: str) -> Run:
    """The run.

    Raises:
        UsageError: ``run_unknown``.
    """
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise UsageError(
            f"the ledger has no run {run_id}",
            code="run_unknown",
            hint="use the workspace that the run belongs to (--home)",
        )
    of_run = select(run_assets).where(run_assets.c.run_id == run_id)
    return _run(row, _links(connection.execute(of_run)))


def all_runs(connection: Connection) -> tuple[Run, ...]:
    """Every run, the oldest first."""
    query = select(runs).order_by(runs.c.started, runs.c.id)
    links = _links(connection.execute(select(run_assets)))
    return tuple(_run(row, links) for row in connection.execute(query).all())


def extent(connection: Connection) -> tuple[int, int, int]:
    """How many assets there are, and runs, and runs that ended.

    None of them is ever removed, and each changes once, when it ends: where these are the same, so
    is all that was made of assets and runs.
    """
    n_assets = connection.execute(select(func.count()).select_from(assets)).scalar_one()
    query = select(func.count(), func.count(runs.c.finished)).select_from(runs)
    n_runs, n_ended = connection.execute(query).one()
    return n_assets, n_runs, n_ended


def events_of(connection: Connection, action: str, outcome: str) -> Iterator[Event]:
    """The events of one action that ended one way, in order, unverified."""
    same = (events.c.action == action) & (events.c.outcome == outcome)
    query = select(events).where(same).order_by(events.c.seq)
    return (Event(*row) for row in connection.execute(query))


def measurements(connection: Connection, actions: Sequence[str]) -> Iterator[Event]:
    """The done events of these actions, in order, unverified."""
    same = events.c.action.in_(actions) & (events.c.outcome == Outcome.DONE)
    return (Event(*row) for row in connection.execute(select(events).where(same).order_by(_SEQ)))


def notices_since(connection: Connection, time: str) -> Iterator[Event]:
    """Refusals, alerts and acts in an emergency from ``time`` on, in order, unverified."""
    told = (
        (events.c.outcome == Outcome.REFUSED)
        | (events.c.action == "alert")
        | events.c.body.contains('"break_glass":')
    )
    query = select(events).where(events.c.time >= time, told).order_by(_SEQ)
    return (Event(*row) for row in connection.execute(query))


def last_verification(connection: Connection) -> Event | None:
    """The last event that says whether the ledger held, unverified itself; None without one."""
    same = (
        (events.c.subject == "events")
        & (events.c.action == "audit")
        & (events.c.outcome == Outcome.DONE)
        & events.c.body.contains('"valid":')
    )
    query = select(events).where(same).order_by(_SEQ.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Event(*row)


def acts_on(connection: Connection, subject: str) -> frozenset[tuple[str, str, str]]:
    """Every (action, actor, outcome) that was intended on a subject or done to it, unverified."""
    found = connection.execute(_ACTS_ON, {"s": subject})
    return frozenset((row.action, row.actor, row.outcome) for row in found)


def told_by(connection: Connection, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The id and the parameters of each run of a kind that is done, the latest first."""
    same = (runs.c.kind == kind) & (runs.c.status == RunStatus.DONE.value)
    query = select(runs.c.id, runs.c.parameters).where(same)
    for row in connection.execute(query.order_by(runs.c.started.desc(), runs.c.id.desc())):
        yield row.id, json.loads(row.parameters)


def runs_of(connection: Connection, asset_id: str) -> tuple[Run, ...]:
    """Every run that read or made the asset, the oldest first."""
    at = {"a": asset_id}
    rows = connection.execute(_RUNS_OF, at).all()
    if not rows:
        return ()
    links = _links(connection.execute(_LINKS_OF, at))
    return tuple(_run(row, links) for row in rows)


def link(connection: Connection, run_id: str, role: str, asset_ids: Iterable[str]) -> None:
    """Note that the run read (``INPUT``) or made (``OUTPUT``) those assets.

    Raises:
        UsageError: ``asset_unknown``.
    """
    for asset_id in sorted(set(asset_ids)):
        if find_asset(connection, asset_id) is None:
            raise UsageError(
                f"the ledger has no asset {asset_id}",
                code="asset_unknown",
                hint="record an asset before the run that uses it",
            )
        row = {"run_id": run_id, "role": role, "asset_id": asset_id}
        connection.execute(insert(run_assets).values(**row))


def _asset(row: Row[Any]) -> Asset:
    return Asset(row.id, row.kind, row.name, json.loads(row.attributes), row.created)


def _links(rows: Iterable[Row[Any]]) -> _Links:
    found: _Links = {}
    for row in rows:
        found.setdefault((row.run_id, row.role), []).append(row.asset_id)
    return found


def _run(row: Row[Any], links: _Links) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        actor=row.actor,
        started=row.started,
        finished=row.finished,
        status=RunStatus(row.status),
        parameters=json.loads(row.parameters),
        inputs=tuple(sorted(links.get((row.id, INPUT), ()))),
        outputs=tuple(sorted(links.get((row.id, OUTPUT), ()))),
    )
