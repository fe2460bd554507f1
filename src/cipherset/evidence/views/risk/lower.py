"""What would lower a score: each with its command and the score it would give, scored again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cipherset.core.labels import Level
from cipherset.evidence.views.risk.facts import Attack, Evidence, Facts, Reader
from cipherset.evidence.views.risk.formula import score


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do, on what condition it helps (``what``), and the score it would give."""

    what: str
    command: str
    score: float


def lower(facts: Facts) -> tuple[Change, ...]:
    """Every change that would lower the score, the best first."""
    now = score(facts).value
    found = [Change(what, command, score(then).value) for what, command, then in _changes(facts)]
    helpful = [each for each in found if each.score < now]
    return tuple(sorted(helpful, key=lambda each: (each.score, each.what)))


def _changes(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    yield from _evidence(facts)
    yield from _labeled(facts)
    yield from _stopped(facts)
    yield from _guarded(facts)
    yield from _capped(facts)
    yield from _without_grants(facts)
    yield from _with_fewer(facts)


def _evidence(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    found, commands = facts.attack, facts.commands
    if found.evidence is Evidence.PLAIN:
        return
    if "measure" in commands:
        yield _measured(facts, commands["measure"])
    if "protect" in commands and found.source and found.high > found.limit:
        what = f"put one in its place that is measured within {found.limit:.1%}"
        within = Attack(Evidence.MEASURED, high=found.limit, limit=found.limit)
        yield what, commands["protect"], replace(facts, attack=within)


def _measured(facts: Facts, command: str) -> tuple[str, str, Facts]:
    """The same figure made new; or, where there is none, the limit, and caps that bind nobody."""
    found = facts.attack
    if found.evidence is Evidence.MEASURED:
        what = "measure it again: what was measured gets old"
        return what, command, replace(facts, attack=replace(found, age_days=0.0))
    within = Attack(Evidence.MEASURED, high=found.limit, limit=found.limit)
    budgets = tuple(
        replace(each, cap=None, is_waiting=False) if each.is_waiting else each
        for each in facts.budgets
    )
    what = f"measure it: if no attack passes {found.limit:.1%}"
    return what, command, replace(facts, attack=within, budgets=budgets)


def _labeled(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    if facts.label is None and "label" in facts.commands:
        what = "have it labeled: if nothing above internal is found"
        yield what, facts.commands["label"], replace(facts, label=Level.INTERNAL)


def _stopped(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    if facts.stopped is not None and "stop" in facts.commands:
        what = "stop its use until it is approved again"
        yield what, facts.commands["stop"], replace(facts, readers=facts.stopped)


def _guarded(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    for guard in facts.guards:
        if not guard.is_on and guard.command:
            guards = tuple(
                replace(each, is_on=each.is_on or each.name == guard.name) for each in facts.guards
            )
            yield f"add a guard: {guard.name}", guard.command, replace(facts, guards=guards)


def _capped(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    for budget in facts.budgets:
        if budget.share <= 0.0 or not budget.command:
            continue
        fresh = replace(budget, used=0, is_open=False, cap=max(budget.cap or 0, 1))
        budgets = tuple(fresh if each == budget else each for each in facts.budgets)
        what = (
            f"cap its {budget.name}"
            if budget.is_open
            else f"put another in its place, of which no {budget.name} are out"
        )
        yield what, budget.command, replace(facts, budgets=budgets)


def _without_grants(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    for grant in sorted({way for each in facts.readers for way in _grants(each.through)}):
        readers = tuple(_without(facts.readers, grant))
        command = f"cipherset grant revoke {grant}"
        yield f"take the grant {grant} back", command, replace(facts, readers=readers)


def _with_fewer(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    """One of those who read it by a role alone does so no more."""
    by_role = [each for each in facts.readers if each.through and _is_by_role(each)]
    if by_role:
        name = by_role[-1].name
        readers = tuple(each for each in facts.readers if each.name != name)
        what = f"let one less have a role that reads it, such as {name}"
        yield (
            what,
            f"cipherset principal change {name} --role ROLE",
            replace(facts, readers=readers),
        )


def _is_by_role(reader: Reader) -> bool:
    return all(way.startswith("role ") for way in reader.through)


def _grants(through: Iterable[str]) -> list[str]:
    return [way for way in through if way.startswith("grant-")]


def _without(readers: Iterable[Reader], grant: str) -> Iterator[Reader]:
    for each in readers:
        rest = tuple(way for way in each.through if way != grant)
        if rest:
            yield replace(each, through=rest)
