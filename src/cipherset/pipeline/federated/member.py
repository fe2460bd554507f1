"""One owner in one round: a key pair, masks of it and every other member, and values sealed once.

    shared = X25519(own key of this round, the other's)                   RFC 7748
    key    = HKDF-SHA256(shared, info = label, round and members, both)   RFC 5869
    mask   = the ChaCha20 keystream of that key                           RFC 8439

Of two members the one whose public key is the smaller adds their mask, the other takes it away.

Source: K. Bonawitz et al., Practical Secure Aggregation for Privacy-Preserving Machine Learning,
CCS 2017, section 4, "Masking with One-Time Pads", with agreed keys in place of pads; without its
recovery of members that drop out: a round that one of them leaves tells nothing, and is run again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cipherset.core.errors import InputError, IntegrityError
from cipherset.pipeline.federated.messages import Announcement, Masked, Roster, check, digest_of
from cipherset.pipeline.federated.ring import (
    LEAST_MEMBERS,
    MOST_MEMBERS,
    Integers,
    Ring,
    to_ring,
)

_LABEL: Final = b"cipherset/federated/1/mask"
_KEY_BYTES: Final = 32
# A key is of one pair in one round: its stream starts once.
_START: Final = bytes(16)


class Member:
    """A member's part of one round; ask for it anew each round, it seals once."""

    __slots__ = ("_identity", "_is_sealed", "_name", "_own", "_round_id")

    def __init__(
        self,
        name: str,
        identity: Ed25519PrivateKey,
        round_id: bytes,
        *,
        secret_for_testing: bytes | None = None,
    ) -> None:
        """With a new key pair; one of ``secret_for_testing`` can be repeated, and hides nothing."""
        self._name, self._identity, self._round_id = name, identity, round_id
        self._is_sealed = False
        if secret_for_testing is None:
            self._own = X25519PrivateKey.generate()
        else:
            self._own = X25519PrivateKey.from_private_bytes(secret_for_testing)

    @property
    def round_id(self) -> bytes:
        """Of the round that it is part of."""
        return self._round_id

    def announce(self) -> Announcement:
        """The public key for this round, signed."""
        public = self._own.public_key().public_bytes_raw()
        unsigned = Announcement(self._round_id, self._name, public)
        return replace(unsigned, signature=self._identity.sign(unsigned.signed))

    def seal(self, values: Integers, announced: Sequence[Announcement], roster: Roster) -> Masked:
        """``values + masks mod 2**64``, signed, for the round of those announced.

        Leaks: the number of values and of members. With the masked values of all, their sum.

        Args:
            values: Whole numbers from -2**52 to 2**52, shape (n,).
            announced: What all members of the round announced, this one too.
            roster: Ed25519 public keys by name, known before.

        Raises:
            InputError: ``round_values``; ``round_size``: fewer than 3 members or more than 1,024;
                ``round_member``: one is not on the roster, or this one is not among them.
            IntegrityError: ``round_message``: forged or of another round; ``round_twice``: sealed
                before, or a member or key is there twice.
        """
        if self._is_sealed:
            raise _twice("values were sealed in this round: others under the same masks would show")
        self.check(announced, roster)
        hidden = to_ring(values).copy()
        self._is_sealed = True
        met = digest_of(announced)
        for other in announced:
            if other.name != self._name:
                self._mask(hidden, other.public_key, met)
        unsigned = Masked(self._round_id, self._name, met, hidden)
        return replace(unsigned, signature=self._identity.sign(unsigned.signed))

    def check(self, announced: Sequence[Announcement], roster: Roster) -> None:
        """Refuse announcements that nothing is to be sealed for.

        Raises: as ``seal``.
        """
        check_size(len(announced))
        for one in announced:
            check(one, roster, self._round_id)
        for told in ([one.name for one in announced], [one.public_key for one in announced]):
            if len(set(told)) < len(told):
                raise _twice("a member or a key was announced twice")
        own = self._own.public_key().public_bytes_raw()
        if (self._name, own) not in {(one.name, one.public_key) for one in announced}:
            raise InputError(
                f"{self._name!r} is not among those who were announced with this key",
                code="round_member",
                hint="seal for a round that has this announcement",
            )

    def _mask(self, hidden: Ring, theirs: bytes, met: bytes) -> None:
        """Add the pair's mask to ``hidden`` (n,), or take it away."""
        own = self._own.public_key().public_bytes_raw()
        try:
            shared = self._own.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:  # a point of small order: everybody knows what is shared with it
            raise IntegrityError(
                "a public key shares nothing secret",
                code="round_message",
                hint="do not repeat it: find out who sent it",
            ) from None
        info = _LABEL + met + min(own, theirs) + max(own, theirs)
        key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(shared)
        stream = Cipher(ChaCha20(key, _START), mode=None).encryptor().update(bytes(hidden.nbytes))
        mask = np.frombuffer(stream, dtype="<u8").reshape(hidden.shape)
        if own < theirs:
            hidden += mask
        else:
            hidden -= mask

    def __repr__(self) -> str:
        return f"Member({self._name!r})"


def check_size(n_members: int) -> None:
    """Refuse a round that hides nothing, or whose sum could overflow.

    Raises:
        InputError: code ``round_size``.
    """
    if not LEAST_MEMBERS <= n_members <= MOST_MEMBERS:
        raise InputError(
            f"{n_members} members, expected {LEAST_MEMBERS} to {MOST_MEMBERS}",
            code="round_size",
            hint="of two members each has the other's values by taking its own from the sum",
        )


def _twice(what: str) -> IntegrityError:
    return IntegrityError(what, code="round_twice", hint="start another round, with new keys")
