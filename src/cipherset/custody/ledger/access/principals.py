"""Persons, services and teams."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from cipherset.custody.ledger.records import json_text
from cipherset.custody.ledger.tables import principals as table

_NAMED: Final = select(table).where(table.c.name == bindparam("n"))  # every decision asks


@dataclass(frozen=True, slots=True)
class StoredPrincipal:
    """A principal as it is today; ``public_key`` is Ed25519, 64 hex digits, if one is registered.

    ``created`` is UTC, ISO 8601.
    """

    name: str
    roles: tuple[str, ...]
    attributes: Mapping[str, str]
    public_key: str | None
    status: str
    created: str


def find_principal(connection: Connection, name: str) -> StoredPrincipal | None:
    """The principal, or None where there is none of that name."""
    row = connection.execute(_NAMED, {"n": name}).one_or_none()
    return None if row is None else _principal(row)


def principals(connection: Connection) -> tuple[StoredPrincipal, ...]:
    """Every principal, by name."""
    return tuple(
        _principal(row) for row in connection.execute(select(table).order_by(table.c.name))
    )


def put_principal(connection: Connection, principal: StoredPrincipal) -> None:
    """Write the principal as it is now; what it was before, the events say."""
    values = {
        "roles": json.dumps(sorted(principal.roles)),
        "attributes": json_text(principal.attributes),
        "public_key": principal.public_key,
        "status": principal.status,
    }
    change = update(table).where(table.c.name == principal.name).values(**values)
    if connection.execute(change).rowcount == 0:
        created = {"name": principal.name, "created": principal.created}
        connection.execute(insert(table).values(**created, **values))


def _principal(row: Row[Any]) -> StoredPrincipal:
    return StoredPrincipal(
        name=row.name,
        roles=tuple(json.loads(row.roles)),
        attributes=json.loads(row.attributes),
        public_key=row.public_key,
        status=row.status,
        created=row.created,
    )
