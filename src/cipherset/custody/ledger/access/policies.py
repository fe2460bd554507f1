"""Policy sets by digest, and which of them holds."""

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, insert, literal, select, update

from cipherset.custody.ledger.access import held
from cipherset.custody.ledger.tables import policies
from cipherset.custody.ledger.transaction import Transaction

# Built once: every decision asks.
_LAST: Final = policies.c.activated.desc()
_HELD: Final = policies.c.activated.is_not(None)
_ACTIVE: Final = select(policies).where(_HELD).order_by(_LAST).limit(1)
_ACTIVE_DIGEST: Final = select(
    select(policies.c.digest)
    .where(_HELD)
    .order_by(_LAST)
    .limit(1)
    .scalar_subquery()
    .label("digest"),
    held.last_note(held.POLICY_HELD, literal(held.POLICIES)).label("note"),
)


@dataclass(frozen=True, slots=True)
class StoredPolicies:
    """A set of policies as canonical JSON text; ``activated`` is when it last came to hold."""

    digest: str
    text: str
    author: str
    created: str
    activated: str | None


def find_policies(connection: Connection, digest: str) -> StoredPolicies | None:
    """The set of that digest, or None."""
    row = connection.execute(select(policies).where(policies.c.digest == digest)).one_or_none()
    return None if row is None else StoredPolicies(*row)


def active_policies(connection: Connection) -> StoredPolicies | None:
    """The set that holds: the one activated last; None before the first."""
    row = connection.execute(_ACTIVE).one_or_none()
    return None if row is None else StoredPolicies(*row)


def active_digest(connection: Connection) -> str | None:
    """The digest of the set that holds.

    Raises:
        IntegrityError: ``policy_changed``: the chain of events says that another one does.
    """
    row = connection.execute(_ACTIVE_DIGEST).one()
    digest: str | None = row.digest
    if digest is not None and digest != held.noted(row.note):
        raise held.policy_changed()
    return digest


def activate(transaction: Transaction, chosen: StoredPolicies) -> None:
    """Let ``chosen`` hold from its ``activated`` on; it is kept if it is new."""
    connection = transaction.connection
    if find_policies(connection, chosen.digest) is None:
        connection.execute(insert(policies).values(**asdict(chosen)))
    else:
        change = update(policies).where(policies.c.digest == chosen.digest)
        connection.execute(change.values(activated=chosen.activated))
    held.note(transaction, chosen.author, held.POLICY_HELD, held.POLICIES, chosen.digest)


def changed_policies(connection: Connection) -> int | None:
    """The number of the event that says which set holds, where another one, or none, does.

    0 where one holds of which no event says so; None where all is well.
    """
    seq, digest = 0, None
    for _, seq, digest in held.notes(connection, held.POLICY_HELD):  # noqa: B007 -- the last
        pass
    active = active_policies(connection)
    return None if (None if active is None else active.digest) == digest else seq
