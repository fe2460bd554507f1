"""Which findings there were, which was accepted, and accepting one: all of it in the ledger."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from cipherset.app.assets.deploy import DEPLOY
from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.app.gate.assets import described
from cipherset.app.redteam.line import Line, LineVerdict, read_line
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.custody.ledger import Outcome, RunStatus, Transaction
from cipherset.custody.ledger.records import all_runs, events_of, find_asset
from cipherset.custody.policy import Kind, Standing

RUN: Final = "redteam"
ACCEPTED: Final = "redteam_accepted"
_LINES: Final = "lines_sha256"


@dataclass(frozen=True, slots=True)
class Past:
    """A finished run of the red team, as the ledger has it."""

    finding: str
    actor: str
    finished: str
    told: Mapping[str, Any]

    @property
    def is_quick(self) -> bool:
        """Whether it took seconds: it is then compared with such runs only."""
        return bool(self.told["quick"])

    @property
    def digest(self) -> str:
        """Of its lines."""
        return canonical.digest(self.told["lines"])

    def lines(self) -> tuple[Line, ...]:
        """Its lines.

        Raises:
            IntegrityError: ``redteam_changed``.
        """
        try:
            return tuple(map(read_line, self.told["lines"]))
        except (ValidationError, TypeError, AttributeError):
            raise _changed(self.finding) from None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepted a finding, when, and why."""

    finding: str
    actor: str
    time: str
    reason: str
    digest: str


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a run is due, by when the last one was finished."""

    is_due: bool
    last: str | None
    next: str | None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {"due": self.is_due, "last": self.last, "next": self.next}


def past_runs(transaction: Transaction) -> tuple[Past, ...]:
    """Every finished run, the oldest first."""
    return tuple(
        Past(str(run.parameters["finding_id"]), run.actor, run.finished or "", run.parameters)
        for run in all_runs(transaction.connection)
        if run.kind == RUN and run.status is RunStatus.DONE
    )


def acceptances(transaction: Transaction) -> tuple[Acceptance, ...]:
    """Every acceptance, the oldest first."""
    found = []
    for event in events_of(transaction.connection, Action.REVIEW, Outcome.DONE):
        body = json.loads(event.body)
        if ACCEPTED in body:
            found.append(
                Acceptance(body[ACCEPTED], event.actor, event.time, body["reason"], body[_LINES])
            )
    return tuple(found)


def baseline(workspace: Workspace, *, is_quick: bool) -> Past | None:
    """The run that was accepted last, of those as thorough; None where none was.

    Raises:
        IntegrityError: ``redteam_changed``: it is not there any more, or not as it was accepted.
    """
    past, accepted = workspace.gate.ledger.transact(
        lambda work: ({run.finding: run for run in past_runs(work)}, acceptances(work))
    )
    for each in reversed(accepted):
        run = past.get(each.finding)
        if run is None or run.digest != each.digest:
            raise _changed(each.finding)
        if run.is_quick is is_quick:
            return run
    return None


def retired(workspace: Workspace, names: Collection[str]) -> frozenset[str]:
    """Those names of targets of which every asset that had one is retired in the ledger.

    What was attacked or deployed by a name and is not retired is missed there, wherever it went.

    Raises:
        IntegrityError: ``redteam_changed``.
    """
    if not names:
        return frozenset()

    def look(work: Transaction) -> frozenset[str]:
        had: dict[str, set[str]] = {name: set() for name in names}
        for run in past_runs(work):
            for line in run.lines():
                had.get(line.name, set()).add(line.against)
        for deployed in all_runs(work.connection):
            if deployed.kind == DEPLOY:
                had.get(f"model:{deployed.parameters['name']}", set()).update(deployed.inputs)
        return frozenset(
            name
            for name, ids in had.items()
            if ids and all(_is_retired(work, each) for each in ids)
        )

    return workspace.gate.ledger.transact(look)


def _is_retired(work: Transaction, asset_id: str) -> bool:
    asset = find_asset(work.connection, asset_id)
    if asset is None:
        return False
    about = About(Kind(asset.kind), asset.id, asset.name)
    return described(work, about).status is Standing.RETIRED


def accept(session: Session, finding: str, reason: str) -> Past:
    """Take a finding as what later runs are compared with; nobody accepts their own.

    Raises:
        UsageError: ``redteam_finding``: the ledger knows no such one.
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be written.
    """
    with open_workspace(session) as workspace:
        runs = workspace.gate.ledger.transact(past_runs)
        run = next((run for run in runs if run.finding == finding), None)
        facts: dict[str, Fact] = {"what": "redteam accept", "reason": reason}
        moment = Moment(requester=None if run is None else run.actor)
        with workspace.gate.act(Action.REVIEW, finding, facts, moment=moment) as act:
            if run is None:
                raise UsageError(
                    f"the ledger has no finding {finding} of the red team",
                    code="redteam_finding",
                    hint="see those there are: cipherset redteam history",
                )
            lines = run.lines()
            over = sum(line.verdict is LineVerdict.OVER_LIMIT for line in lines)
            act.facts.update(
                {ACCEPTED: finding, _LINES: run.digest, "reason": reason, "over_limit": over}
            )
    return run


def history(session: Session) -> dict[str, Any]:
    """Every run with its lines, what was accepted, and how each value went.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read.
    """
    with looked(session, "redteam history") as (workspace, _):
        return workspace.gate.ledger.transact(
            lambda work: told_history(past_runs(work), acceptances(work))
        )


def told_history(runs: Sequence[Past], accepted: Sequence[Acceptance]) -> dict[str, Any]:
    """The same, of what is known already."""
    by_finding = {each.finding: each for each in accepted}
    trend: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        for line in run.lines():
            point = {"finding": run.finding, "value": line.value, "ci": list(line.ci)}
            trend.setdefault(line.key, []).append(point | {"verdict": line.verdict.value})
    return {
        "runs": [_told(run, by_finding.get(run.finding)) for run in runs],
        "baseline": accepted[-1].finding if accepted else None,
        "trend": trend,
    }


def due(session: Session, every: timedelta) -> Due:
    """Whether the last run was finished longer ago than ``every``.

    Raises: as ``history``.
    """
    with looked(session, "redteam due") as (workspace, _):
        return workspace.gate.ledger.transact(
            lambda work: when_due(past_runs(work), every, work.now)
        )


def when_due(runs: Sequence[Past], every: timedelta, now: datetime) -> Due:
    """The same, of what is known already."""
    if not runs:
        return Due(is_due=True, last=None, next=None)
    last = runs[-1].finished
    at = datetime.fromisoformat(last) + every
    return Due(is_due=now >= at, last=last, next=at.isoformat())


def _told(run: Past, accepted: Acceptance | None) -> dict[str, Any]:
    by = None
    if accepted is not None:
        by = {"by": accepted.actor, "at": accepted.time, "reason": accepted.reason}
    return {**run.told, "actor": run.actor, "finished": run.finished, "accepted": by}


def _changed(finding: str) -> IntegrityError:
    return IntegrityError(
        f"the finding {finding} that was accepted is not in the ledger as it was then",
        code="redteam_changed",
        hint="see what else was changed: cipherset audit verify; then accept a new run",
    )
