"""A request for a grant and the signed votes on it, each in one byte form.

A vote is a DSSE envelope (``core.envelope``) over the digest of the whole request, so that no vote
survives a changed byte of what it was given for. Whose key signed it is checked against the keys
that the caller knows of that principal: nobody's own word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from securesystemslib.signer import Signer

from cipherset.core import canonical
from cipherset.core.envelope import fingerprint, public_key_of, sign, verify
from cipherset.core.errors import IntegrityError
from cipherset.custody.policy.vocabulary import Action, Role

VOTE_TYPE: Final = "application/vnd.cipherset.vote.v1+json"
_SCHEMA: Final = "cipherset/vote/1"


class VoteKind(StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    DENY = "deny"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Requirement:
    """How many persons of each role must approve, and how many denials end it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    roles: Mapping[Role, int]
    deny: int = 1


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """Who asks, for whom, to do what, for which purpose, on exactly what, from when and how long.

    ``bound`` maps a name to the digest that it has: each asset under its id, and ``policy``,
    ``code`` or ``finding:ID`` beside them. One of them changed, and the grant is void.
    ``starts`` is ``None`` for as soon as it is approved. ``accepts_risk``: it is to hold for what
    was measured above the limit too. ``self_approval``: the requester's own approval counts (solo).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    action: Action
    purpose: str
    requester: str
    beneficiary: str
    bound: Mapping[str, str]
    created: AwareDatetime
    starts: AwareDatetime | None
    duration_s: int
    need: Requirement
    note: str = field(default="", repr=False)
    accepts_risk: bool = False
    self_approval: bool = False

    @property
    def digest(self) -> str:
        """Of every field; what a vote signs."""
        return canonical.digest_bytes(encode_request(self))


@dataclass(frozen=True, slots=True)
class Vote:
    """What a principal says to a request, and the roles in which they say it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    principal: str
    kind: VoteKind
    roles: tuple[Role, ...]
    time: AwareDatetime
    comment: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote as it is kept: whose it is and what it says stand beside the signed envelope."""

    principal: str
    kind: VoteKind
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Voter:
    """What is known of a principal: roles and keys (hex) today, and until when they had others.

    A key that may be in other hands is none of either.
    """

    roles: frozenset[Role]
    public_keys: frozenset[str]
    past_keys: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def had(self, signer: str, time: datetime) -> bool:
        """Whether the key of that fingerprint was theirs at ``time``."""
        if signer in {fingerprint(key) for key in self.public_keys}:
            return True
        past = [end for key, end in self.past_keys.items() if fingerprint(key) == signer]
        return any(time <= end for end in past)


_REQUEST: Final = TypeAdapter(GrantRequest)
_VOTE: Final = TypeAdapter(Vote)


def encode_request(request: GrantRequest) -> bytes:
    """The request in its one byte form (RFC 8785)."""
    return canonical.encode(_REQUEST.dump_python(request, mode="json"))


def decode_request(raw: bytes) -> GrantRequest:
    """The request that ``encode_request`` wrote.

    Raises:
        IntegrityError: ``grant_form``: other fields or values than a request has; or not JSON.
    """
    request: GrantRequest = _validated(_REQUEST, canonical.decode(raw, what="the request"))
    if encode_request(request) != raw:
        raise _bad_form()
    return request


def sign_vote(request: GrantRequest, vote: Vote, signer: Signer) -> Ballot:
    """The vote on exactly this request, signed.

    Raises:
        InputError: ``signer_kind``: not an Ed25519 key.
    """
    payload = {
        "schema": _SCHEMA,
        "request": request.digest,
        "signer": {"public_key": public_key_of(signer)},
        "vote": _VOTE.dump_python(vote, mode="json"),
    }
    envelope = sign(canonical.encode(payload), VOTE_TYPE, signer)
    return Ballot(vote.principal, vote.kind, envelope)


def read_vote(request: GrantRequest, ballot: Ballot, voter: Voter | None) -> Vote:
    """The vote in ``ballot``, given on exactly this request by a key of ``voter``.

    Raises:
        IntegrityError: ``vote_signer``, ``vote_request``, ``vote_ballot``, ``grant_form``, or what
            ``core.envelope.verify`` raises.
    """
    verified = verify(ballot.envelope, VOTE_TYPE, expected_fingerprint=None)
    payload = canonical.decode(verified.payload, what="the vote")
    if set(payload) != {"schema", "request", "signer", "vote"} or payload["schema"] != _SCHEMA:
        raise _bad_form()
    if payload["request"] != request.digest:
        raise _refused("given on another request than this", "vote_request")
    vote: Vote = _validated(_VOTE, payload["vote"])
    if voter is None or not voter.had(verified.fingerprint, vote.time):
        raise _refused(f"not signed with a key that {ballot.principal} had then", "vote_signer")
    if (vote.principal, vote.kind) != (ballot.principal, ballot.kind):
        raise _refused("kept as another vote than was signed", "vote_ballot")
    return vote


def as_of(time: datetime) -> str:
    """``time`` to the second, for a sentence."""
    return time.isoformat(sep=" ", timespec="seconds")


def _validated(adapter: TypeAdapter[Any], found: Any) -> Any:  # noqa: ANN401 -- any JSON value
    try:
        return adapter.validate_python(found)
    except ValidationError:
        raise _bad_form() from None


def _bad_form() -> IntegrityError:
    return _refused("not in the form of a request or a vote", "grant_form")


def _refused(message: str, code: str) -> IntegrityError:
    return IntegrityError(
        message, code=code, hint="it was changed after it was written; ask for the grant anew"
    )
