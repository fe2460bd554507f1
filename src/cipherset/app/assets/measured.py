"""What the latest assessment of an export said, as the ledger has it; for decisions on it."""

import json
from dataclasses import dataclass

from cipherset.app.assess.finding import suite_digest
from cipherset.app.gate import Action
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Outcome
from cipherset.custody.ledger.records import events_of
from cipherset.custody.policy import Verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """Re-identification at the upper end of its interval, the verdict, and whether both hold.

    They hold for one manifest and one suite: another export or a newer attack is not measured.
    """

    reid: float | None
    verdict: Verdict | None
    is_fresh: bool


NOT_MEASURED = Measured(None, None, is_fresh=False)


def measured(workspace: Workspace, manifest_digest: str) -> Measured:
    """The latest finding about the export with that manifest."""
    ledger = workspace.gate.ledger
    events = ledger.transact(
        lambda transaction: tuple(events_of(transaction.connection, Action.ASSESS, Outcome.DONE))
    )
    for event in reversed(events):
        body = json.loads(event.body)
        if body.get("manifest") == manifest_digest:
            fresh = body["suite"] == suite_digest()
            return Measured(body["reid"], Verdict(body["verdict"]), is_fresh=fresh)
    return NOT_MEASURED
