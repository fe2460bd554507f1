"""Whether a finished export may leave: by what was measured on it, and by what is left of budgets.

Row exposure counts how often the rows of a source left, over all exports, keys and purposes;
epsilon is added up per source, whatever the key. Both are debited with the decision, for ever.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from cipherset.app.exports.leak import Leak
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.custody.ledger.budgets import EPSILON, MICRO_EPSILON, ROWS, Debit, spent
from cipherset.custody.policy import UNBOUNDED


@contextmanager
def leaving(
    owner: Owner, request: ProtectRequest, about: About, leak: Leak, rows: int
) -> Iterator[None]:
    """The act by which ``rows`` rows of the source ``about`` leave, debited as it begins.

    Raises:
        PolicyError: ``not_allowed``, ``budget``; nothing is spent then.
    """
    gate = owner.workspace.gate
    limits = gate.ledger.transact(gate.policies).limits.budgets
    most = None if limits.exports is None else limits.exports * rows
    used = gate.ledger.transact(lambda transaction: spent(transaction, ROWS, about.id))
    moment = Moment(
        rows=rows,
        reid=min(leak.worst.high, 1.0),
        is_fresh=True,
        accepted_risk=request.accept_risk is not None,
        exposure_left=UNBOUNDED if most is None else max(most - used, 0),
        debits=(Debit(ROWS, about.id, rows, most), *_epsilon(request, about, limits.epsilon)),
        granted_as=Action.PROTECT,
    )
    facts: dict[str, Fact] = {"rows": rows, "reid_high": leak.worst.high}
    with gate.act(Action.EXPORT, str(request.target), facts, about=about, moment=moment):
        yield


def _epsilon(request: ProtectRequest, about: About, cap: float | None) -> tuple[Debit, ...]:
    promise = request.guarantee
    if promise is None:
        return ()
    most = None if cap is None else int(cap * MICRO_EPSILON)
    return (Debit(EPSILON, about.id, math.ceil(promise.epsilon * MICRO_EPSILON), most),)
