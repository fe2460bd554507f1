"""Whether the workspace can be worked with: its ledger takes events, its keys open."""

from typing import Final

from cipherset.app.workspace import Session, open_workspace
from cipherset.core.files import write_atomic

_PROBE: Final = ".ready"
_MOST_KEYS: Final = 100  # that are read each time: a second's work, where there are thousands


def check_workspace(session: Session) -> None:
    """Nothing, where an act could be recorded and signed now; no act is.

    Raises:
        BackendError: the ledger cannot be written, the workspace is gone, or a disk or provider is
            out of reach.
        IntegrityError: the key that signs does not open, or the file of another is corrupt; of
            more than a hundred keys, others are looked at each time.
    """
    with open_workspace(session) as workspace:
        # A transaction that writes nothing begins on a disk that is full.
        write_atomic(workspace.home / _PROBE, b"ready\n")
        workspace.gate.ledger.transact(lambda transaction: transaction.now)
        workspace.ring.signer()
        workspace.ring.list(_MOST_KEYS)
