"""What a caller from outside may show to be a principal: verified identities, and tokens."""

from dataclasses import asdict, dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from cipherset.custody.ledger.tables import credentials as table

_NAMED: Final = select(table).where(table.c.id == bindparam("i"))  # every request asks
_OF: Final = select(table).where(table.c.principal == bindparam("p"))


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """One credential of a principal; times are UTC, ISO 8601.

    ``binding`` says which key its bearer must hold, ``secret`` is a keyed hash of what they show,
    ``mac`` vouches for all the rest.
    """

    id: str
    principal: str
    binding: str | None
    secret: str | None = field(repr=False)
    expires: str | None
    created: str
    mac: str = field(repr=False)


def find_credential(connection: Connection, credential_id: str) -> StoredCredential | None:
    """The credential, or None where there is none of that id."""
    row = connection.execute(_NAMED, {"i": credential_id}).one_or_none()
    return None if row is None else StoredCredential(*row)


def credentials_of(connection: Connection, principal: str) -> tuple[StoredCredential, ...]:
    """Every credential of a principal, by id."""
    found = connection.execute(_OF.order_by(table.c.id), {"p": principal})
    return tuple(StoredCredential(*row) for row in found)


def add_credential(connection: Connection, credential: StoredCredential) -> None:
    """Keep a new credential."""
    connection.execute(insert(table).values(**asdict(credential)))


def drop_credential(connection: Connection, credential_id: str) -> None:
    """Keep it no more; what it was, the events say."""
    connection.execute(delete(table).where(table.c.id == credential_id))
