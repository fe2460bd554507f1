"""What was spent of what may never be spent twice; debited in the transaction that decides.

A budget is a row per kind and scope: how much was used, for ever. Nothing here lowers it. What
starts anew is a new scope (a key's next version), or the next window of a rate, whose
earlier windows are then dropped: time, as the ledger tells it, does not come back to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cipherset.core.errors import InputError, PolicyError
from cipherset.custody.ledger.database import counting
from cipherset.custody.ledger.tables import budgets
from cipherset.custody.ledger.transaction import Transaction

PAIRS_NOISY: Final = "pairs.noisy"
PAIRS_NOISE_FREE: Final = "pairs.noise_free"
ROWS: Final = "rows"
QUERIES: Final = "queries"
EVALUATIONS: Final = "evaluations"
ROUNDS: Final = "rounds"
EPSILON: Final = "epsilon"  # in millionths, rounded up: budgets are whole numbers
MICRO_EPSILON: Final = 1_000_000

_RATE: Final = "rate:"
_LARGEST: Final = 2**53 - 1  # what JSON can hold exactly
_AGAIN: Final = "wait for the next minute, or ask for fewer at a time"
_TOMORROW: Final = "wait for the next day (UTC), or ask the owner for more"
_MINUTE: Final = len("rate:2026-01-01T00:00")
_NEVER_AGAIN: Final = (
    "ask for no more than is left; no time brings it back, only another version of the key does"
)
_HERE: Final = (budgets.c.kind == bindparam("k")) & (budgets.c.scope == bindparam("s"))
_USED: Final = select(budgets.c.used).where(_HERE)
_SPEND: Final = (
    update(budgets)
    .where(_HERE, budgets.c.used + bindparam("n") <= bindparam("c"))
    .values(used=budgets.c.used + bindparam("n"))
    .returning(budgets.c.used)
)
_EVERY: Final = (
    select(budgets.c.kind, budgets.c.scope, budgets.c.used)
    .where(budgets.c.kind.not_like(f"{_RATE}%"))
    .order_by(budgets.c.kind, budgets.c.scope)
)
_PASSED: Final = delete(budgets).where(
    budgets.c.scope == bindparam("s"),
    budgets.c.kind >= _RATE,
    budgets.c.kind < bindparam("k"),
)


@dataclass(frozen=True, slots=True)
class Debit:
    """To spend ``amount`` of ``kind`` for ``scope``, of ``cap`` in all; None caps nothing.

    The kind is one of this module's names or a ``rate_kind``; the scope names whose it is (a key
    version, a principal and a key, a model, a dataset, a source row's digest).
    """

    kind: str
    scope: str
    amount: int
    cap: int | None

    def __post_init__(self) -> None:
        """Refuse what would give something back.

        Raises:
            InputError: ``debit_amount``.
        """
        if not 0 <= self.amount <= _LARGEST:
            raise InputError(
                f"a debit of {self.amount} is none",
                code="debit_amount",
                hint="debit a whole number from 0 to 2**53 - 1",
            )


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used in all of one budget after a debit, and what is left; None where none binds."""

    kind: str
    scope: str
    used: int
    left: int | None


def rate_kind(now: datetime) -> str:
    """The kind of a budget per minute: ``rate:`` and the start of the minute of ``now``, UTC."""
    return f"{_RATE}{now:%Y-%m-%dT%H:%M}"


def day_kind(now: datetime) -> str:
    """The kind of a budget per day: ``rate:`` and the day of ``now``, UTC."""
    return f"{_RATE}{now:%Y-%m-%d}"


def debit(transaction: Transaction, debits: Sequence[Debit]) -> tuple[Spent, ...]:
    """What is used after all of ``debits``; where one does not fit, none of them is spent.

    Raises:
        PolicyError: ``budget``: which, how much was asked for and how much is left.
    """
    connection = transaction.connection
    with counting(connection):
        if len(debits) == 1:
            return (_debit(connection, debits[0]),)
        with connection.begin_nested():
            return tuple(_debit(connection, one) for one in debits)


def spent(transaction: Transaction, kind: str, scope: str) -> int:
    """How much of it is used."""
    at = {"k": kind, "s": scope}
    return transaction.connection.execute(_USED, at).scalar_one_or_none() or 0


def told(kind: str, amount: int | None) -> str:
    """An amount as people read it: of an epsilon the millionths are put behind the point."""
    if kind != EPSILON or amount is None:
        return str(amount)
    return f"{amount / MICRO_EPSILON:.6f}".rstrip("0").rstrip(".")


def all_spent(transaction: Transaction) -> list[Spent]:
    """Every budget of which something was used, but for rates; what is left is not known here."""
    found = transaction.connection.execute(_EVERY)
    return [Spent(row.kind, row.scope, row.used, None) for row in found]


def _debit(connection: Connection, asked: Debit) -> Spent:
    cap = _LARGEST if asked.cap is None else min(asked.cap, _LARGEST)
    at = {"k": asked.kind, "s": asked.scope}
    total = connection.execute(_SPEND, {**at, "n": asked.amount, "c": cap}).scalar_one_or_none()
    if total is None:
        used = connection.execute(_USED, at).scalar_one_or_none()
        if used is not None or asked.amount > cap:
            raise _exceeded(asked, left=max(cap - (used or 0), 0))
        if asked.kind.startswith(_RATE):
            connection.execute(_PASSED, at)
        row = {"kind": asked.kind, "scope": asked.scope, "used": asked.amount}
        connection.execute(insert(budgets), row)
        total = asked.amount
    return Spent(asked.kind, asked.scope, total, None if asked.cap is None else cap - total)


def _exceeded(asked: Debit, *, left: int) -> PolicyError:
    left_of = f"{told(asked.kind, left)} left of {told(asked.kind, asked.cap)}"
    return PolicyError(
        f"the budget of {asked.kind} for {asked.scope} has {left_of}, and "
        f"{told(asked.kind, asked.amount)} were asked for; nothing was spent",
        code="budget",
        hint=_hint(asked.kind),
    )


def _hint(kind: str) -> str:
    if not kind.startswith(_RATE):
        return _NEVER_AGAIN
    return _AGAIN if len(kind) == _MINUTE else _TOMORROW
