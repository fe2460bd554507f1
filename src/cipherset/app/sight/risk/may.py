"""Which roles the policies let read or ask which assets, without a grant."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from cipherset.custody.policy import (
    UNBOUNDED,
    Action,
    Authenticated,
    Context,
    Kind,
    Level,
    Policies,
    Principal,
    Request,
    Resource,
    Role,
    Standing,
    Verdict,
)
from cipherset.evidence.views.risk.reach import READING, Allowed, May
from cipherset.evidence.views.risk.sorts import Sensed, Sort

# Every condition met that is known here, but for a grant: those are counted one by one.
MOST: Final = Context(
    hour_utc=12,
    weekday=2,
    reid=0.0,
    verdict=Verdict.WITHIN_LIMIT,
    measured=True,
    exposure_left=UNBOUNDED,
    authenticated=Authenticated.CERTIFICATE,
)
_ENDED: Final = frozenset({Standing.SUSPENDED, Standing.RETIRED})
_KINDS: Final = {
    Sort.PLAIN: Kind.DATASET,
    Sort.SEALED: Kind.DATASET,
    Sort.INDEX: Kind.DATASET,
    Sort.KEY: Kind.KEY,
    Sort.MODEL: Kind.MODEL,
    Sort.SERVICE: Kind.SERVICE,
}


def roles_that_may(policies: Policies, classes: Iterable[Sensed]) -> May:
    """What the policies answer of each class of assets: ``READING`` without a grant, and with one.

    With one is asked only of what was stopped: the others are granted to be used.
    """
    return {each: _allowed(policies, each) for each in classes}


def _allowed(policies: Policies, kind: Sensed) -> Allowed:
    resource = Resource(
        _KINDS[kind.sort], "any", label=Level(kind.level), status=Standing(kind.standing)
    )
    roles = frozenset(_roles(policies, kind.sort, resource, MOST))
    by_grant = resource.status not in _ENDED or any(
        _roles(policies, kind.sort, resource, replace(MOST, granted=True))
    )
    return Allowed(roles, by_grant)


def _roles(policies: Policies, sort: Sort, resource: Resource, context: Context) -> Iterator[str]:
    for role in Role:
        somebody = Principal("somebody", frozenset({role}))
        questions = (
            Request(somebody, Action(action), resource, context) for action in READING[sort]
        )
        if any(policies.judge(each).is_allowed for each in questions):
            yield role.value
