"""Whether the ledger is what it was: read only, whatever state it is in; no key is needed.

Nothing is recorded: a broken chain is left as it was found, and anybody who holds the files can
look anyway.
"""

from pathlib import Path
from typing import TypedDict

from cipherset.app.audit.files import read, read_signed
from cipherset.app.audit.show import EventResult, shown
from cipherset.app.workspace import Session, heads_of, open_ledger
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger import SignedCheckpoint, check_consistency, check_event


class CheckpointResult(TypedDict):
    """What a checkpoint says, and the fingerprint of who signed it."""

    ledger: str
    size: int
    root: str
    last: str
    time: str
    signer: str


class VerifyResult(TypedDict):
    """Whether the chain holds; ``first_bad`` is the number of the first event that is wrong."""

    valid: bool
    events: int
    first_bad: int | None
    because: str
    checkpoint: CheckpointResult | None


class ProofResult(TypedDict):
    """An event that a proof shows to be in a checkpoint."""

    valid: bool
    event: EventResult
    checkpoint: CheckpointResult


class ConsistencyResult(TypedDict):
    """Two checkpoints of which a proof shows that the second goes on the first."""

    valid: bool
    since: CheckpointResult
    checkpoint: CheckpointResult


def verify(session: Session, checkpoint: Path | None, signer: str | None) -> VerifyResult:
    """Whether every event is where and what it was, also against a checkpoint kept elsewhere.

    What the workspace remembers of the ledger's end is held against it too.

    Raises:
        UsageError: ``file_missing``.
        IntegrityError: the checkpoint is not what was signed; ``ledger_corrupt``, ``head_corrupt``.
        BackendError: the ledger cannot be read.
    """
    signed = None if checkpoint is None else read_signed(checkpoint, signer)
    with open_ledger(session) as ledger:
        found = ledger.verify(
            checkpoint=None if signed is None else signed.checkpoint,
            seen=heads_of(session.home).read(),
        )
    return VerifyResult(
        valid=found.valid,
        events=found.events,
        first_bad=found.first_bad,
        because=found.because,
        checkpoint=None if signed is None else told(signed),
    )


def verify_event(proof: Path, checkpoint: Path, signer: str | None) -> ProofResult:
    """The event that the proof shows to be in the checkpoint; needs no ledger.

    Raises:
        UsageError: ``file_missing``.
        IntegrityError: ``proof_mismatch``; a file is not what was written or signed.
        BackendError: ``no_permission`` or ``disk``.
    """
    signed = read_signed(checkpoint, signer)
    event = check_event(read(proof), signed.checkpoint)
    return ProofResult(valid=True, event=shown(event), checkpoint=told(signed))


def verify_consistency(
    proof: Path, since: Path, checkpoint: Path, signer: str | None
) -> ConsistencyResult:
    """Both checkpoints, where the proof shows the second to go on the first; needs no ledger.

    Raises:
        UsageError: ``file_missing``.
        IntegrityError: ``proof_mismatch``; ``signer``: each is signed by somebody else; a file is
            not what was written or signed.
        BackendError: ``no_permission`` or ``disk``.
    """
    older, newer = read_signed(since, signer), read_signed(checkpoint, signer)
    if older.signer != newer.signer:
        raise IntegrityError(
            f"one checkpoint is signed by {older.signer}, the other by {newer.signer}",
            code="signer",
            hint="ask the owner for the fingerprint of the key that signs, and pass it as --signer",
        )
    check_consistency(read(proof), older.checkpoint, newer.checkpoint)
    return ConsistencyResult(valid=True, since=told(older), checkpoint=told(newer))


def told(signed: SignedCheckpoint) -> CheckpointResult:
    """What may be told of a checkpoint: all of it."""
    one = signed.checkpoint
    return CheckpointResult(
        ledger=one.ledger,
        size=one.size,
        root=one.root,
        last=one.last,
        time=one.time,
        signer=signed.signer,
    )
