"""Permissions that nobody uses, so that they can be taken away."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cipherset.custody.policy.engine import Policies
from cipherset.custody.policy.vocabulary import (
    APPLIES_TO,
    UNBOUNDED,
    Action,
    Authenticated,
    Context,
    Kind,
    Level,
    Principal,
    Request,
    Resource,
    Standing,
    Verdict,
)

# Every condition met that is known here: what is denied even so is no permission.
_MOST: Final = Context(
    hour_utc=12,
    weekday=2,
    granted=True,
    reid=0.0,
    verdict=Verdict.WITHIN_LIMIT,
    measured=True,
    exposure_left=UNBOUNDED,
    accepted_risk=True,
    authenticated=Authenticated.CERTIFICATE,
)
# What everyone may need once a year, and should not lose for it.
_KEPT: Final = frozenset({Action.GRANT_REQUEST, Action.GRANT_REVOKE, Action.VIEW})


@dataclass(frozen=True, slots=True)
class Unused:
    """What ``principal`` may do, with the grants that it takes, and has not done."""

    principal: str
    action: Action
    kind: Kind


def unused(
    policies: Policies,
    used: Iterable[tuple[str, Action, Kind]],
    principals: Iterable[Principal],
) -> list[Unused]:
    """Each permission of ``principals`` that is not among ``used`` (principal, action, kind).

    A permission is what would be allowed of a public, approved asset of nobody's with a live
    grant, a measured risk of nothing and no end of exposure, on a Wednesday at noon. One that takes
    another place, purpose or hour is not seen.
    """
    done = frozenset(used)
    return [
        Unused(principal.name, action, kind)
        for principal in sorted(principals, key=lambda each: each.name)
        for action, kinds in APPLIES_TO.items()
        if action not in _KEPT
        for kind in sorted(kinds)
        if (principal.name, action, kind) not in done and _may(policies, principal, action, kind)
    ]


def _may(policies: Policies, principal: Principal, action: Action, kind: Kind) -> bool:
    resource = Resource(kind, "any", label=Level.PUBLIC, status=Standing.APPROVED)
    return policies.judge(Request(principal, action, resource, _MOST)).is_allowed
