"""Policies and the decision they come to: denied, unless a permit applies and no forbid does.

Allowed is only what Cedar allows without any diagnostics. A request that it cannot read (an unknown
action, a fact of the wrong form, nobody who asks) is denied like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import cedarpy
from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.custody.policy import schema
from cipherset.custody.policy.limits import Limits, read_limits
from cipherset.custody.policy.texts import Rule, read_rules
from cipherset.custody.policy.vocabulary import (
    APPLIES_TO,
    UNBOUNDED,
    Authenticated,
    Context,
    Principal,
    Request,
    Role,
    Standing,
    Verdict,
)

_SCHEMA: Final = cedarpy.Schema.from_str(schema.TEXT)
# Whoever else might ask; no principal is called that.
_SOMEONE: Final = "*"
_UNREADABLE: Final = "what is asked does not fit the schema of the policies"
_MOST_JUDGED: Final = 1024
_NOBODY: Final = "nobody is named who asks"


class _Source(BaseModel):
    """What ``Policies.source`` holds, as canonical JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    limits: str
    texts: dict[str, str]


class Way(StrEnum):
    """What would turn a denial; ``says`` is the same for a person."""

    GRANT = "grant"
    LESS_RISK = "less-risk"
    EXPOSURE = "exposure"
    GRANT_AND_LESS_RISK = "grant-and-less-risk"
    ACCEPTED_RISK = "accepted-risk"
    BREAK_GLASS = "break-glass"

    @property
    def says(self) -> str:
        """What it is, as part of a sentence."""
        return _SAYS[self]


_SAYS: Final[Mapping[Way, str]] = {
    Way.GRANT: "a live grant",
    Way.LESS_RISK: "a measured risk within the limit",
    Way.EXPOSURE: "exposure that is left, which only a new key brings",
    Way.GRANT_AND_LESS_RISK: "a live grant, and a measured risk within the limit",
    Way.ACCEPTED_RISK: "a live grant that accepts the risk",
    Way.BREAK_GLASS: "an emergency, which is reviewed after",
}


# A way is not told where a part of it is enough.
_ENOUGH: Final[Mapping[Way, frozenset[Way]]] = {
    Way.GRANT_AND_LESS_RISK: frozenset({Way.GRANT, Way.LESS_RISK}),
    Way.ACCEPTED_RISK: frozenset({Way.GRANT}),
}


class First(StrEnum):
    """What has to be before any way is open; ``says`` is the same for a person."""

    APPROVAL = "approval"
    PURPOSE = "purpose"
    REGION = "region"
    KEY = "key"
    IDENTITY = "identity"

    @property
    def says(self) -> str:
        """What it is, as part of a sentence."""
        return _SAYS_FIRST[self]


