"""Policy sets by digest, and which of them holds."""

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, update

from cipherset.custody.ledger.tables import policies

# Built once: every decision asks.
_LAST: Final = policies.c.activated.desc()
_HELD: Final = policies.c.activated.is_not(None)
_ACTIVE: Final = select(policies).where(_HELD).order_by(_LAST).limit(1)
_ACTIVE_DIGEST: Final = select(policies.c.digest).where(_HELD).order_by(_LAST).limit(1)


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
    """The digest of the set that holds."""
    digest: str | None = connection.execute(_ACTIVE_DIGEST).scalar_one_or_none()
    return digest


def activate(connection: Connection, chosen: StoredPolicies) -> None:
    """Let ``chosen`` hold from its ``activated`` on; it is kept if it is new."""
    if find_policies(connection, chosen.digest) is None:
        connection.execute(insert(policies).values(**asdict(chosen)))
        return
    change = update(policies).where(policies.c.digest == chosen.digest)
    connection.execute(change.values(activated=chosen.activated))
