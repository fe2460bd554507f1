"""What a refusal says: what was asked, and why not; ``hint`` says what to do next."""

from typing import Final

from cipherset.app.gate.facts import Asked
from cipherset.app.gate.hint import hint
from cipherset.core.errors import PolicyError
from cipherset.custody.keys import KeyInfo
from cipherset.custody.policy import Action, Decision, Kind

NOT_ALLOWED: Final = "not_allowed"
# What serves a purpose: the words of the shipped policy ``other-purpose``.
PURPOSED: Final = frozenset(
    {
        Action.PROTECT,
        Action.EXPORT,
        Action.TRAIN_AT_GATE,
        Action.TRAIN_TOGETHER,
        Action.DETOKENIZE,
    }
)


def not_allowed(asked: Asked, decision: Decision) -> PolicyError:
    """The refusal of the policies."""
    request = asked.request
    what = "" if asked.about.kind is Kind.WORKSPACE else f" of {asked.about.name}"
    reasons = "; ".join((*decision.because, *_purposes(asked), *_void(asked)))
    return PolicyError(
        f"{request.principal.name} may not do this: {request.action}{what}: {reasons}",
        code="not_allowed",
        hint=hint(asked),
    )


def denied_from_afar() -> PolicyError:
    """The same for those who ask from elsewhere: word for word what they get of what is not there.

    The reasons would tell of assets that they may not know of, and cost dozens of decisions.
    """
    return PolicyError(
        "this is not there, or you may not do it",
        code="not_allowed",
        hint="ask for a grant (POST /v1/grants), or an auditor why: the ledger has the reasons",
    )


def _purposes(asked: Asked) -> tuple[str, ...]:
    """Both purposes, where they differ and may be why."""
    request = asked.request
    collected, wanted = request.resource.purpose, request.context.purpose
    if collected is None or collected == wanted or request.action not in PURPOSED:
        return ()
    given = "no purpose was given" if wanted is None else f"this is for {wanted!r}"
    return (f"it is there for {collected!r}, and {given}",)


def _void(asked: Asked) -> tuple[str, ...]:
    """Which grant would have allowed it, and what of it changed."""
    if asked.void is None:
        return ()
    request, found = asked.void
    changed = ", ".join(
        f"{each.name} was {each.old[:23]} and is {(each.new or 'not there')[:23]}"
        for each in found.diff
    )
    return (f"grant {request.id} is void: {changed}",)


def outside_act(key: KeyInfo) -> PolicyError:
    """A key was to be opened while nothing was allowed: a defect of ours, and refused."""
    return PolicyError(
        f"key {key.name} was to be opened outside of any act that was allowed",
        code="outside_act",
        hint="this is a defect of cipherset; please report the command",
    )


def elsewhere(key: KeyInfo, unmet: tuple[str, ...]) -> PolicyError:
    """The key is bound to another place than this."""
    kinds = ", ".join(unmet)
    why = (
        "; an identity is known of a verified connection only, never on the command line"
        if "identity" in unmet
        else ""
    )
    return PolicyError(
        f"key {key.name} is not to be used here: this environment does not match the {kinds} that "
        f"it is bound to{why}",
        code="key_environment",
        hint=f"use it where it belongs: cipherset key show {key.name} says where that is, "
        "cipherset key environment what is known of this place",
    )
