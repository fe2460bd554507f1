"""What owners agree on before the first round; all of it is public, and all compute the same of it.

**What is kept, of whom.** One row of one owner replaced, vector and class: (epsilon, delta) of all
that the rounds tell, model included, for whoever adds up and, in each round, all but ``honest`` of
its members together. Who adds up says who is missing from a round, so those that work with it may
be in the smallest: ``least_members - honest`` of them. The numbers of rows, of classes and of
members are not kept secret, nor what the minimizer and the names of the classes tell.

Each member adds discrete Gaussian noise of width ``sigma / sqrt(honest)``. Of so many the sum is as
good as one of width sigma: with shares of width w it keeps ``rho + t * d / 4`` for d numbers, where
``t <= 10 * honest * exp(-pi**2 * w**2)``; w is above 1e5 steps here, so t is below any float.

Source: P. Kairouz, Z. Liu, T. Steinke, The Distributed Discrete Gaussian Mechanism for Federated
Learning with Secure Aggregation, ICML 2021, arXiv:2102.06387, proposition 14.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cipherset.core import canonical
from cipherset.core.errors import UsageError
from cipherset.core.values import Guarantee
from cipherset.pipeline.federated import LEAST_MEMBERS
from cipherset.pipeline.private import MOST_STEPS, SENSITIVITY, budget, sigma_of, steps_for

SCHEMA: Final = "cipherset/agreement/1"


@dataclass(frozen=True)
class Agreement:
    """Who takes part, what is learned and what is kept.

    ``roster``: Ed25519 public keys by name. ``classes``: sorted names. ``n_rows``: of all owners.
    ``row_norm``: rows are divided by it, and shortened to length 1 where they are longer; it does
    not depend on the rows. ``honest``: how many members of any round add their noise and tell
    nobody. ``absent``: how many members may be missing from a round. ``repeats``: rounds that may
    be run again because a member left; each is paid for like another step. A ``guarantee`` of None
    adds no noise: nothing is kept but that single members do not show. ``name`` tells it from
    another agreement that is the same in all else, and ``purpose`` is what for, as gates are asked.
    """

    roster: Mapping[str, bytes] = field(repr=False)
    classes: tuple[str, ...]
    dim: int
    n_rows: int
    honest: int
    guarantee: Guarantee | None
    row_norm: float = 1.0
    repeats: int = 3
    name: str = ""
    purpose: str | None = None
    absent: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be kept.

        Raises:
            UsageError: code ``honest``: fewer than two, or more than the smallest round has;
                ``agreed_roster``: a key is there under two names; ``agreed_classes``: fewer than
                two, one twice, or not in order.
        """
        if len(self.classes) < 2 or list(self.classes) != sorted(set(self.classes)):
            raise UsageError(
                f"{len(self.classes)} classes are agreed on that are not two or more, sorted",
                code="agreed_classes",
                hint="name each class once, in the order of the alphabet",
            )
        if len(set(self.roster.values())) < len(self.roster):
            raise UsageError(
                "a public key is on the roster under two names: one member would count for both",
                code="agreed_roster",
                hint="ask each owner for a key of its own",
            )
        there = len(self.roster) - max(self.absent, 0)
        if not 2 <= self.honest <= there:
            raise UsageError(
                f"{self.honest} of {there} members, the fewest of a round, are said to be honest",
                code="honest",
                hint="at least two must be, or the sum is no secret of any of them",
            )

    @cached_property
    def digest(self) -> str:
        """Of all that was agreed on: the same for all who mean the same."""
        return canonical.digest(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """As it is written in a file; public keys as hexadecimal digits."""
        kept = self.guarantee
        return {
            "schema": SCHEMA,
            "roster": {name: key.hex() for name, key in self.roster.items()},
            "classes": list(self.classes),
            "dim": self.dim,
            "n_rows": self.n_rows,
            "honest": self.honest,
            "guarantee": None if kept is None else {"epsilon": kept.epsilon, "delta": kept.delta},
            "row_norm": self.row_norm,
            "repeats": self.repeats,
            "steps": self.steps,
            "absent": self.absent,
            "name": self.name,
            "purpose": self.purpose,
        }

    @property
    def shape(self) -> tuple[int, int]:
        """Of the weights: a constant below the dimensions, a column for each class."""
        return self.dim + 1, len(self.classes)

    @property
    def least_members(self) -> int:
        """No member takes part in a smaller round."""
        return max(LEAST_MEMBERS, len(self.roster) - max(self.absent, 0))

    @cached_property
    def steps(self) -> int:
        """Steps of the fit: they depend on the budget alone."""
        return MOST_STEPS if self.guarantee is None else steps_for(self._rho(self.guarantee))

    @property
    def releases(self) -> int:
        """How often an owner seals at most, whether or not the round came to a sum."""
        return self.steps + self.repeats

    @cached_property
    def share(self) -> float:
        """The width of the noise that each member adds, in squared steps; 0 for none."""
        if self.guarantee is None:
            return 0.0
        sigma = sigma_of(SENSITIVITY, self._rho(self.guarantee), releases=self.releases)
        return sigma / math.sqrt(self.honest)

    def _rho(self, guarantee: Guarantee) -> float:
        """Every member draws its own noise: the sampler is paid for once for each."""
        draws = (MOST_STEPS + self.repeats) * self.shape[0] * self.shape[1] * len(self.roster)
        return budget(guarantee, draws=draws)
