"""The moment at which rows go into an index: decided as an export is, and counted as one.

Whoever keeps the index holds a ciphertext of each row, as whoever has an export does.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.app.gate.about import about_key
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger.budgets import ROWS, Debit, spent
from cipherset.custody.policy import UNBOUNDED


@dataclass(frozen=True, slots=True)
class Leaving:
    """How many rows of which asset go under which key, and what was measured of such rows.

    ``reid`` is the upper end of re-identification without the key; None where it was not measured
    on these very rows. ``scopes`` are what row exposure is counted for: a source that goes as a
    whole, or single rows by their identities.
    """

    about: About
    key: str
    rows: int
    scopes: Sequence[tuple[str, int]]
    reid: float | None
    accepted: bool


def key_known(workspace: Workspace, name: str) -> About | None:
    """The key of that name or id, which rows of an index go under; None where there is none."""
    known = workspace.ring.find(name)
    return None if known is None else about_key(known)


def debits_for(cap: int | None, scopes: Sequence[tuple[str, int]]) -> tuple[Debit, ...]:
    """Row exposure: each scope's rows once more, at most ``cap`` times."""
    return tuple(
        Debit(ROWS, scope, rows, None if cap is None else cap * rows) for scope, rows in scopes
    )


@contextmanager
def leaving(workspace: Workspace, subject: str, what: Leaving) -> Iterator[None]:
    """The act by which rows enter an index, debited as it begins.

    Raises:
        PolicyError: ``not_allowed``, ``budget``; nothing is spent then.
    """
    gate = workspace.gate
    cap = gate.ledger.transact(gate.policies).limits.budgets.exports
    debits = debits_for(cap, what.scopes)
    moment = Moment(
        key=key_known(workspace, what.key),
        rows=what.rows,
        reid=None if what.reid is None else min(what.reid, 1.0),
        is_fresh=what.reid is not None,
        accepted_risk=what.accepted,
        exposure_left=_left(workspace, debits),
        debits=debits,
        granted_as=Action.INDEX,
    )
    facts: dict[str, Fact] = {"rows": what.rows, "reid_high": what.reid, "into": "index"}
    with gate.act(Action.EXPORT, subject, facts, about=what.about, moment=moment):
        yield


def _left(workspace: Workspace, debits: Sequence[Debit]) -> int:
    """Rows that the budgets leave for what is to be debited, in all."""
    if all(one.cap is None for one in debits):
        return UNBOUNDED
    return workspace.gate.ledger.transact(
        lambda transaction: sum(
            max((one.cap or 0) - spent(transaction, ROWS, one.scope), 0) for one in debits
        )
    )
