"""What was asked and answered, for whoever holds the text: the events that have its digest."""

from cipherset.app.audit.show import ListResult, shown
from cipherset.app.gate import Action
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import UsageError
from cipherset.custody.keys import TextDigests


def find_text(session: Session, text: bytes) -> ListResult:
    """The events in which ``text`` (UTF-8) was asked or answered, whole and as it was sent.

    The ledger has keyed digests: it is found by its exact bytes, and read back by nobody. That
    somebody looked is written down, with the digest and not the text.

    Raises:
        UsageError: ``find_nothing``: the text is empty.
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read, or written.
    """
    if not text:
        raise UsageError(
            "an empty text is in no event", code="find_nothing", hint="give the whole text"
        )
    with open_workspace(session) as workspace:
        digest = TextDigests(workspace.ring.signer()).of(text)
        with workspace.gate.act(Action.AUDIT, "events", {"what": "find"}) as act:
            found = [
                shown(event)
                for event in workspace.gate.ledger.events()
                if digest in event.body and event.action != Action.AUDIT
            ]
            act.facts.update(events=len(found), looked_for=digest)
    return ListResult(events=found)
