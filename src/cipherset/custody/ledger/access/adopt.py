"""Takes the rows of an older ledger for what they are: their changes left no digests yet."""

from typing import Final

from sqlalchemy import select

from cipherset.custody.ledger.access import held
from cipherset.custody.ledger.access.policies import active_policies
from cipherset.custody.ledger.access.principals import principals
from cipherset.custody.ledger.tables import events
from cipherset.custody.ledger.transaction import Transaction

MIGRATION: Final = "migration"


def adopt(transaction: Transaction) -> None:
    """Note every principal and the policies that hold, unless this chain ever noted any."""
    known = select(events.c.seq).where(events.c.action.in_((held.PRINCIPAL_HELD, held.POLICY_HELD)))
    if transaction.connection.execute(known.limit(1)).first() is not None:
        return
    for each in principals(transaction.connection):
        held.note(transaction, MIGRATION, held.PRINCIPAL_HELD, each.name, each.digest)
    active = active_policies(transaction.connection)
    if active is not None:
        held.note(transaction, MIGRATION, held.POLICY_HELD, held.POLICIES, active.digest)
