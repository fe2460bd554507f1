"""What the latest assessment of an export said, as the ledger has it; for decisions on it."""

import json
from dataclasses import dataclass
from typing import Final

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
    ``finding`` is the digest of the signed finding that says the most.
    """

    reid: float | None
    verdict: Verdict | None
    is_fresh: bool
    finding: str | None = None


_WORST_FIRST: Final = (Verdict.NOT_PROTECTIVE, Verdict.INCONCLUSIVE, Verdict.WITHIN_LIMIT)
NOT_MEASURED: Final = Measured(None, None, is_fresh=False)


def measured(workspace: Workspace, manifest_digest: str) -> Measured:
    """The most that today's suite found in the export with that manifest, whichever run found it.

    A later assessment that looked less far takes nothing back. Without one by today's suite, the
    last of an older one is what is known, and is not fresh.
    """
    ledger = workspace.gate.ledger
    events = ledger.transact(
        lambda transaction: tuple(events_of(transaction.connection, Action.ASSESS, Outcome.DONE))
    )
    found = [json.loads(event.body) for event in events]
    about = [body for body in found if body.get("manifest") == manifest_digest]
    if not about:
        return NOT_MEASURED
    fresh = [body for body in about if body.get("suite") == suite_digest()]
    if not fresh:
        last = about[-1]
        verdict, finding = Verdict(last["verdict"]), last.get("finding_digest")
        return Measured(last["reid"], verdict, is_fresh=False, finding=finding)
    verdicts = {Verdict(body["verdict"]) for body in fresh}
    worst = next(verdict for verdict in _WORST_FIRST if verdict in verdicts)
    most = max(fresh, key=lambda body: float(body["reid"]))
    return Measured(most["reid"], worst, is_fresh=True, finding=most.get("finding_digest"))
