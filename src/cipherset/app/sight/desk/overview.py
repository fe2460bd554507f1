"""What needs attention now, as far as it is for the one who looks."""

import json
from dataclasses import dataclass, replace

from cipherset.app.gate import Action
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.sight.may import may
from cipherset.app.workspace import Session, Workspace
from cipherset.custody.ledger.records import last_verification
from cipherset.evidence.views.desk.attention import Figures, Matter, attention, figures
from cipherset.evidence.views.picture import Picture


@dataclass(frozen=True, slots=True)
class Verified:
    """When the ledger was last verified at the gateway, and what came of it."""

    time: str
    is_valid: bool
    events: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Figures, and matters, the most urgent first.

    ``audits``: the one who looks may see events. If not, there are none of theirs among the
    matters, and nothing is said of when the ledger was verified.
    """

    figures: Figures
    matters: tuple[Matter, ...]
    audits: bool
    verified: Verified | None


def overview(session: Session) -> Overview:
    """All of it, computed now.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with looked(session, "overview") as (workspace, _):
        seen = picture(workspace)
        audits = may(workspace, Action.AUDIT)
        if not audits:
            return Overview(figures(seen), attention(_without_events(seen)), audits, None)
        with workspace.gate.act(Action.AUDIT, "events", {"what": "notices"}) as act:
            act.facts["events"] = len(seen.notices)
            return Overview(figures(seen), attention(seen), audits, _verified(workspace))


def _without_events(seen: Picture) -> Picture:
    return replace(seen, notices=())


def _verified(workspace: Workspace) -> Verified | None:
    event = workspace.gate.ledger.look(lambda work: last_verification(work.connection))
    if event is None:
        return None
    facts = json.loads(event.body)
    return Verified(event.time, bool(facts["valid"]), int(facts["events"]))
