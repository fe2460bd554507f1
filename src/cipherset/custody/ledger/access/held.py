"""What the chain of events holds of rows that decisions read, so that an edited row is seen.

Each change of a principal, or of the policies that hold, leaves an event with the digest of the new
row in the same transaction. Whoever reads the row compares; ``audit verify`` compares all of them.
"""

import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, ScalarSelect, select

from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger.chain import Outcome
from cipherset.custody.ledger.tables import events
from cipherset.custody.ledger.transaction import Transaction

PRINCIPAL_HELD: Final = "principal.held"
POLICY_HELD: Final = "policy.held"
POLICIES: Final = "policies"
_DIGEST: Final = "digest"


def note(transaction: Transaction, actor: str, action: str, subject: str, digest: str) -> None:
    """Append that ``subject`` is, from now on, what has ``digest``."""
    transaction.append(
        actor=actor, action=action, subject=subject, outcome=Outcome.DONE, body={_DIGEST: digest}
    )


def last_note(action: str, subject: object) -> ScalarSelect[str]:
    """The body of the last note on ``subject`` (a value or a bound parameter), to be selected."""
    query = select(events.c.body).where(
        events.c.subject == subject, events.c.action == action, events.c.outcome == Outcome.DONE
    )
    return query.order_by(events.c.seq.desc()).limit(1).scalar_subquery()


def noted(body: str | None) -> str | None:
    """The digest in the body of a note; None for none, and for what is no note."""
    try:
        found = {} if body is None else json.loads(body)
    except ValueError:
        return None
    digest = found.get(_DIGEST) if isinstance(found, dict) else None
    return digest if isinstance(digest, str) else None


def notes(connection: Connection, action: str) -> Iterator[tuple[str, int, str | None]]:
    """Subject, number and digest of every note, in order: the last of a subject is what holds."""
    query = select(events.c.subject, events.c.seq, events.c.body)
    same = (events.c.action == action) & (events.c.outcome == Outcome.DONE)
    for row in connection.execute(query.where(same).order_by(events.c.seq)):
        yield row.subject, row.seq, noted(row.body)


def principal_changed(name: str) -> IntegrityError:
    """The refusal of a principal that is not what the chain says."""
    return IntegrityError(
        f"what the ledger has of the principal {name} was changed past the gate: its events say "
        "something else",
        code="principal_changed",
        hint="see where: cipherset audit verify; then restore the newest whole copy of the ledger",
    )


def policy_changed() -> IntegrityError:
    """The refusal of policies that are not those that the chain says hold."""
    return IntegrityError(
        "the policies in the ledger are not those that were activated",
        code="policy_changed",
        hint="see where: cipherset audit verify; then restore the newest whole copy of the ledger",
    )
