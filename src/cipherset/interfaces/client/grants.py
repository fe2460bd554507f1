"""Grants, called from Python; votes are signed here, with a key that the gateway never sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from cipherset.app.access.signing import signer_in
from cipherset.core.errors import IntegrityError
from cipherset.custody.policy import Role, Vote, VoteKind, decode_request, sign_vote
from cipherset.interfaces.client.connection import Connection

_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class GrantStanding:
    """A request and where it stands; ``lacking`` counts the approvals by role that are open."""

    grant: str
    status: str
    reason: str
    action: str
    purpose: str
    requester: str
    beneficiary: str
    assets: Mapping[str, str]
    note: str
    accepts_risk: bool
    since: datetime | None
    until: datetime | None
    approved_by: Sequence[str]
    lacking: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GrantVoter:
    """Who we are to the gateway, and in which roles we vote."""

    principal: str
    roles: Sequence[Role]


@dataclass(frozen=True, slots=True)
class GrantToSign(GrantStanding):
    """A request with what a vote on it signs: ``digest`` is of the bytes of ``request``."""

    request: str
    digest: str
    voter: GrantVoter
    time: datetime


_STANDING: Final = TypeAdapter(GrantStanding)
_TO_SIGN: Final = TypeAdapter(GrantToSign)
_LIST: Final = TypeAdapter(dict[str, list[GrantStanding]])


class GrantCalls:
    """``/v1/grants``."""

    _connection: Connection

    def grants(self) -> list[GrantStanding]:
        """Every grant there ever was, the oldest first."""
        answer = self._connection.ask("GET", "/v1/grants")
        return self._connection.told(_LIST, answer)["grants"]

    def grant(self, grant_id: str) -> GrantToSign:
        """One of them, with what a vote on it signs.

        Raises:
            UsageError: ``grant_unknown``.
            PolicyError: ``not_allowed``.
        """
        answer = self._connection.ask("GET", f"/v1/grants/{grant_id}")
        return self._connection.told(_TO_SIGN, answer)

    def request_grant(
        self,
        action: str,
        assets: Sequence[str],
        purpose: str,
        *,
        until: datetime | None = None,
        accept_risk: str | None = None,
    ) -> GrantStanding:
        """Ask for a grant for ourselves; a live one that covers the same is offered instead.

        Raises:
            UsageError, PolicyError: as their messages say.
        """
        body: dict[str, Any] = {"action": action, "assets": list(assets), "purpose": purpose}
        if until is not None:
            body["until"] = until.isoformat()
        if accept_risk is not None:
            body["accept_risk"] = accept_risk
        answer = self._connection.ask("POST", "/v1/grants", body=body)
        return self._connection.told(_STANDING, answer)

    def approve(
        self, grant_id: str, comment: str = "", *, key: Path | None = None, digest: str = ""
    ) -> GrantStanding:
        """Approve a request, signed with the private key in ``key`` where there is one.

        ``digest`` is that of the request that was looked at: another is not signed.

        Raises:
            IntegrityError: ``request_changed``; ``clock``.
            PolicyError: ``not_allowed``, ``vote_unsigned``.
            UsageError: ``grant_unknown``, ``grant_over``, ``voted_before``.
        """
        return self._vote(VoteKind.APPROVE, grant_id, comment, (key, digest))

    def deny(
        self, grant_id: str, comment: str = "", *, key: Path | None = None, digest: str = ""
    ) -> GrantStanding:
        """Deny a request; see ``approve``."""
        return self._vote(VoteKind.DENY, grant_id, comment, (key, digest))

    def revoke(
        self, grant_id: str, comment: str = "", *, key: Path | None = None, digest: str = ""
    ) -> GrantStanding:
        """Revoke a grant: from this moment it allows nothing; see ``approve``."""
        return self._vote(VoteKind.REVOKE, grant_id, comment, (key, digest))

    def _vote(
        self, kind: VoteKind, grant_id: str, comment: str, how: tuple[Path | None, str]
    ) -> GrantStanding:
        key, digest = how
        body = {"comment": comment}
        if key is not None:
            body = {"envelope": signed_vote(self.grant(grant_id), kind, comment, (key, digest))}
        answer = self._connection.ask("POST", f"/v1/grants/{grant_id}/{kind}", body=body)
        return self._connection.told(_STANDING, answer)


def signed_vote(found: GrantToSign, kind: VoteKind, comment: str, how: tuple[Path, str]) -> str:
    """The envelope of the vote; signed is what the bytes say, not what stands beside them."""
    key, digest = how
    request = decode_request(found.request.encode())
    if request.digest != (digest or found.digest) or request.id != found.grant:
        raise IntegrityError(
            f"{found.grant} is not the request that was looked at",
            code="request_changed",
            hint="look at it again: Client.grant",
        )
    if abs(datetime.now(UTC) - found.time) > _SKEW:
        raise IntegrityError(
            f"the gateway says it is {found.time.isoformat(timespec='seconds')}, this machine not",
            code="clock",
            hint="set the clock that is wrong",
        )
    roles = tuple(found.voter.roles)
    vote = Vote(found.voter.principal, kind, roles, found.time, comment)
    return sign_vote(request, vote, signer_in(key)).envelope.decode()
