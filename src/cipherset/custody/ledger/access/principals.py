"""Persons, services and teams."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, literal, select, update

from cipherset.core import canonical
from cipherset.custody.ledger.access import held
from cipherset.custody.ledger.records import json_text
from cipherset.custody.ledger.tables import principals as table
from cipherset.custody.ledger.transaction import Transaction

# Every decision asks: one row, whether there is such a principal or not.
_ONE: Final = select(literal(1).label("one")).subquery()
_NAMED: Final = select(
    table, held.last_note(held.PRINCIPAL_HELD, bindparam("n")).label("note")
).select_from(_ONE.outerjoin(table, table.c.name == bindparam("n")))


@dataclass(frozen=True, slots=True)
class PastKey:
    """A public key that a principal had ``until`` then (UTC, ISO 8601); None is the workspace's.

    ``is_compromised``: somebody else may have had it, so nothing that it signed counts.
    """

    public_key: str | None
    until: str
    is_compromised: bool = False


@dataclass(frozen=True, slots=True)
class StoredPrincipal:
    """A principal as it is today; ``public_key`` is Ed25519, 64 hex digits, if one is registered.

    ``created`` is UTC, ISO 8601. ``past_keys`` are the oldest first.
    """

    name: str
    roles: tuple[str, ...]
    attributes: Mapping[str, str]
    public_key: str | None
    status: str
    created: str
    past_keys: tuple[PastKey, ...] = ()

    @property
    def digest(self) -> str:
        """Of every field."""
        told = {**asdict(self), "roles": sorted(self.roles), "attributes": dict(self.attributes)}
        return canonical.digest({**told, "past_keys": [asdict(key) for key in self.past_keys]})


_NOBODY: Final = StoredPrincipal("", ("reviewer",), {}, None, "", "")


def find_principal(connection: Connection, name: str) -> StoredPrincipal | None:
    """The principal, or None where there is none of that name, which takes the same work.

    Raises:
        IntegrityError: ``principal_changed``: it is not what the chain of events says.
    """
    row = connection.execute(_NAMED, {"n": name}).one()
    found = None if row.name is None else _principal(row)
    digest = (found or _NOBODY).digest
    if (None if found is None else digest) != held.noted(row.note):
        raise held.principal_changed(name)
    return found


def principals(connection: Connection) -> tuple[StoredPrincipal, ...]:
    """Every principal, by name, as it stands there."""
    return tuple(
        _principal(row) for row in connection.execute(select(table).order_by(table.c.name))
    )


def put_principal(transaction: Transaction, principal: StoredPrincipal, *, actor: str) -> None:
    """Write the principal as it is now; what it was before, the events say."""
    values = {
        "roles": json.dumps(sorted(principal.roles)),
        "attributes": json_text(principal.attributes),
        "public_key": principal.public_key,
        "status": principal.status,
        "past_keys": json.dumps([asdict(key) for key in principal.past_keys]),
    }
    connection = transaction.connection
    change = update(table).where(table.c.name == principal.name).values(**values)
    if connection.execute(change).rowcount == 0:
        created = {"name": principal.name, "created": principal.created}
        connection.execute(insert(table).values(**created, **values))
    held.note(transaction, actor, held.PRINCIPAL_HELD, principal.name, principal.digest)


def changed_principals(connection: Connection) -> Iterator[tuple[str, int | None]]:
    """Every name whose row is not what the chain says, and the number of the event that says it."""
    noted = {
        name: (seq, digest) for name, seq, digest in held.notes(connection, held.PRINCIPAL_HELD)
    }
    there = {each.name: each.digest for each in principals(connection)}
    for name in sorted(noted.keys() | there.keys()):
        seq, digest = noted.get(name, (None, None))
        if there.get(name) != digest:
            yield name, seq


def _principal(row: Row[Any]) -> StoredPrincipal:
    return StoredPrincipal(
        name=row.name,
        roles=tuple(json.loads(row.roles)),
        attributes=json.loads(row.attributes),
        public_key=row.public_key,
        status=row.status,
        created=row.created,
        past_keys=tuple(PastKey(**each) for each in json.loads(row.past_keys)),
    )
