"""What needs attention now, as far as it is for the one who looks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cipherset.app.gate import Action
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.sight.may import may
from cipherset.app.sight.risk.exposure import Exposure, exposure_of
from cipherset.app.workspace import Session, Workspace
from cipherset.custody.ledger.records import last_verification
from cipherset.evidence.views.desk.attention import Budget, Figures, Matter, attention, figures
from cipherset.evidence.views.exposure.budgets import scope_of


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
        budgets = tuple(_budgets(exposure_of(workspace, seen)))
        audits = may(workspace, Action.AUDIT)
        if not audits:
            matters = attention(replace(seen, notices=()), budgets)
            return Overview(figures(seen), matters, audits, None)
        with workspace.gate.act(Action.AUDIT, "events", {"what": "notices"}) as act:
            act.facts["events"] = len(seen.notices)
            matters = attention(seen, budgets)
            return Overview(figures(seen), matters, audits, _verified(workspace))


def _budgets(found: Exposure) -> Iterator[Budget]:
    for key in found.keys:
        scope = scope_of(key.key.key_id, key.key.version)
        yield Budget(f"pairs under {scope}", key.noisy)
        yield Budget(f"pairs without noise under {scope}", key.noise_free)
    for asset in (*found.models, *found.datasets):
        for kind, use in asset.uses.items():
            yield Budget(f"{kind} of {asset.name}", use)


def _verified(workspace: Workspace) -> Verified | None:
    event = workspace.gate.ledger.look(lambda work: last_verification(work.connection))
    if event is None:
        return None
    facts = json.loads(event.body)
    return Verified(event.time, bool(facts["valid"]), int(facts["events"]))
