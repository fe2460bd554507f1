"""Whether a finished export may leave: by what was measured on it, and by what is left of budgets.

Row exposure counts how often each row left, in whatever file it stood, over all exports, keys and
purposes; epsilon is added up for each row, whatever the key. Both are debited with the decision,
for ever. A row is known again by its identity, so a file that was changed is not a new one; the
source as it is, by its digest, is debited beside it, for its rows may leave by other columns too.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.leak import Leak
from cipherset.app.exports.plan import Plan
from cipherset.app.exports.request import Owner, ProtectRequest, ProtectResult, key_of
from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.custody.keys.identity import Identities
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.budgets import EPSILON, MICRO_EPSILON, ROWS, Debit, spent
from cipherset.custody.ledger.exposure import RowDebit, over
from cipherset.custody.policy import UNBOUNDED


@dataclass(frozen=True, slots=True)
class Charged:
    """How many rows leave, and by what budgets know them: a pool by all rows it was made of.

    ``fitted_on`` are rows that a new minimizer was fitted on which keeps an epsilon.
    """

    rows: int
    exported: Identities = field(repr=False)
    fitted_on: Identities | None = field(repr=False)


def charged_for(dataset: Dataset, plan: Plan, *, new_minimizer: bool) -> Charged:
    """What leaves by the plan; a minimizer that the key version had was fitted on other rows."""
    exported = np.concatenate([plan.train, plan.test])
    fitted_on = dataset.charged(plan.fit) if new_minimizer else None
    return Charged(len(exported), dataset.charged(exported), fitted_on)


@contextmanager
def leaving(
    owner: Owner,
    request: ProtectRequest,
    about: About,
    leak: Leak,
    charged: Charged,
) -> Iterator[None]:
    """The act by which rows of the source ``about`` leave, debited as it begins.

    Raises:
        PolicyError: ``not_allowed``, ``budget``; nothing is spent then.
    """
    gate, rows = owner.workspace.gate, charged.rows
    limits = gate.ledger.transact(gate.policies).limits.budgets
    whole = Debit(ROWS, about.id, rows, None if limits.exports is None else limits.exports * rows)
    each = RowDebit(ROWS, charged.exported, 1, limits.exports)
    promised = _epsilon(request, about, limits.epsilon, charged)
    moment = Moment(
        purpose=request.purpose,
        key=key_of(owner.workspace, request),
        rows=rows,
        reid=min(leak.worst.high, 1.0),
        is_fresh=True,
        accepted_risk=request.accept_risk is not None,
        exposure_left=gate.ledger.transact(lambda transaction: _left(transaction, whole, each)),
        debits=(whole, *(debit for debit, _ in promised)),
        row_debits=(each, *(row_debit for _, row_debit in promised)),
        granted_as=Action.PROTECT,
    )
    facts: dict[str, Fact] = {"rows": rows, "reid_high": leak.worst.high}
    with gate.act(Action.EXPORT, request.place, facts, about=about, moment=moment):
        yield


@contextmanager
def leaving_again(
    owner: Owner, request: ProtectRequest, about: About, made: ProtectResult
) -> Iterator[None]:
    """The act by which an export goes to another place, as it is: its rows were debited before.

    Raises:
        PolicyError: ``not_allowed``.
    """
    splits, reid_high = made.manifest.splits, made.leak.worst.high
    rows = splits.train.rows + splits.test.rows
    moment = Moment(
        purpose=request.purpose,
        key=key_of(owner.workspace, request),
        rows=rows,
        reid=min(reid_high, 1.0),
        is_fresh=True,
        accepted_risk=request.accept_risk is not None,
        exposure_left=UNBOUNDED,
        granted_as=Action.PROTECT,
    )
    facts: dict[str, Fact] = {"rows": rows, "reid_high": reid_high, "repeated": True}
    with owner.workspace.gate.act(Action.EXPORT, request.place, facts, about=about, moment=moment):
        yield


def _left(transaction: Transaction, whole: Debit, each: RowDebit) -> int:
    """How many of the rows may leave once more; of pools at most so many."""
    if whole.cap is None:
        return UNBOUNDED
    of_source = max(whole.cap - spent(transaction, ROWS, whole.scope), 0)
    return min(of_source, max(whole.amount - over(transaction, each), 0))


def _epsilon(
    request: ProtectRequest,
    about: About,
    cap: float | None,
    charged: Charged,
) -> tuple[tuple[Debit, RowDebit], ...]:
    """What the noise costs each row that leaves, and a new minimizer each that it was fitted on.

    Rows are charged for both together, also where they paid for one only.
    """
    noise, minimizer = request.guarantee, request.private_minimizer
    if noise is None:
        return ()
    total, rows = noise.epsilon, charged.exported
    if charged.fitted_on is not None and minimizer is not None:
        total, rows = total + minimizer.epsilon, np.union1d(rows, charged.fitted_on)
    return (epsilon_debits(about, total, cap, rows),)


def epsilon_debits(
    about: About, epsilon: float, cap: float | None, rows: Identities
) -> tuple[Debit, RowDebit]:
    """An epsilon spent for a source, and for each of its ``rows``, of ``cap`` for ever."""
    most = None if cap is None else int(cap * MICRO_EPSILON)
    amount = math.ceil(epsilon * MICRO_EPSILON)
    return Debit(EPSILON, about.id, amount, most), RowDebit(EPSILON, rows, amount, most)
