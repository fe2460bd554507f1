"""``/v1/audit``: the ledger, for auditors."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cipherset.app.audit.show import Wanted
from cipherset.app.serving import audit
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

# To verify and to prove, every event there is must be read.
_LONG_S = 600.0
Word = Annotated[str, Query(min_length=1, max_length=128)]
Signed = Annotated[str, Field(max_length=20_000, description="A checkpoint, as it was given out.")]


class Event(BaseModel):
    """One event; ``body`` holds facts, never content."""

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    outcome: str
    body: Any
    hash: str


class Events(BaseModel):
    """Events, the oldest first; ``next`` is the ``after`` of the next page, null at the end."""

    events: list[Event]
    next: int | None


class CheckpointFacts(BaseModel):
    """What a checkpoint says, and the fingerprint of who signed it."""

    ledger: str
    size: int
    root: str
    last: str
    time: str
    signer: str


class Checkpoint(CheckpointFacts):
    """The same, and the signed envelope: keep it where the ledger is not."""

    checkpoint: str


class ToVerify(BaseModel):
    """A checkpoint to hold the ledger against, and the fingerprint it must bear."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: Signed | None = None
    signer: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Verified(BaseModel):
    """Whether the chain holds; ``first_bad`` is the number of the first event that is wrong."""

    valid: bool
    events: int
    first_bad: int | None
    because: str
    checkpoint: CheckpointFacts | None


class ToProve(BaseModel):
    """To prove of ``checkpoint``: that event ``seq`` is in it, or that it goes on ``since``."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: Signed
    seq: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    since: Signed | None = None


class Proof(BaseModel):
    """The proof: whoever has it and the checkpoint can verify it without the ledger."""

    proof: str
    size: int


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/audit", tags=["audit"])

    @routes.get(
        "/events",
        summary="What was asked for, what was decided and what came of it",
        openapi_extra=performs(Action.AUDIT),
    )
    def events(
        session: Caller,
        action: Word | None = None,
        actor: Word | None = None,
        since: date | None = None,
        after: Annotated[int, Query(ge=0, lt=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Events:
        wanted = Wanted(action, actor, None if since is None else since.isoformat())
        found, following = audit.list_events(session, wanted, after=after, most=limit)
        return Events(events=[Event.model_validate(each) for each in found], next=following)

    _add_proofs(routes)
    return routes


def _add_proofs(routes: APIRouter) -> None:
    @routes.post(
        "/verify",
        summary="Whether every event is where and what it was",
        openapi_extra=performs(Action.AUDIT, request_s=_LONG_S),
    )
    def verify(body: ToVerify, session: Caller) -> Verified:
        signed = None if body.checkpoint is None else body.checkpoint.encode()
        return Verified.model_validate(audit.verify(session, signed, body.signer))

    @routes.post(
        "/checkpoint",
        summary="What the ledger is now, signed",
        openapi_extra=performs(Action.AUDIT, request_s=_LONG_S),
    )
    def checkpoint(session: Caller) -> Checkpoint:
        return Checkpoint.model_validate(audit.checkpoint(session))

    @routes.post(
        "/prove",
        summary="Proof that an event is in a checkpoint, or that one goes on another",
        openapi_extra=performs(Action.AUDIT, request_s=_LONG_S),
    )
    def prove(body: ToProve, session: Caller) -> Proof:
        since = None if body.since is None else body.since.encode()
        found = audit.prove(session, body.checkpoint.encode(), seq=body.seq, since=since)
        return Proof.model_validate(found)
