"""What policies, limits and filters have against each kind of attacker, asked as they are now."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cipherset.app.sight.risk.may import MOST
from cipherset.custody.policy import (
    Action,
    Authenticated,
    Kind,
    Level,
    Policies,
    Principal,
    Request,
    Resource,
    Role,
    Standing,
)
from cipherset.evidence.views.threats import attackers
from cipherset.evidence.views.threats.path import Mitigation

_CALLERS: Final = (attackers.MEMBERSHIP, attackers.INVERSION, attackers.EXTRACTION)
_SERVICE: Final = Principal("any", frozenset({Role.SERVICE}))
_MODEL: Final = Resource(Kind.MODEL, "any", label=Level.PUBLIC, status=Standing.APPROVED)
# What always stands there, whatever the policies say.
_FILTERS: Final = {
    attackers.BROUGHT: Mitigation(
        "filter", "operators", "a model is loaded only if it has none but allow-listed operators"
    ),
    attackers.ENCODER: Mitigation(
        "filter", "digest", "weights are pinned by digest: other bytes are refused"
    ),
    attackers.CHUNKS: Mitigation(
        "filter", "context", "a text that speaks to the model is held back, and the rest fenced"
    ),
    attackers.PROVIDER: Mitigation(
        "filter", "prompts", "what is sensitive in a prompt is replaced before it is sent on"
    ),
    attackers.PROMPTER: Mitigation(
        "filter", "prompts and replies", "both are looked at on their way"
    ),
}


def guards(policies: Policies) -> dict[str, tuple[Mitigation, ...]]:
    """By the id of the attacker."""
    found: defaultdict[str, list[Mitigation]] = defaultdict(list)
    for attacker, guard in _FILTERS.items():
        found[attacker.id].append(guard)
    for attacker in _CALLERS:
        found[attacker.id] += _of_callers(policies)
    found[attackers.ON_PATH.id] += _of_names(policies)
    budget = policies.limits.budgets.tokens
    if budget is not None:
        says = f"{budget:,} a day for each principal"
        found[attackers.PROVIDER.id].append(Mitigation("budget", "tokens", says))
    for role in Role:
        found[f"insider-{role}"] += _of_role(policies, role)
    return {each: tuple(kept) for each, kept in found.items() if kept}


def _of_callers(policies: Policies) -> Iterator[Mitigation]:
    """What stands between callers and what they could learn from many answers."""
    queries = policies.limits.budgets.queries
    if queries is not None:
        yield Mitigation("budget", "queries", f"{queries:,} questions of a model, for ever")
    granted, alone = (
        policies.judge(
            Request(_SERVICE, Action.PREDICT_SCORES, _MODEL, replace(MOST, granted=each))
        )
        for each in (True, False)
    )
    if granted.is_allowed and not alone.is_allowed:
        name = ", ".join(granted.policies)
        yield Mitigation("policy", name, "probabilities take a grant; without it only labels")
    suspended = sorted(policies.limits.alerts.suspend)
    if suspended:
        yield Mitigation("policy", "alerts", f"{', '.join(suspended)}: stopped once they are seen")


def _of_names(policies: Policies) -> Iterator[Mitigation]:
    """Whether somebody who only claims to be a service is answered."""
    claimed, shown = (
        policies.judge(Request(_SERVICE, Action.PREDICT, _MODEL, replace(MOST, authenticated=each)))
        for each in (Authenticated.CLAIMED, Authenticated.CERTIFICATE)
    )
    if shown.is_allowed and not claimed.is_allowed:
        name = ", ".join(shown.policies)
        yield Mitigation("policy", name, "a service that only claims its name is refused")


def _of_role(policies: Policies, role: Role) -> Iterator[Mitigation]:
    """Which roles the same person may not have."""
    if policies.limits.grants.self_approval:
        return
    others = {
        other.value
        for each in policies.limits.conflicts
        if role in each.roles
        for other in each.roles - {role}
    }
    if role in policies.limits.exclusive:
        yield Mitigation("policy", "exclusive", policies.limits.exclusive[role])
    elif others:
        says = f"whoever has it is not {' or '.join(sorted(others))}"
        yield Mitigation("policy", "conflicts", says)
