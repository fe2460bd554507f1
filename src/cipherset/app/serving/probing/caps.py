"""How many answers of a model are given in all, by what was measured of it and the policy's limit.

``limits.toml`` says how well a copy may agree (``max_agreement``). The curve that tells how many
queries that takes is measured on the model itself (``measure.py``) and is in the ledger. Where the
policy sets a budget of queries, that holds instead.

An answer with probabilities tells the label too, and full ones tell rounded ones: each is debited
from the budget of all that it tells.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cipherset.app.gate import Action, Gate, Moment
from cipherset.app.gate.about import About
from cipherset.app.serving.models.answer import Precision
from cipherset.custody.ledger import Event, Outcome, Transaction
from cipherset.custody.ledger.budgets import QUERIES, Debit, spent
from cipherset.custody.ledger.records import events_of
from cipherset.custody.policy import UNBOUNDED
from cipherset.guard.probing import Measured, QueryCap, query_cap

Curve = tuple[Measured, ...]
_TOLD: Final = (Precision.LABEL, Precision.ROUNDED, Precision.FULL)


@dataclass(frozen=True, slots=True)
class Asking:
    """How many queries of which precision of what; ``opens`` are the assets that it takes."""

    about: About
    rows: int
    precision: Precision
    opens: tuple[About, ...] = ()


def query_moment(transaction: Transaction, gate: Gate, asking: Asking) -> Moment:
    """What queries cost, for the gate, and what is left of it for the policies.

    Where there is a limit of agreement and no curve, nothing is left.
    """
    debits = tuple(_debits(transaction, gate, asking))
    rest = [
        max(each.cap - spent(transaction, each.kind, each.scope), 0)
        for each in debits
        if each.cap is not None
    ]
    left = min(rest, default=UNBOUNDED)
    return Moment(rows=asking.rows, exposure_left=left, debits=debits, opens=asking.opens)


def _debits(transaction: Transaction, gate: Gate, asking: Asking) -> Iterator[Debit]:
    limits, model, rows = gate.policies(transaction).limits, asking.about.id, asking.rows
    if limits.max_agreement is None or limits.budgets.queries is not None:
        yield Debit(QUERIES, model, rows, limits.budgets.queries)
        return
    for told in _TOLD[: _TOLD.index(asking.precision) + 1]:
        cap = _cap(transaction, model, told, limits.max_agreement)
        scope = model if told is Precision.LABEL else f"{model}:{told}"
        yield Debit(QUERIES, scope, rows, cap.together)
        yield Debit(QUERIES, f"{gate.actor}:{scope}", rows, cap.each)


def encode_curve(curve: Curve) -> str:
    """As an event has it: ``10:0.412,100:0.733``."""
    return ",".join(f"{point.n_queries}:{point.agreement:.4f}" for point in curve)


def curve_fact(told: Precision) -> str:
    """The name of a curve among the facts of an event."""
    return f"agreement.{told}"


def cap_by(measured: Iterable[Mapping[str, Any]], told: Precision, limit: float) -> QueryCap:
    """By the last curve among the facts that were written down of one model; none is no query."""
    latest: Curve = ()
    for facts in measured:
        if curve_fact(told) in facts:
            latest = _decoded(facts[curve_fact(told)])
    return query_cap(latest, limit) or QueryCap(0, 0)


def _cap(transaction: Transaction, model: str, told: Precision, limit: float) -> QueryCap:
    bodies = map(_body, events_of(transaction.connection, Action.ASSESS, Outcome.DONE))
    return cap_by((body for body in bodies if body.get("model") == model), told, limit)


def _body(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.body)
    return found


def _decoded(text: str) -> Curve:
    pairs = (point.partition(":") for point in text.split(",") if point)
    return tuple(Measured(int(count), float(agreement)) for count, _, agreement in pairs)
