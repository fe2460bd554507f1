"""Tokens of a service for one principal and day: debited by estimate before, by count after.

The estimate is a quarter of the characters of the request, for the service's own tokenizer is not
here; about right for English, too low for scripts of many bytes. What the answer costs shows when
it is there, and is debited even beyond the cap: so one request may go over it, none after.
"""

from dataclasses import dataclass
from typing import Final

from cipherset.app.gate import Act, Moment
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.budgets import Debit, day_kind, spent
from cipherset.custody.policy import UNBOUNDED

_CHARACTERS: Final = 4


def estimated(n_characters: int) -> int:
    """How many tokens so many characters may be, at least 1."""
    return max(1, -(-n_characters // _CHARACTERS))


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """That of one request: what it was estimated at, and where it is debited."""

    kind: str
    scope: str
    estimate: int
    cap: int | None
    left: int

    @classmethod
    def of(cls, workspace: Workspace, service_id: str, n_characters: int) -> "TokenBudget":
        """For a request of so many characters by the one who asks."""
        gate = workspace.gate
        scope = f"{gate.actor}:tokens:{service_id}"

        def work(transaction: Transaction) -> tuple[str, int | None, int]:
            kind = day_kind(transaction.now)
            cap = gate.policies(transaction).limits.budgets.tokens
            return kind, cap, spent(transaction, kind, scope)

        kind, cap, used = gate.ledger.look(work)
        left = UNBOUNDED if cap is None else max(cap - used, 0)
        return cls(kind, scope, estimated(n_characters), cap, left)

    def moment(self, rows: int, purpose: str | None) -> Moment:
        """What the gate is told: so many messages, and what is left."""
        asked = Debit(self.kind, self.scope, self.estimate, self.cap)
        return Moment(purpose=purpose, rows=rows, exposure_left=self.left, debits=(asked,))

    def settle(self, act: Act, n_tokens: int) -> None:
        """Debit what it came to beyond the estimate."""
        more = n_tokens - self.estimate
        if more > 0:
            act.spend(Debit(self.kind, self.scope, more, None))
