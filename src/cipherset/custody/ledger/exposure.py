"""What was spent of each row, in whatever files and exports it stands; debited like a budget.

A row is its keyed identity, 64 bits: without the key nobody can ask for a row here. One statement
counts and one statement debits very many of them, so that a whole export is a matter of seconds,
and not all of them at once, so that it takes as much memory as a small one.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select

from cipherset.core.errors import PolicyError
from cipherset.custody.ledger.budgets import told
from cipherset.custody.ledger.database import counting
from cipherset.custody.ledger.tables import row_uses
from cipherset.custody.ledger.transaction import Transaction

_AT_ONCE: Final = 100_000  # rows of one statement
_POSTGRESQL: Final = "postgresql"
_GIVEN: Final = {
    "sqlite": "SELECT value AS row FROM json_each(?)",
    _POSTGRESQL: "SELECT unnest(%s::bigint[]) AS row",
}
_COUNT: Final = (
    "SELECT count(*), coalesce(max(used), 0) FROM row_uses JOIN ({given}) AS given USING (row) "
    "WHERE kind = {at} AND used > {at}"
)
_SPEND: Final = (
    "INSERT INTO row_uses (kind, row, used) SELECT {at}, row, {at} FROM ({given}) AS given "
    "WHERE true ON CONFLICT (kind, row) DO UPDATE SET used = row_uses.used + excluded.used"
)


@dataclass(frozen=True, slots=True)
class RowDebit:
    """To spend ``amount`` of ``kind`` for each of ``rows``, of ``cap`` for each; None caps nothing.

    ``rows`` are identities, shape (n,); one that is there twice is spent once.
    """

    kind: str
    rows: npt.NDArray[np.uint64] = field(repr=False)
    amount: int
    cap: int | None


def over(transaction: Transaction, asked: RowDebit) -> int:
    """How many of the rows the debit would bring above its cap."""
    return _over(transaction.connection, asked)[0]


def check_rows(transaction: Transaction, debits: Sequence[RowDebit]) -> None:
    """Refuse what does not fit; to be asked in the transaction that spends it.

    Raises:
        PolicyError: ``budget``: how many of the rows have not enough left.
    """
    for asked in debits:
        count, most = _over(transaction.connection, asked)
        if count:
            raise PolicyError(
                f"{count} of these rows have not enough {asked.kind} left: the most spent of one "
                f"is {told(asked.kind, most)} of {told(asked.kind, asked.cap)}, and "
                f"{told(asked.kind, asked.amount)} were asked for; nothing was spent",
                code="budget",
                hint="leave those rows out; no time brings it back, for what left has left",
            )


def spend_rows(transaction: Transaction, debits: Sequence[RowDebit]) -> None:
    """Spend them; ``check_rows`` says before, in the same transaction, whether they fit."""
    connection = transaction.connection
    for asked in debits:
        with counting(connection):
            for given in _given(connection, asked):
                values = (asked.kind, asked.amount, given)
                connection.exec_driver_sql(_said(connection, _SPEND), values)


def spread(transaction: Transaction, kind: str) -> list[tuple[int, int]]:
    """Of how many rows how much was spent: (used, rows) pairs, the most used first."""
    query = (
        select(row_uses.c.used, func.count())
        .where(row_uses.c.kind == kind)
        .group_by(row_uses.c.used)
        .order_by(row_uses.c.used.desc())
    )
    return [(int(used), int(rows)) for used, rows in transaction.connection.execute(query)]


def _over(connection: Connection, asked: RowDebit) -> tuple[int, int]:
    """How many of the rows would be above the cap, and the most that was spent of one of them."""
    if asked.cap is None:
        return 0, 0
    if asked.amount > asked.cap:
        return len(np.unique(asked.rows)), 0
    count = most = 0
    for given in _given(connection, asked):
        values = (given, asked.kind, asked.cap - asked.amount)
        found = connection.exec_driver_sql(_said(connection, _COUNT), values).one()
        count, most = count + int(found[0]), max(most, int(found[1]))
    return count, most


def _said(connection: Connection, statement: str) -> str:
    name = connection.dialect.name
    return statement.format(given=_GIVEN[name], at="%s" if name == _POSTGRESQL else "?")


def _given(connection: Connection, asked: RowDebit) -> Iterator[str | list[int]]:
    """The distinct rows as the database takes many at once: 64 bits with a sign."""
    # Sorted by hand: numpy.unique has a table of hashes, several times as large as the rows.
    distinct = np.sort(asked.rows)
    distinct = distinct[np.append(True, distinct[1:] != distinct[:-1])[: len(distinct)]]
    signed = distinct.view(np.int64)
    for start in range(0, len(signed), _AT_ONCE):
        rows: list[int] = signed[start : start + _AT_ONCE].tolist()
        yield rows if connection.dialect.name == _POSTGRESQL else json.dumps(rows)
