"""Proofs as files: of one event in a checkpoint, and of one checkpoint that goes on another.

They are canonical JSON and bear no signature of their own: a checkpoint's signature is what they
lean on. Whoever checks one needs the checkpoints and nothing else.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.custody.ledger.chain import Event, event_hash
from cipherset.custody.ledger.proofs import merkle
from cipherset.custody.ledger.proofs.checkpoint import Checkpoint, leaves_of, raw_of, root_of

EVENT_PROOF_SCHEMA: Final = "cipherset/event-proof/1"
CONSISTENCY_PROOF_SCHEMA: Final = "cipherset/consistency-proof/1"


def prove_event(event: Event, hashes: Sequence[str], checkpoint: Checkpoint) -> bytes:
    """The file that shows ``event`` to be in ``checkpoint``; ``hashes`` are all of its events'.

    Raises:
        UsageError: ``event_later``: it was written after the checkpoint.
        IntegrityError: ``checkpoint_mismatch``: the ledger is not what the checkpoint says.
    """
    if event.seq > checkpoint.size:
        raise UsageError(
            f"event {event.seq} is not among the {checkpoint.size} of the checkpoint",
            code="event_later",
            hint="make a newer one: cipherset audit checkpoint --to FILE",
        )
    leaves = _checked_leaves(hashes, checkpoint)
    proof = {
        "schema": EVENT_PROOF_SCHEMA,
        "event": asdict(event),
        "size": checkpoint.size,
        "path": [one.hex() for one in merkle.inclusion(leaves, event.seq - 1)],
    }
    return canonical.encode(proof)


def check_event(raw: bytes, checkpoint: Checkpoint) -> Event:
    """The event that the file proves to be in ``checkpoint``.

    Raises:
        IntegrityError: ``proof_mismatch``: it proves nothing of that; not canonical JSON.
    """
    found = canonical.decode(raw, what="the proof")
    event = _event_in(found)
    path = _path_in(found)
    if event is None or path is None or found.get("schema") != EVENT_PROOF_SCHEMA:
        raise _no_proof()
    leaf, top = raw_of(event_hash(event)), raw_of(checkpoint.root)
    is_included = merkle.is_included(leaf, event.seq - 1, checkpoint.size, path, top)
    if event.hash != event_hash(event) or found["size"] != checkpoint.size or not is_included:
        raise _no_proof()
    return event


def prove_consistency(hashes: Sequence[str], older: Checkpoint, newer: Checkpoint) -> bytes:
    """The file that shows ``newer`` to hold all that ``older`` does; ``hashes`` are all of newer's.

    Raises:
        UsageError: ``checkpoint_order``: the older one is larger.
        IntegrityError: ``checkpoint_mismatch``.
    """
    if older.size > newer.size:
        raise UsageError(
            f"the older checkpoint has {older.size} events, the newer one {newer.size}",
            code="checkpoint_order",
            hint="give the older one as --since, the newer one as --checkpoint",
        )
    _checked_leaves(hashes[: older.size], older)
    leaves = _checked_leaves(hashes, newer)
    proof = {
        "schema": CONSISTENCY_PROOF_SCHEMA,
        "sizes": [older.size, newer.size],
        "path": [one.hex() for one in merkle.consistency(leaves, older.size)],
    }
    return canonical.encode(proof)


def check_consistency(raw: bytes, older: Checkpoint, newer: Checkpoint) -> None:
    """Nothing, where the file proves that what ``older`` says is unchanged in ``newer``.

    Raises:
        IntegrityError: ``proof_mismatch``: it does not; not canonical JSON.
    """
    found = canonical.decode(raw, what="the proof")
    path = _path_in(found)
    if path is None or found.get("schema") != CONSISTENCY_PROOF_SCHEMA:
        raise _no_proof()
    sizes = (older.size, newer.size)
    if found.get("sizes") != [*sizes] or older.ledger != newer.ledger:
        raise _no_proof()
    if not merkle.is_consistent(sizes, (raw_of(older.root), raw_of(newer.root)), path):
        raise _no_proof()


def _checked_leaves(hashes: Sequence[str], checkpoint: Checkpoint) -> list[bytes]:
    if root_of(hashes) != checkpoint.root or len(hashes) != checkpoint.size:
        raise IntegrityError(
            "the ledger does not hold what the checkpoint says",
            code="checkpoint_mismatch",
            hint="see where they part: cipherset audit verify --checkpoint FILE",
        )
    return leaves_of(hashes)


def _event_in(found: Any) -> Event | None:  # noqa: ANN401 -- any JSON value
    event = found.get("event") if isinstance(found, dict) else None
    names = {field.name for field in fields(Event)}
    if not isinstance(event, dict) or set(event) != names or type(event["seq"]) is not int:
        return None
    if not all(isinstance(event[name], str) for name in names - {"seq"}):
        return None
    return Event(**event)


def _path_in(found: Any) -> list[bytes] | None:  # noqa: ANN401 -- any JSON value
    path = found.get("path") if isinstance(found, dict) else None
    if not isinstance(path, list) or not all(isinstance(one, str) for one in path):
        return None
    try:
        return [bytes.fromhex(one) for one in path]
    except ValueError:
        return None


def _no_proof() -> IntegrityError:
    return IntegrityError(
        "the proof does not fit the checkpoint: one of them was changed, or is of another ledger",
        code="proof_mismatch",
        hint="get a fresh copy of both",
    )
