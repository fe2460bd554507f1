"""How many answers of a model are given in all, by what was measured of it and the policy's limit.

``limits.toml`` says how well a copy may agree (``max_agreement``). The curve that tells how many
queries that takes is measured on the model itself (``measure.py``) and is in the ledger. Where the
policy sets a budget of queries, that holds instead.

An answer with probabilities tells the label too, and full ones tell rounded ones: each is debited
from the budget of all that it tells.
"""

import json
from typing import Final

from cipherset.app.gate import Action, Gate, Moment
from cipherset.app.gate.about import About
from cipherset.app.serving.models.answer import Precision
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.budgets import QUERIES, Debit, spent
from cipherset.custody.ledger.records import events_of
from cipherset.custody.policy import UNBOUNDED
from cipherset.guard.probing import Measured, QueryCap, query_cap

Curve = tuple[Measured, ...]
_TOLD: Final = (Precision.LABEL, Precision.ROUNDED, Precision.FULL)


def query_moment(
    transaction: Transaction,
    gate: Gate,
    about: About,
    rows: int,
    precision: Precision,
    *,
    opens: tuple[About, ...] = (),
) -> Moment:
    """What ``rows`` queries cost, for the gate, and what is left of it for the policies.

    ``opens`` are the keys that answering opens.

    Raises:
        PolicyError: ``not_assessed``: there is a limit of agreement and no curve.
    """
    debits = _debits(transaction, gate, about, rows, precision)
    left = [
        max(each.cap - spent(transaction, each.kind, each.scope), 0)
        for each in debits
        if each.cap is not None
    ]
    rest = min(left, default=UNBOUNDED)
    return Moment(rows=rows, exposure_left=rest, debits=debits, opens=opens)


def _debits(
    transaction: Transaction, gate: Gate, about: About, rows: int, precision: Precision
) -> tuple[Debit, ...]:
    limits = gate.policies(transaction).limits
    if limits.max_agreement is None or limits.budgets.queries is not None:
        return (Debit(QUERIES, about.id, rows, limits.budgets.queries),)
    found: list[Debit] = []
    for told in _TOLD[: _TOLD.index(precision) + 1]:
        cap = _cap(transaction, about.id, told, limits.max_agreement)
        scope = about.id if told is Precision.LABEL else f"{about.id}:{told}"
        found.append(Debit(QUERIES, scope, rows, cap.together))
        found.append(Debit(QUERIES, f"{gate.actor}:{scope}", rows, cap.each))
    return tuple(found)


def encode_curve(curve: Curve) -> str:
    """As an event has it: ``10:0.412,100:0.733``."""
    return ",".join(f"{point.n_queries}:{point.agreement:.4f}" for point in curve)


def curve_fact(told: Precision) -> str:
    """The name of a curve among the facts of an event."""
    return f"agreement.{told}"


def _cap(transaction: Transaction, model: str, told: Precision, limit: float) -> QueryCap:
    """By the last curve that was measured of ``model``."""
    latest: Curve = ()
    for event in events_of(transaction.connection, Action.ASSESS, Outcome.DONE):
        body = json.loads(event.body)
        if body.get("model") == model and curve_fact(told) in body:
            latest = _decoded(body[curve_fact(told)])
    cap = query_cap(latest, limit)
    if cap is None:
        raise PolicyError(
            "how many answers make a copy of this model is not known",
            code="not_assessed",
            hint="measure it: cipherset assess BUNDLE",
        )
    return cap


def _decoded(text: str) -> Curve:
    pairs = (point.partition(":") for point in text.split(",") if point)
    return tuple(Measured(int(count), float(agreement)) for count, _, agreement in pairs)
