"""One owner: its rows stay with it, and its gradients leave with noise and under masks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cipherset.app.federated.account import Account, Counted
from cipherset.app.federated.agreement import Agreement
from cipherset.core.errors import DimensionError, InputError, PolicyError
from cipherset.core.values import Floats
from cipherset.pipeline.federated import Announcement, Masked, Member
from cipherset.pipeline.private import Part, Words, system_words

# What a refusal depends on must not be the rows: with weights so small nothing overflows, and with
# so few rows a sum of their gradients and the noise is below 2**52.
MOST_WEIGHT: Final = 2.0**20
MOST_ROWS: Final = 2**25


@dataclass(frozen=True, slots=True)
class Contribution:
    """Ciphertexts (n, dim) and the names of their classes, n of them."""

    x: Floats = field(repr=False)
    labels: Sequence[str] = field(repr=False)


class Owner:
    """Takes part in rounds, as often as was agreed and no more.

    ``join`` and ``update``, in this order, for each round: whatever server asks, and in whatever
    words, it has a sum of at least ``agreement.least_members`` members or nothing.
    """

    def __init__(
        self,
        name: str,
        identity: Ed25519PrivateKey,
        rows: Contribution,
        agreement: Agreement,
        words: Words = system_words,
        account: Account | None = None,
    ) -> None:
        """With rows as they are; without an ``account`` it is counted in memory, to try it out."""
        self.name, self.agreement = name, agreement
        self._identity, self._words = identity, words
        self._part = _part(rows, agreement)
        self._account = account or Counted(agreement.releases)
        self._member: Member | None = None

    @property
    def left(self) -> int:
        """How many steps it may still seal."""
        return self._account.left()

    def join(self, round_id: bytes) -> Announcement:
        """The owner's public key for a round; a round it was in before is given up.

        Raises:
            PolicyError: code ``round_spent``: it took part as often as was agreed.
        """
        if self.left == 0:
            raise PolicyError(
                f"{self.name!r} took part in {self.agreement.releases} rounds: all that was agreed",
                code="round_spent",
                hint="what more rounds tell is not paid for; agree on more repeats beforehand",
            )
        self._member = Member(self.name, self._identity, round_id)
        return self._member.announce()

    def update(self, weights: Floats, announced: Sequence[Announcement]) -> Masked:
        """The gradient of this owner's rows at ``weights`` (dim + 1, c), with noise, masked.

        It is paid for before it leaves, whether or not a sum comes of it.

        Raises:
            InputError: ``round_member``: no round was joined; ``round_size``: smaller than agreed;
                ``round_weights``: of another shape, or no usual numbers; and as ``Member.seal``.
            IntegrityError: as ``Member.seal``.
            CiphersetError: as ``Account.paying``; nothing was computed then.
        """
        member, self._member = self._member, None
        if member is None:
            raise InputError(
                f"{self.name!r} joined no round", code="round_member", hint="join, then update"
            )
        if len(announced) < self.agreement.least_members:
            raise InputError(
                f"{len(announced)} members, {self.agreement.least_members} were agreed at least",
                code="round_size",
                hint="with fewer the noise of the sum would be too small",
            )
        _check_weights(weights, self.agreement.shape)
        member.check(announced, self.agreement.roster)  # nothing is paid for what is forged
        part, share = self._part, self.agreement.share
        with self._account.paying(member.round_id, announced):
            values = part.noisy_gradient(weights, sigma=share, words=self._words)
            return member.seal(values.ravel(), announced, self.agreement.roster)


def _check_weights(weights: Floats, shape: tuple[int, int]) -> None:
    if weights.shape != shape or not (np.abs(weights) <= MOST_WEIGHT).all():
        raise InputError(
            f"weights are not {shape} numbers of at most {MOST_WEIGHT:g}",
            code="round_weights",
            hint="do not go on: who sends such weights is not training",
        )


def _part(rows: Contribution, agreement: Agreement) -> Part:
    if len(rows.x) > MOST_ROWS:
        raise InputError(
            f"{len(rows.x)} rows, expected at most {MOST_ROWS}",
            code="round_values",
            hint="take part with a sample of them",
        )
    if rows.x.shape != (len(rows.labels), agreement.dim):
        raise DimensionError(
            f"{rows.x.shape} vectors and {len(rows.labels)} labels, expected (n, {agreement.dim})",
            code="dimension",
            hint="pass one label for each vector",
        )
    codes = {name: code for code, name in enumerate(agreement.classes)}
    unknown = sum(label not in codes for label in rows.labels)
    if unknown:
        raise InputError(
            f"{unknown} rows have a class that was not agreed on",
            code="unknown_class",
            hint="agree on the names of all classes first",
        )
    x = rows.x / agreement.row_norm
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1.0)
    told = np.array([codes[label] for label in rows.labels], dtype=np.int64)
    return Part.of(x, told, len(agreement.classes))
