"""What the owner vouches for: checkpoints, proofs out of them, and a ledger that lost its end."""

from pathlib import Path
from typing import TypedDict

from cipherset.app.audit.files import check_free, put, read_signed
from cipherset.app.audit.verify import CheckpointResult, told
from cipherset.app.gate import Action, Fact, Gate, KeptPolicies
from cipherset.app.labels.made import AT
from cipherset.app.workspace import Session, heads_of, is_parted, open_ledger, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.custody.ledger import Head, Ledger, SignedCheckpoint, sign_checkpoint


class AcceptResult(TypedDict):
    """The number of the last event that was seen before, and of the one that is last now."""

    seen: int | None
    last: int


def checkpoint(session: Session, target: Path, *, overwrite: bool) -> CheckpointResult:
    """What the ledger is now, signed, in ``target``; keep it where the ledger is not.

    Raises:
        UsageError: ``target_exists``, ``target_parent``.
        IntegrityError: ``ledger_broken``, ``ledger_regressed``, ``ledger_corrupt``.
        KeyAccessError: the signing key cannot be used.
        BackendError: the ledger cannot be read or written; ``disk_full``, ``no_permission``.
    """
    check_free(target, overwrite=overwrite)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "checkpoint", {"what": "checkpoint"}) as act,
    ):
        made = workspace.gate.ledger.checkpoint()
        raw = sign_checkpoint(made, workspace.ring.signer())
        put(target, raw, overwrite=overwrite)
        act.facts.update(size=made.size, root=made.root, sha256=canonical.digest_bytes(raw))
        act.facts[AT] = str(target.absolute())
        signer = workspace.fingerprint
    return told(SignedCheckpoint(made, signer))


def prove_event(
    session: Session, seq: int, checkpoint: Path, target: Path, *, overwrite: bool
) -> CheckpointResult:
    """The checkpoint in which the proof that is in ``target`` now shows event ``seq`` to be.

    Raises:
        UsageError: ``target_exists``, ``target_parent``, ``file_missing``, ``event_unknown``,
            ``event_later``.
        IntegrityError: ``checkpoint_mismatch``, ``ledger_broken``, ``ledger_regressed``.
        BackendError: the ledger cannot be read or written; ``disk_full``, ``no_permission``.
    """
    check_free(target, overwrite=overwrite)
    signed = read_signed(checkpoint, None)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, f"event {seq}", {"what": "prove", "seq": seq}),
    ):
        proof = workspace.gate.ledger.prove_event(seq, signed.checkpoint)
        put(target, proof, overwrite=overwrite)
    return told(signed)


def prove_consistency(
    session: Session, since: Path, checkpoint: Path, target: Path, *, overwrite: bool
) -> CheckpointResult:
    """The newer checkpoint, which the proof in ``target`` shows to go on the older one.

    Raises:
        UsageError: ``target_exists``, ``target_parent``, ``file_missing``, ``checkpoint_order``.
        IntegrityError: ``checkpoint_mismatch``, ``ledger_broken``, ``ledger_regressed``.
        BackendError: the ledger cannot be read or written; ``disk_full``, ``no_permission``.
    """
    check_free(target, overwrite=overwrite)
    older, newer = read_signed(since, None), read_signed(checkpoint, None)
    sizes: dict[str, Fact] = {"since": older.checkpoint.size, "size": newer.checkpoint.size}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "checkpoint", {"what": "prove", **sizes}),
    ):
        proof = workspace.gate.ledger.prove_consistency(older.checkpoint, newer.checkpoint)
        put(target, proof, overwrite=overwrite)
    return told(newer)


def accept(session: Session, reason: str) -> AcceptResult:
    """Go on with a ledger that lost its end, or is another one; that it did is recorded in it.

    Raises:
        UsageError: ``nothing_to_accept``: it holds all that was seen of it.
        IntegrityError: ``ledger_corrupt``; ``policy_lost``: duties were parted here, and a ledger
            without policies would give all of them to one person.
        BackendError: the ledger cannot be read or written.
    """
    with open_ledger(session) as ledger:
        why = _refusal(ledger)
        if why is None:
            raise UsageError(
                "the ledger holds all that this workspace has seen of it",
                code="nothing_to_accept",
                hint="go on; whether its chain holds says: cipherset audit verify",
            )
        seen, found = _seen(session), ledger.head()
        facts: dict[str, Fact] = {
            "reason": reason,
            "code": why,
            "seen": seen.seq if seen else None,
            "seen_hash": seen.hash if seen else None,
            "found": found.seq if found else 0,
        }
        kept = KeptPolicies(parted=is_parted(session.home))
        gate = Gate(ledger, session.who, session.environment, policies=kept)
        with gate.act(Action.AUDIT_ACCEPT, "ledger", facts):
            pass
        ledger.accept_head()
        last = ledger.head()
    return AcceptResult(seen=seen.seq if seen else None, last=last.seq if last else 0)


def _refusal(ledger: Ledger) -> str | None:
    """The code with which the ledger is refused; None if it is not."""
    try:
        ledger.check_heads()
    except IntegrityError as error:
        return error.code
    return None


def _seen(session: Session) -> Head | None:
    try:
        return heads_of(session.home).read()
    except IntegrityError:  # it is one reason to accept
        return None
