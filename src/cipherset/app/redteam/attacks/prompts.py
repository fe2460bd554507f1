"""The guard of prompts: planted instructions and jailbreaks, as they are and disguised."""

import base64
import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cipherset.app.redteam.attack import Attack, Count, Ground
from cipherset.app.redteam.line import Line
from cipherset.app.redteam.sets import Intent, PromptAttack, read_attacks, shipped
from cipherset.app.redteam.targets import Target, What
from cipherset.app.serving.relay.guards import Guards
from cipherset.guard.prompts import Action, Part
from cipherset.guard.prompts.injection import judge

# What goes no further, or not as it is.
_STOPS: Final = frozenset({Action.REDACT, Action.BLOCK})
DISGUISES: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
        "rot13": lambda text: codecs.encode(text, "rot13"),
        "letters apart": lambda text: " ".join(text.replace(" ", "")),
        "zero-width characters": "\u200b".join,
        "reversed": lambda text: text[::-1],
    }
)


def stopped(texts: Sequence[PromptAttack], guards: Guards) -> list[bool]:
    """Of each text alone, whether the guard stops it, as its rules say for whose words it is."""
    rules = guards.rules.prompts
    found = [
        judge([Part(each.role, each.text)], guards.classifier, rules.thresholds)[0]
        for each in texts
    ]
    return [
        any(rules.on_finding(verdict.kind, each.role) in _STOPS for verdict in verdicts)
        for each, verdicts in zip(texts, found, strict=True)
    ]


def _shipped(ground: Ground, target: Target) -> Iterator[Line]:
    """The shipped set as it is, and its attacks in disguise."""
    yield from _as_they_are(ground, target, shipped(), "shipped set")
    guards = ground.guards()
    attacks = [each for each in shipped() if each.intent is not Intent.BENIGN]
    for name, disguise in DISGUISES.items():
        hidden = [PromptAttack(disguise(each.text), each.intent, each.role) for each in attacks]
        passed = stopped(hidden, guards).count(False)
        count = Count("let_through", passed, len(hidden), ground.limits.disguised, "shipped set")
        yield from ground.shares(target, f"instructions in disguise: {name}", [count])


def _given(ground: Ground, target: Target) -> Iterator[Line]:
    """A set of one's own."""
    path = ground.attackers.injections
    if path is not None:
        yield from _as_they_are(ground, target, read_attacks(path), "own set")


def _as_they_are(
    ground: Ground, target: Target, texts: Sequence[PromptAttack], given: str
) -> Iterator[Line]:
    guards, limits = ground.guards(), ground.limits
    for intent in Intent:
        some = [each for each in texts if each.intent is intent]
        hits = stopped(some, guards)
        if intent is Intent.BENIGN:
            count = Count("false_alarms", sum(hits), len(some), limits.false_alarms, given)
        else:
            missed = hits.count(False)
            count = Count("let_through", missed, len(some), limits.injections, given)
        yield from ground.shares(target, f"{intent} prompts, {given}", [count])


def _no_file(ground: Ground, _target: Target) -> str | None:
    return None if ground.attackers.injections else "needs a set: --injections FILE"


ATTACKS: Final = (
    Attack(
        "prompts",
        What.GUARD,
        "injections and jailbreaks before the guard, plain and disguised, and harmless prompts",
        _shipped,
    ),
    Attack("own-prompts", What.GUARD, "the same of --injections FILE", _given, _no_file),
)
