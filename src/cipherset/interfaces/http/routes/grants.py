"""``/v1/grants``: asked for, looked at, voted on."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cipherset.app.access.grants import Grant, Wish
from cipherset.app.serving import grants
from cipherset.app.workspace import Session
from cipherset.custody.policy import Action, VoteKind
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

GrantId = Annotated[str, Path(pattern=r"^grant-[0-9a-f]{12}$", examples=["grant-0123456789ab"])]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")]
Words = Annotated[str, Field(max_length=2000)]


class Asked(BaseModel):
    """What is asked for; ``beneficiary`` is whoever asks, unless another is named.

    An asset is named by its id, ``key:NAME``, ``principal:NAME=ROLES``, ``policies:SET`` (a
    built-in one) or ``workspace``; never by a path. Times bear their zone.
    """

    model_config = ConfigDict(extra="forbid")

    action: Action = Field(examples=["deploy"])
    assets: list[Name] = Field(min_length=1, max_length=32, examples=[["key:support"]])
    purpose: Annotated[str, Field(min_length=1, max_length=500)] = Field(examples=["routing"])
    beneficiary: Name | None = None
    starts: AwareDatetime | None = None
    until: AwareDatetime | None = None
    note: Words = ""
    accept_risk: Words | None = None


class Said(BaseModel):
    """A vote: a comment, or the envelope (DSSE) that the voter's key signed, comment and all."""

    model_config = ConfigDict(extra="forbid")

    comment: Words = ""
    envelope: Annotated[str, Field(max_length=20_000)] | None = None


class Difference(BaseModel):
    """A bound name whose digest is another today, or not there."""

    name: str
    old: str
    new: str | None


class Standing(BaseModel):
    """A request and where it stands."""

    grant: str = Field(examples=["grant-0123456789ab"])
    status: Literal["pending", "scheduled", "live", "expired", "denied", "revoked", "void"]
    reason: str
    action: str
    purpose: str
    requester: str
    beneficiary: str
    assets: dict[str, str]
    note: str
    accepts_risk: bool
    created: datetime
    since: datetime | None
    until: datetime | None
    approved_by: list[str]
    self_approved: bool
    lacking: dict[str, int]
    diff: list[Difference]


class Voter(BaseModel):
    """Who whoever asks is, and in which roles they vote."""

    principal: str
    roles: list[str]


class ToSign(Standing):
    """A request with what a vote on it signs: ``digest`` is of the bytes of ``request``.

    ``time`` is the time of the vote, as the ledger tells it; a vote is good for five minutes.
    """

    request: str
    digest: str
    voter: Voter
    time: AwareDatetime


class Standings(BaseModel):
    """Every grant there ever was, the oldest first."""

    grants: list[Standing]


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["grants"])

    @routes.get(
        "/grants",
        summary="Every grant, and where it stands",
        openapi_extra=performs(Action.VIEW),
    )
    def list_grants(session: Caller) -> Standings:
        return Standings(grants=[_standing(each) for each in grants.list_grants(session)])

    @routes.get(
        "/grants/{grant_id}",
        summary="One grant, and what a vote on it signs",
        openapi_extra=performs(Action.VIEW),
    )
    def show_grant(grant_id: GrantId, session: Caller) -> ToSign:
        return ToSign.model_validate(grants.show_grant(session, grant_id).as_json())

    @routes.post(
        "/grants",
        summary="Ask for a grant",
        openapi_extra=performs(Action.GRANT_REQUEST),
    )
    def request_grant(body: Asked, session: Caller) -> Standing:
        return _standing(grants.request_grant(session, _wish(body)))

    _add_votes(routes)
    return routes


def _add_votes(routes: APIRouter) -> None:
    @routes.post(
        "/grants/{grant_id}/approve",
        summary="Approve a request; never one's own",
        openapi_extra=performs(Action.GRANT_APPROVE),
    )
    def approve(grant_id: GrantId, body: Said, session: Caller) -> Standing:
        return _vote(session, grant_id, VoteKind.APPROVE, body)

    @routes.post(
        "/grants/{grant_id}/deny",
        summary="Deny a request",
        openapi_extra=performs(Action.GRANT_DENY),
    )
    def deny(grant_id: GrantId, body: Said, session: Caller) -> Standing:
        return _vote(session, grant_id, VoteKind.DENY, body)

    @routes.post(
        "/grants/{grant_id}/revoke",
        summary="Revoke a grant: from this moment it allows nothing",
        openapi_extra=performs(Action.GRANT_REVOKE),
    )
    def revoke(grant_id: GrantId, body: Said, session: Caller) -> Standing:
        return _vote(session, grant_id, VoteKind.REVOKE, body)


def _vote(session: Session, grant_id: str, kind: VoteKind, said: Said) -> Standing:
    envelope = None if said.envelope is None else said.envelope.encode()
    return _standing(grants.vote(session, grant_id, kind, said.comment, envelope))


def _wish(asked: Asked) -> Wish:
    return Wish(
        action=asked.action,
        assets=tuple(asked.assets),
        purpose=asked.purpose,
        beneficiary=asked.beneficiary,
        starts=asked.starts,
        until=asked.until,
        note=asked.note,
        accept_risk=asked.accept_risk,
    )


def _standing(grant: Grant) -> Standing:
    return Standing.model_validate(grant.as_json())
