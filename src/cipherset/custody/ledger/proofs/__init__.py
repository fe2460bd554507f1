"""What can be shown of a ledger to somebody who does not hold it; no I/O."""

from cipherset.custody.ledger.proofs.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    checkpoint_over,
    read_checkpoint,
    sign_checkpoint,
)
from cipherset.custody.ledger.proofs.evidence import (
    check_consistency,
    check_event,
    prove_consistency,
    prove_event,
)
from cipherset.custody.ledger.proofs.judgment import held_against, remembered

__all__ = [
    "Checkpoint",
    "SignedCheckpoint",
    "check_consistency",
    "check_event",
    "checkpoint_over",
    "held_against",
    "prove_consistency",
    "prove_event",
    "read_checkpoint",
    "remembered",
    "sign_checkpoint",
]
