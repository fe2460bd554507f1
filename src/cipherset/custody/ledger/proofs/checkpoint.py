"""What a ledger was at one moment, in a few signed lines that are kept where the ledger is not.

Who holds a checkpoint sees a ledger that was cut, computed anew or restored from an older copy,
and can check single events without the ledger. A ledger is named by the hash of its first event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from securesystemslib.signer import Signer

from cipherset.core import canonical, envelope
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger.proofs import merkle

CHECKPOINT_SCHEMA: Final = "cipherset/checkpoint/1"
CHECKPOINT_TYPE: Final = "application/vnd.cipherset.checkpoint.v1+json"
_PREFIX: Final = "sha256:"
_FIELDS: Final = {"schema", "ledger", "size", "root", "last", "time", "signer"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``size`` events, the root of the Merkle tree over their hashes, the last one's hash, when.

    All hashes are ``sha256:`` and 64 hex digits; ``time`` is UTC, ISO 8601.
    """

    ledger: str
    size: int
    root: str
    last: str
    time: str


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signature holds, and the fingerprint of whose it is."""

    checkpoint: Checkpoint
    signer: str


def leaves_of(hashes: Sequence[str]) -> list[bytes]:
    """What the Merkle tree is over: the 32 bytes of each event's hash."""
    return [raw_of(one) for one in hashes]


def raw_of(text: str) -> bytes:
    """The 32 bytes that ``sha256:`` and hex digits spell."""
    return bytes.fromhex(text.removeprefix(_PREFIX))


def root_of(hashes: Sequence[str]) -> str:
    """The root of the Merkle tree over the events that have ``hashes``, from the first on."""
    return _PREFIX + merkle.root(leaves_of(hashes)).hex()


def checkpoint_over(hashes: Sequence[str], time: datetime) -> Checkpoint:
    """The checkpoint of a ledger whose events have ``hashes``, at least one, from the first on."""
    when = time.astimezone(UTC).isoformat(timespec="microseconds")
    return Checkpoint(hashes[0], len(hashes), root_of(hashes), hashes[-1], when)


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed file: a DSSE envelope in canonical form."""
    payload = {
        "schema": CHECKPOINT_SCHEMA,
        "ledger": checkpoint.ledger,
        "size": checkpoint.size,
        "root": checkpoint.root,
        "last": checkpoint.last,
        "time": checkpoint.time,
        "signer": {"public_key": envelope.public_key_of(signer)},
    }
    return envelope.sign(canonical.encode(payload), CHECKPOINT_TYPE, signer)


def read_checkpoint(raw: bytes, *, expected_fingerprint: str | None) -> SignedCheckpoint:
    """The checkpoint in a signed file; ``None`` accepts any signer: then compare it yourself.

    Raises:
        IntegrityError: one byte differs from what was signed; another signer; no checkpoint.
    """
    verified = envelope.verify(raw, CHECKPOINT_TYPE, expected_fingerprint=expected_fingerprint)
    found: Any = canonical.decode(verified.payload, what="the checkpoint")
    if not _is_checkpoint(found):
        raise IntegrityError(
            "this is no checkpoint of this version",
            code="checkpoint_form",
            hint="make one with: cipherset audit checkpoint --to FILE",
        )
    fields = {name: found[name] for name in ("ledger", "size", "root", "last", "time")}
    return SignedCheckpoint(Checkpoint(**fields), verified.fingerprint)


def is_hash(value: object) -> bool:
    """Whether it is ``sha256:`` and 64 lower-case hex digits."""
    if not isinstance(value, str) or not value.startswith(_PREFIX):
        return False
    digits = value.removeprefix(_PREFIX)
    return len(digits) == 2 * merkle.HASH_BYTES and set(digits) <= set("0123456789abcdef")


def _is_checkpoint(found: Any) -> bool:  # noqa: ANN401 -- any JSON value
    if not isinstance(found, dict) or set(found) != _FIELDS:
        return False
    size = found["size"]
    return (
        found["schema"] == CHECKPOINT_SCHEMA
        and all(is_hash(found[name]) for name in ("ledger", "root", "last"))
        and type(size) is int
        and size > 0
        and isinstance(found["time"], str)
    )
