"""What is used and left of the budgets, for whoever watches the gateway: nobody's name in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.workspace import Session, open_workspace
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.budgets import (
    EPSILON,
    EVALUATIONS,
    MICRO_EPSILON,
    QUERIES,
    Spent,
    all_spent,
)
from cipherset.custody.policy.limits import Budgets

# Assets and versions of keys; budgets of one principal are scoped by more than that.
_OF_ASSET: Final = re.compile(
    r"(?:hmac-)?sha256:(?P<digest>[0-9a-f]{12})[0-9a-f]{52}|(?P<key>[a-z0-9._-]+ v[0-9]+)"
)


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """One budget: its kind, the asset (12 hex digits of its digest) or key, used, and left.

    ``left`` is None where the policies do not cap it, or its cap is not theirs.
    """

    kind: str
    scope: str
    used: int
    left: int | None


def budgets_used(session: Session) -> list[BudgetUse]:
    """Every budget of an asset or a key of which something was used.

    Raises:
        PolicyError: ``not_allowed``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.VIEW, "budgets", {"what": "budgets"}),
    ):
        gate = workspace.gate

        def work(transaction: Transaction) -> tuple[list[Spent], Budgets]:
            return all_spent(transaction), gate.policies(transaction).limits.budgets

        found, caps = gate.ledger.transact(work)
    by_kind = _caps(caps)
    uses = [_use(one, by_kind.get(one.kind)) for one in found]
    return [one for one in uses if one is not None]


def _caps(limits: Budgets) -> Mapping[str, int | None]:
    epsilon = None if limits.epsilon is None else int(limits.epsilon * MICRO_EPSILON)
    return {QUERIES: limits.queries, EPSILON: epsilon, EVALUATIONS: limits.evaluations}


def _use(one: Spent, cap: int | None) -> BudgetUse | None:
    match = _OF_ASSET.fullmatch(one.scope)
    if match is None:
        return None
    left = None if cap is None else max(cap - one.used, 0)
    return BudgetUse(one.kind, match["digest"] or match["key"], one.used, left)
