"""What was done in an emergency, by when it must be reviewed, and whether it was."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cipherset.app.gate import Action, Fact, Moment
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import UsageError
from cipherset.custody.ledger import Event, Outcome


@dataclass(frozen=True, slots=True)
class Emergency:
    """One act that only broken glass allowed; ``reviewed_by`` is None until somebody looked."""

    seq: int
    actor: str
    action: str
    subject: str
    reason: str
    due: datetime
    reviewed_by: str | None
    is_overdue: bool

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "event": self.seq,
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "reason": self.reason,
            "due": self.due.isoformat(),
            "reviewed_by": self.reviewed_by,
            "overdue": self.is_overdue,
        }


def emergencies(session: Session) -> list[Emergency]:
    """Every act of an emergency, the oldest first; whoever has a role sees them.

    Raises:
        PolicyError: ``not_allowed``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.VIEW, "emergencies", {"what": "emergencies"}),
    ):
        return _found(workspace)


def review(session: Session, seq: int, comment: str) -> Emergency:
    """Write down that somebody else looked at the act of event ``seq``.

    Raises:
        UsageError: ``emergency_unknown``.
        PolicyError: ``not_allowed``: one's own, or not a reviewer.
    """
    with open_workspace(session) as workspace:
        one = next((each for each in _found(workspace) if each.seq == seq), None)
        if one is None:
            raise UsageError(
                f"event {seq} is no act of an emergency",
                code="emergency_unknown",
                hint="see them: cipherset audit emergencies",
            )
        facts: dict[str, Fact] = {"event": seq, "comment": comment}
        moment = Moment(requester=one.actor)
        with workspace.gate.act(Action.REVIEW, f"event {seq}", facts, moment=moment):
            pass
        return next(each for each in _found(workspace) if each.seq == seq)


def _found(workspace: Workspace) -> list[Emergency]:
    events = list(workspace.gate.ledger.events())
    # Replies that were held, and what a red team got, are reviewed too: these name no event.
    reviewed = {
        json.loads(event.body).get("event"): event.actor
        for event in events
        if event.action == Action.REVIEW and event.outcome == Outcome.INTENDED
    }
    now = datetime.now(UTC)
    return [
        _emergency(event, reviewed.get(event.seq), now)
        for event in events
        if event.outcome == Outcome.INTENDED and "break_glass" in json.loads(event.body)
    ]


def _emergency(event: Event, reviewer: str | None, now: datetime) -> Emergency:
    body = json.loads(event.body)
    due = datetime.fromisoformat(event.time) + timedelta(seconds=body["review_within_s"])
    return Emergency(
        seq=event.seq,
        actor=event.actor,
        action=event.action,
        subject=event.subject,
        reason=body["break_glass"],
        due=due,
        reviewed_by=reviewer,
        is_overdue=reviewer is None and now > due,
    )
