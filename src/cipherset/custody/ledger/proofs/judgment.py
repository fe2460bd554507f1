"""A chain that is whole by itself, held against what somebody else remembers of it."""

from collections.abc import Sequence

from cipherset.custody.ledger.chain import Verification
from cipherset.custody.ledger.proofs.checkpoint import Checkpoint, root_of


def held_against(
    found: Verification, hashes: Sequence[str], checkpoint: Checkpoint
) -> Verification:
    """``found`` of the events with ``hashes``, or what the checkpoint shows to be wrong.

    Of a chain that was cut the first event that is missing is named. Of one that was computed anew
    the checkpoint knows its own last event to be another one, and that is named; the first that is
    another one may be before it.
    """
    with_end = remembered(found, hashes, (checkpoint.ledger, checkpoint.size, checkpoint.last))
    if with_end.valid and root_of(hashes[: checkpoint.size]) != checkpoint.root:
        return _bad(found, checkpoint.size, "the checkpoint's root is not that of the events")
    return with_end


def remembered(
    found: Verification, hashes: Sequence[str], seen: tuple[str, int, str]
) -> Verification:
    """The same of one event: ``seen`` is the hash of the first, and number and hash of another."""
    ledger, seq, last = seen
    if not found.valid:
        return found
    if len(hashes) < seq:
        return _bad(found, len(hashes) + 1, f"it is missing: event {seq} was there once")
    if hashes[0] != ledger:
        return _bad(found, 1, "it is another one than was seen: another ledger's, or made anew")
    if hashes[seq - 1] != last:
        return _bad(
            found,
            seq,
            "it is another one than was seen: the chain was computed anew, "
            "from here or from an event before",
        )
    return found


def _bad(found: Verification, first_bad: int, because: str) -> Verification:
    return Verification(valid=False, events=found.events, first_bad=first_bad, because=because)