_SAYS_FIRST: Final[Mapping[First, str]] = {
    First.APPROVAL: "the asset approved",
    First.PURPOSE: "the purpose that the rows were collected for",
    First.REGION: "a machine in the region of the rows",
    First.KEY: "a key of the tenant and region of the rows",
    First.IDENTITY: "an identity that was verified",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """What would have turned a denial; all empty where nothing that was tried does.

    ``ways`` are open to the one who asked. ``roles`` may do it as things stand,
    ``roles_with_grant`` with a live grant: whoever holds that role alone and had no part in it.
    All three hold once what is ``first`` is so; where that is enough they are empty.
    """

    ways: tuple[Way, ...] = ()
    roles: tuple[Role, ...] = ()
    roles_with_grant: tuple[Role, ...] = ()
    first: tuple[First, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may be, which policies say so, and why, in sentences for a person.

    ``is_break_glass``: only the emergency made it so, and it must be reviewed.
    """

    is_allowed: bool
    policies: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    missing: Missing = field(default_factory=Missing)
    is_break_glass: bool = False


class Policies:
    """A validated set of policies with its limits; made by ``load`` and ``from_source`` only.

    ``source`` is all of it in one text, to be kept; ``digest`` is that of its bytes, so that it
    changes with each policy and each limit.
    """

    __slots__ = ("_judged", "_slices", "_why", "digest", "limits", "rules", "source")

    def __init__(self, rules: tuple[Rule, ...], limits: Limits, source: bytes) -> None:
        self.rules = rules
        self.limits = limits
        self.source = source.decode()
        self.digest = canonical.digest_bytes(source)
        self._why = {rule.id: rule.why for rule in rules}
        self._slices: dict[tuple[str, str], Any] = {}
        self._judged: dict[str, Decision] = {}

    @classmethod
    def load(cls, texts: Mapping[str, str], limits: str) -> "Policies":
        """The policies in ``texts`` (file name to Cedar text) with ``limits`` (TOML).

        Raises:
            InputError: ``policy_syntax``, ``policy_meaning`` (a name or type that the schema does
                not have), ``policy_annotation`` (no ``@id`` or ``@why``), ``policy_twice`` (an id
                used before), ``policy_template``, ``policy_empty``, ``policy_limits``.
        """
        source = canonical.encode({"limits": limits, "texts": dict(texts)})
        return cls(read_rules(texts, _SCHEMA), read_limits(limits), source)

    @classmethod
    def from_source(cls, source: str) -> "Policies":
        """The policies whose ``source`` this is.

        Raises:
            IntegrityError: ``policy_source``: it is not in the form of one.
            InputError: as ``load``; what was valid once may name what is no more.
        """
        found = canonical.decode(source.encode(), what="the set of policies")
        try:
            kept = _Source.model_validate(found)
        except ValidationError:
            raise IntegrityError(
                "what is kept as a set of policies is none",
                code="policy_source",
                hint="it was changed after it was written; restore the ledger from a backup",
            ) from None
        return cls.load(kept.texts, kept.limits)

    def decide(self, request: Request) -> Decision:
        """What the policies say to ``request``; a denial says what would have allowed it."""
        decision = self.judge(request)
        if decision.is_allowed:
            return decision
        return replace(decision, missing=self.missing(request))

    def judge(self, request: Request) -> Decision:
        """As ``decide``, but without what is missing: one look, where that is dozens.

        The same question has the same answer, so it is kept: by all of its facts as they are
        written, for ``True`` is not 1 to Cedar.
        """
        key = repr(request)
        known = self._judged.get(key)
        if known is None:
            known = self._judge(request)
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            self._judged[key] = known
        return known

    def _judge(self, request: Request) -> Decision:
        request = self._with_break_glass(request)
        decision = self._judge_all([request])[0]
        if not decision.is_allowed or not request.context.break_glass:
            return decision
        calm = replace(request, context=replace(request.context, break_glass=False))
        return replace(decision, is_break_glass=not self._judge_all([calm])[0].is_allowed)

    def missing(self, request: Request) -> Missing:
        """What would allow a denied ``request``: asked again in each way, and for each role.

        Where nothing of that does, with as little as possible besides that has to be first.
        """
        if _unreadable(request) is not None:
            return Missing()
        found = self._open(request)
        first = tuple(each for each in First if _with(request, (each,)) != request)
        if not _is_dead_end(found) or not first or not self._opens(_with(request, first)):
            return found
        for each in first:
            fewer = tuple(other for other in first if other is not each)
            first = fewer if self._opens(_with(request, fewer)) else first
        after = _with(request, first)
        return replace(
            Missing() if self._judge(after).is_allowed else self._open(after), first=first
        )

    def could(self, request: Request) -> tuple[Role, ...] | None:
        """None if who asks could ever do it; else the roles that could, as far as can be told.

        Asked again with all that can be had: a grant, no risk, exposure and what has to be first.
        """
        if _unreadable(request) is not None:
            return None
        best = _with(request, tuple(First))
        context = replace(
            _harmless(best.context), granted=True, accepted_risk=True, exposure_left=UNBOUNDED
        )
        best = replace(best, context=context)
        return (
            None
            if self._judge(best).is_allowed
            else self._roles(best, context, tuple(Role)) or None
        )

    def _opens(self, request: Request) -> bool:
        return self._judge(request).is_allowed or not _is_dead_end(self._open(request))

    def _open(self, request: Request) -> Missing:
        """What would allow it, the facts being what they are."""
        context = replace(request.context, break_glass=False)
        granted = replace(context, granted=True)
        ways = {
            Way.GRANT: granted,
            Way.LESS_RISK: _harmless(context),
            Way.EXPOSURE: replace(context, exposure_left=UNBOUNDED),
            Way.GRANT_AND_LESS_RISK: _harmless(granted),
            Way.ACCEPTED_RISK: replace(granted, accepted_risk=True),
            Way.BREAK_GLASS: replace(context, break_glass=True),
        }
        variants = [replace(request, context=each) for each in ways.values()]
        decisions = self._judge_all([self._with_break_glass(each) for each in variants])
        opened = [way for way, each in zip(ways, decisions, strict=True) if each.is_allowed]
        with_grant = self._roles(request, granted, tuple(Role)) or self._roles(
            request, replace(granted, accepted_risk=True), tuple(Role)
        )
        return Missing(
            ways=tuple(way for way in opened if _ENOUGH.get(way, frozenset()).isdisjoint(opened)),
            roles=self._roles(request, context, with_grant),
            roles_with_grant=with_grant,
        )

    def _judge_all(self, variants: list[Request]) -> list[Decision]:
        """One decision per variant of one request: the same action, the same resource."""
        if not variants:
            return []
        why = _unreadable(variants[0])
        if why is not None:
            return [Decision(is_allowed=False, because=(why,)) for _ in variants]
        try:
            answers = self._ask(variants)
        except (TypeError, ValueError):
            # Text that is no Unicode, a number that JSON does not have.
            return [Decision(is_allowed=False, because=(_UNREADABLE,)) for _ in variants]
        return [self._read(*each) for each in zip(answers, variants, strict=True)]

    def _ask(self, variants: list[Request]) -> list[Any]:
        first = variants[0]
        principals = {each.principal.name: each.principal for each in variants}
        entities = [schema.principal_entity(each) for each in principals.values()]
        entities.append(schema.resource_entity(first.resource))
        found: list[Any] = cedarpy.is_authorized_batch(
            [schema.question(each, self.limits.max_reid) for each in variants],
            self._slice(first.action, schema.entity_type(first.resource.kind)),
            entities,
            schema=_SCHEMA,
        )
        return found

    def _slice(self, action: str, entity_type: str) -> Any:  # noqa: ANN401 -- cedarpy's
        """The policies whose scope does not rule out this action on this type of resource.

        The others cannot apply, permit or forbid, so the decision is that of all of them.
        """
        key = action, entity_type
        if key not in self._slices:
            texts = (rule.text for rule in self.rules if rule.may_apply(action, entity_type))
            self._slices[key] = cedarpy.PolicySet.from_str("\n".join(texts))
        return self._slices[key]

    def _read(self, answer: Any, request: Request) -> Decision:  # noqa: ANN401 -- cedarpy's
        if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
            # The engine's own words may hold facts about the resource.
            return Decision(is_allowed=False, because=(_UNREADABLE,))
        ids = tuple(sorted(answer.diagnostics.id_annotations_by_reason.values()))
        is_allowed = answer.decision is cedarpy.Decision.Allow and bool(ids)
        because = tuple(self._why[each] for each in ids) or (_no_permit(request),)
        return Decision(is_allowed, ids, because)

    def _with_break_glass(self, request: Request) -> Request:
        """The request, with break-glass only where the limits have it for this act and role."""
        emergency = self.limits.break_glass
        is_open = (
            request.context.break_glass
            and request.action in emergency.actions
            and not request.principal.roles.isdisjoint(emergency.roles)
        )
        return replace(request, context=replace(request.context, break_glass=is_open))

    def _roles(
        self, request: Request, context: Context, among: tuple[Role, ...]
    ) -> tuple[Role, ...]:
        """Which of ``among`` may do it, held alone by someone who has nothing to do with it."""
        others = [
            replace(
                request,
                context=context,
                principal=Principal(
                    f"{_SOMEONE}{role}", frozenset({role}), request.principal.attributes
                ),
            )
            for role in among
        ]
        decisions = zip(among, self._judge_all(others), strict=True)
        return tuple(role for role, decision in decisions if decision.is_allowed)


def _is_dead_end(found: Missing) -> bool:
    """Whether nothing of it is open but to break glass."""
    return not ({*found.ways} - {Way.BREAK_GLASS} or found.roles or found.roles_with_grant)


def _with(request: Request, first: tuple[First, ...]) -> Request:
    """The request, were this so of it already."""
    context, resource = request.context, request.resource
    region, tenant = _only(resource.region), _only(resource.tenant)
    if First.APPROVAL in first:
        resource = replace(resource, status=Standing.APPROVED)
    if First.PURPOSE in first and resource.purpose is not None:
        context = replace(context, purpose=resource.purpose)
    if First.REGION in first and region is not None:
        context = replace(context, region=region)
    if First.KEY in first and context.under_key:
        context = replace(
            context,
            key_region=context.key_region if region is None else region,
            key_tenant=context.key_tenant if tenant is None else tenant,
        )
    if First.IDENTITY in first and context.authenticated is Authenticated.CLAIMED:
        context = replace(context, authenticated=Authenticated.CERTIFICATE)
    return replace(request, context=context, resource=resource)


def _only(home: str | None) -> str | None:
    """``home``, unless it is several in one text: no key and no machine is in all of them."""
    return None if home is None or "," in home else home


def _harmless(context: Context) -> Context:
    return replace(context, measured=True, reid=0.0, verdict=Verdict.WITHIN_LIMIT)


def _unreadable(request: Request) -> str | None:
    """Why no policy is asked, or None."""
    if not request.principal.name:
        return _NOBODY
    if request.resource.kind not in APPLIES_TO.get(request.action, frozenset()):
        return f"{request.action} is not done to a {request.resource.kind}"
    return _UNREADABLE if request.context.rows < 0 else None


def _no_permit(request: Request) -> str:
    held = " or ".join(sorted(request.principal.roles)) or "someone without a role"
    return f"no policy allows {request.action} of this {request.resource.kind} to {held}"
