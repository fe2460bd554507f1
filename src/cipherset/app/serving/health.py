"""Whether the workspace can be worked with: its ledger takes events, its keys open."""

from cipherset.app.workspace import Session, open_workspace


def check_workspace(session: Session) -> None:
    """Nothing, where an act could be recorded and signed now; no act is.

    Raises:
        BackendError: the ledger cannot be written, or a disk or provider is out of reach.
        IntegrityError: the key that signs does not open, or the file of another is corrupt.
    """
    with open_workspace(session) as workspace:
        workspace.gate.ledger.transact(lambda transaction: transaction.now)
        workspace.ring.list()
