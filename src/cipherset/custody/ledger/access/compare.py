"""Every row of which the chain of events holds a digest, compared with it."""

from dataclasses import replace

from sqlalchemy import Connection

from cipherset.custody.ledger.access.policies import changed_policies
from cipherset.custody.ledger.access.principals import changed_principals
from cipherset.custody.ledger.chain import Verification


def rows_held(connection: Connection, found: Verification) -> Verification:
    """``found``, or where it is valid the first row that is not what the chain says.

    ``first_bad`` is then the event that says what the row should be, or 0: none speaks of it.
    """
    if not found.valid:
        return found
    for name, seq in changed_principals(connection):
        because = f"the principal {name} is not what this event says"
        if seq is None:
            because = f"no event speaks of the principal {name}"
        return replace(found, valid=False, first_bad=seq or 0, because=because)
    seq = changed_policies(connection)
    if seq is None:
        return found
    because = "the policies that hold are not those that this event says"
    return replace(found, valid=False, first_bad=seq, because=because)
