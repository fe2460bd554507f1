"""The one who adds up: takes one message of each kind from every member, then tells the sum.

The order: ``announce`` for each, ``close`` once, ``take`` for each, ``total``. It learns the sum or
nothing: a round that a member left is over, and another is to be run with those that are there.
"""

import secrets
from collections.abc import Mapping
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cipherset.core.errors import BackendError, DimensionError, IntegrityError
from cipherset.pipeline.federated.member import Member, check_size
from cipherset.pipeline.federated.messages import (
    Announcement,
    Masked,
    Roster,
    check,
    digest_of,
    public_of,
)
from cipherset.pipeline.federated.ring import Integers, from_ring

_ID_BYTES: Final = 16


class Round:
    """One sum of ``n_values`` numbers over members of the roster."""

    def __init__(self, roster: Roster, n_values: int) -> None:
        self.round_id = secrets.token_bytes(_ID_BYTES)
        self._roster, self._n_values = roster, n_values
        self._announced: dict[str, Announcement] = {}
        self._taken: dict[str, Masked] = {}
        self._met: bytes | None = None

    def announce(self, announcement: Announcement) -> None:
        """Let a member in.

        Raises:
            InputError: ``round_member``.
            IntegrityError: ``round_message``; ``round_twice``: announced before, or too late.
        """
        check(announcement, self._roster, self.round_id)
        if announcement.name in self._announced or self._met is not None:
            raise _twice(announcement.name)
        self._announced[announcement.name] = announcement

    def close(self) -> tuple[Announcement, ...]:
        """Those who are in, for every member to seal for.

        Raises:
            InputError: ``round_size``: fewer than 3, or more than 1,024.
        """
        check_size(len(self._announced))
        announced = tuple(self._announced.values())
        self._met = digest_of(announced)
        return announced

    def take(self, masked: Masked) -> None:
        """One member's masked values.

        Raises:
            InputError: ``round_member``.
            DimensionError: ``dimension``: another number of values.
            IntegrityError: ``round_message``: changed, of another round, or masked for other
                members; ``round_twice``.
        """
        check(masked, self._roster, self.round_id)
        if masked.met != self._met or masked.name not in self._announced:
            raise IntegrityError(
                f"the values of {masked.name!r} were masked for other members",
                code="round_message",
                hint="run another round: somebody told members apart",
            )
        if masked.name in self._taken:
            raise _twice(masked.name)
        if masked.values.shape != (self._n_values,) or masked.values.dtype != np.uint64:
            raise DimensionError(
                f"{masked.values.shape} values of {masked.name!r}, expected ({self._n_values},)",
                code="dimension",
                hint="all members send values of one shape",
            )
        self._taken[masked.name] = masked

    @property
    def missing(self) -> tuple[str, ...]:
        """Members that were let in and have sent no values."""
        return tuple(name for name in self._announced if name not in self._taken)

    def total(self) -> Integers:
        """The sum over all members, shape (n_values,).

        Raises:
            BackendError: ``round_incomplete``: a member left; what the others sent is of no use.
            IntegrityError: ``round_total``: the masks did not cancel.
        """
        if self._met is None or self.missing:
            raise BackendError(
                f"{len(self.missing)} of {len(self._announced)} members sent no values",
                code="round_incomplete",
                hint="run another round, with new keys, with those that are there",
            )
        hidden = np.zeros(self._n_values, dtype=np.uint64)
        for masked in self._taken.values():
            hidden += masked.values
        return from_ring(hidden, len(self._taken))


def secure_sum(
    values: Mapping[str, Integers], identities: Mapping[str, Ed25519PrivateKey]
) -> Integers:
    """The sum of all members' values (n,) by one round in this process: for trying it out.

    Raises:
        InputError: ``round_size``; ``round_values``.
        DimensionError: ``dimension``: members have different numbers of values.
    """
    roster = {name: public_of(identities[name]) for name in values}
    first = next(iter(values.values()), np.zeros(0, dtype=np.int64))
    turn = Round(roster, len(first))
    members = {name: Member(name, identities[name], turn.round_id) for name in values}
    for member in members.values():
        turn.announce(member.announce())
    announced = turn.close()
    for name, member in members.items():
        turn.take(member.seal(values[name], announced, roster))
    return turn.total()


def _twice(name: str) -> IntegrityError:
    return IntegrityError(
        f"{name!r} sent twice, or too late",
        code="round_twice",
        hint="the first message counts; run another round for another",
    )
