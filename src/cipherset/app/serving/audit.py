"""The ledger for auditors who ask from elsewhere; files that others keep come and go as bytes.

Unlike on the owner's own machine, to verify is an act too: it takes a while, and tells how much
there is.
"""

from itertools import islice
from typing import Any

from cipherset.app.audit.show import EventResult, Wanted, shown
from cipherset.app.audit.verify import VerifyResult, told
from cipherset.app.gate import Action
from cipherset.app.workspace import Session, heads_of, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import UsageError
from cipherset.custody.ledger import SignedCheckpoint, read_checkpoint, sign_checkpoint


def list_events(
    session: Session, wanted: Wanted, *, after: int, most: int
) -> tuple[list[EventResult], int | None]:
    """At most ``most`` wanted events with a number above ``after``, and where to go on from.

    None where there are no more.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``since``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "events", {"what": "list", "after": after}) as act,
    ):
        found = list(islice(wanted.of(workspace.gate.ledger.events(after)), most + 1))
        act.facts["events"] = len(found[:most])
    is_more = len(found) > most
    return [shown(event) for event in found[:most]], found[most - 1].seq if is_more else None


def verify(session: Session, checkpoint: bytes | None, signer: str | None) -> VerifyResult:
    """Whether every event is where and what it was, also against a checkpoint kept elsewhere.

    Raises:
        PolicyError: ``not_allowed``.
        IntegrityError: the checkpoint is not what was signed.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "events", {"what": "verify"}) as act,
    ):
        signed = None if checkpoint is None else _read(checkpoint, signer)
        seen = heads_of(session.home).read()
        found = workspace.gate.ledger.verify(
            checkpoint=None if signed is None else signed.checkpoint, seen=seen
        )
        act.facts.update(valid=found.valid, events=found.events)
    return VerifyResult(
        valid=found.valid,
        events=found.events,
        first_bad=found.first_bad,
        because=found.because,
        checkpoint=None if signed is None else told(signed),
    )


def checkpoint(session: Session) -> dict[str, Any]:
    """What the ledger is now, signed; ``checkpoint`` is the envelope, to be kept elsewhere.

    Raises:
        PolicyError: ``not_allowed``.
        IntegrityError: ``ledger_broken``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "checkpoint", {"what": "checkpoint"}) as act,
    ):
        made = workspace.gate.ledger.checkpoint()
        raw = sign_checkpoint(made, workspace.ring.signer())
        act.facts.update(size=made.size, root=made.root, sha256=canonical.digest_bytes(raw))
        signer = workspace.fingerprint
    return {**told(SignedCheckpoint(made, signer)), "checkpoint": raw.decode()}


def prove(
    session: Session, checkpoint: bytes, *, seq: int | None, since: bytes | None
) -> dict[str, Any]:
    """The proof that event ``seq`` is in ``checkpoint``, or that it goes on ``since``.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``proof_of``: neither is asked, or both; ``event_unknown``, ``event_later``,
            ``checkpoint_order``.
        IntegrityError: ``checkpoint_mismatch``, ``ledger_broken``; one is not what was signed.
    """
    subject = "checkpoint" if seq is None else f"event {seq}"
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, subject, {"what": "prove"}),
    ):
        newer = _read(checkpoint, None).checkpoint
        older = None if since is None else _read(since, None).checkpoint
        ledger = workspace.gate.ledger
        if seq is not None and older is None:
            proof = ledger.prove_event(seq, newer)
        elif older is not None and seq is None:
            proof = ledger.prove_consistency(older, newer)
        else:
            raise UsageError(
                "a proof is of one event, or of one checkpoint since another",
                code="proof_of",
                hint="give seq, or since",
            )
    return {"proof": proof.decode(), "size": newer.size}


def _read(raw: bytes, signer: str | None) -> SignedCheckpoint:
    return read_checkpoint(raw, expected_fingerprint=signer)
