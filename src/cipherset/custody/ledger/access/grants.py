"""Requests and the votes on them, kept for ever; where a grant stands is computed from them."""

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select

from cipherset.custody.ledger.tables import grants, votes

# Every decision asks.
_ASKED: Final = (
    select(grants)
    .where(grants.c.action == bindparam("a"), grants.c.beneficiary == bindparam("b"))
    .order_by(grants.c.created, grants.c.id)
)


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What was asked for, as canonical JSON text; ``created`` is UTC, ISO 8601.

    ``action`` and ``beneficiary`` stand in the text too: here they are to be searched by.
    """

    id: str
    request: str
    created: str
    action: str
    beneficiary: str


@dataclass(frozen=True, slots=True)
class StoredVote:
    """One vote, as its signed envelope; one of a kind for each principal."""

    grant_id: str
    principal: str
    kind: str
    time: str
    envelope: str


def add_request(connection: Connection, request: StoredRequest) -> None:
    """Keep a new request."""
    connection.execute(insert(grants).values(**asdict(request)))


def find_request(connection: Connection, grant_id: str) -> StoredRequest | None:
    """The request, or None where there is none of that id."""
    row = connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()
    return None if row is None else StoredRequest(*row)


def requests(connection: Connection) -> tuple[StoredRequest, ...]:
    """Every request, the oldest first."""
    query = select(grants).order_by(grants.c.created, grants.c.id)
    return tuple(StoredRequest(*row) for row in connection.execute(query))


def requests_for(
    connection: Connection, action: str, beneficiary: str
) -> tuple[StoredRequest, ...]:
    """The requests for one action of one principal, the oldest first."""
    found = connection.execute(_ASKED, {"a": action, "b": beneficiary})
    return tuple(StoredRequest(*row) for row in found)


def add_vote(connection: Connection, vote: StoredVote) -> bool:
    """Keep a vote; False, and nothing is kept, where its principal cast one of the kind before."""
    same = (
        (votes.c.grant_id == vote.grant_id)
        & (votes.c.principal == vote.principal)
        & (votes.c.kind == vote.kind)
    )
    if connection.execute(select(votes.c.time).where(same)).first() is not None:
        return False
    connection.execute(insert(votes).values(**asdict(vote)))
    return True


def has_votes(connection: Connection) -> bool:
    """Whether anybody ever voted on anything."""
    return connection.execute(select(votes.c.time).limit(1)).first() is not None


def votes_on(connection: Connection, grant_id: str) -> tuple[StoredVote, ...]:
    """The votes on a request, the oldest first."""
    query = (
        select(votes)
        .where(votes.c.grant_id == grant_id)
        .order_by(votes.c.time, votes.c.principal, votes.c.kind)
    )
    return tuple(StoredVote(*row) for row in connection.execute(query))
