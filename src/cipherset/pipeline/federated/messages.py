"""What members send, and how it is signed: two messages a round, each bound to that round.

    Announcement   this member's public key for this round
    Masked         its values under the masks it shares with all others

Who is who is settled before the first round: each member has the Ed25519 public keys of all (the
roster). Otherwise who passes messages on could stand in for all others of a member, and unmask it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cipherset.core.errors import InputError, IntegrityError
from cipherset.pipeline.federated.ring import Ring

_ANNOUNCE: Final = b"cipherset/federated/1/announcement"
_MASKED: Final = b"cipherset/federated/1/masked"
_MET: Final = b"cipherset/federated/1/members"

# From a member's name to its Ed25519 public key, 32 bytes.
Roster = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A member's X25519 public key for one round."""

    round_id: bytes
    name: str
    public_key: bytes
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """The bytes that are signed."""
        return _joined(_ANNOUNCE, self.round_id, self.name.encode(), self.public_key)


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """Masked values (n,); ``met`` is the digest of the announcements they were masked for."""

    round_id: bytes
    name: str
    met: bytes
    values: Ring = field(repr=False)
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """The bytes that are signed."""
        digest = sha256(self.values.astype("<u8").tobytes()).digest()
        return _joined(_MASKED, self.round_id, self.name.encode(), self.met, digest)


def public_of(identity: Ed25519PrivateKey) -> bytes:
    """What the roster has of this member, 32 bytes."""
    return identity.public_key().public_bytes_raw()


def digest_of(announced: Sequence[Announcement]) -> bytes:
    """Of a round and its members: names and public keys, in order of names."""
    parts = sorted((one.name.encode(), one.public_key, one.round_id) for one in announced)
    return sha256(_joined(_MET, *(part for one in parts for part in one))).digest()


def check(message: Announcement | Masked, roster: Roster, round_id: bytes) -> None:
    """Refuse a message that is not this member's, or of another round.

    Raises:
        InputError: code ``round_member``: the roster has no such member.
        IntegrityError: code ``round_message``: of another round, or changed since it was signed.
    """
    if message.name not in roster:
        raise InputError(
            f"{message.name!r} is not on the roster",
            code="round_member",
            hint="agree on who takes part before the first round",
        )
    try:
        key = Ed25519PublicKey.from_public_bytes(roster[message.name])
        key.verify(message.signature, message.signed)
        is_genuine = message.round_id == round_id
    except (InvalidSignature, ValueError):  # the latter where the roster has no such key
        is_genuine = False
    if not is_genuine:
        raise IntegrityError(
            f"a message of {message.name!r} is of another round, or was changed",
            code="round_message",
            hint="do not repeat it: find out who passed it on",
        )


def _joined(*parts: bytes) -> bytes:
    """Each part behind its length: no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)
