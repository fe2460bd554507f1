"""Why a score is what it is: a sentence for each part, the one that weighs most first."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from cipherset.evidence.views.risk.facts import Budget, Evidence, Facts, Reader
from cipherset.evidence.views.risk.formula import Score

# Enough to see who, without a page of names.
MOST_NAMED: Final = 5


def because(facts: Facts, score: Score) -> tuple[str, ...]:
    """One sentence for each part, those first that take least off the score."""
    ordered = sorted(score.parts, key=lambda part: -part.factor)
    return tuple(_SENTENCES[part.name](facts) for part in ordered)


def _attack(facts: Facts) -> str:
    found = facts.attack
    of = f" of {found.because}" if found.because else ""
    match found.evidence:
        case Evidence.PLAIN:
            return f"whoever has it reads it: {found.because or 'nothing here is encrypted'}"
        case Evidence.UNMEASURED:
            return f"no attack was measured{of}, so it counts as open"
        case Evidence.STALE:
            return f"what was measured is stale and counts as open: {found.because}{_by(facts)}"
        case Evidence.MEASURED:
            return (
                f"the strongest attack{of} got up to {found.high:.1%} (upper end of its interval; "
                f"the limit is {found.limit:.1%}), {_days(found.age_days)} ago{_by(facts)}"
            )


def _by(facts: Facts) -> str:
    return f" ({facts.attack.source})" if facts.attack.source else ""


def _days(days: float) -> str:
    whole = int(days)
    return "less than a day" if whole < 1 else f"{whole} day{'' if whole == 1 else 's'}"


def _reach(facts: Facts) -> str:
    if not facts.readers:
        return "nobody may read it or ask it"
    shown = ", ".join(map(_reader, facts.readers[:MOST_NAMED]))
    more = len(facts.readers) - MOST_NAMED
    rest = f", and {more} more" if more > 0 else ""
    many = len(facts.readers)
    return f"{many} principal{'' if many == 1 else 's'} may read it or ask it: {shown}{rest}"


def _reader(reader: Reader) -> str:
    return f"{reader.name} ({', '.join(reader.through)})"


def _exposure(facts: Facts) -> str:
    if not facts.budgets:
        return "no budget limits what it gives away"
    worst = max(facts.budgets, key=lambda each: each.share)
    return _budget(worst)


def _budget(budget: Budget) -> str:
    why = f" ({budget.because})" if budget.because else ""
    if budget.is_open:
        return f"{budget.used} {budget.name} were spent, and nothing caps them{why}"
    if budget.cap is None:
        return f"{budget.used} {budget.name} were spent, and they do not bind{why}"
    if budget.cap == 0:
        return f"{budget.used} {budget.name} are out, and none may be{why}"
    return f"{budget.used} of {budget.cap} {budget.name} are spent{why}"


def _guards(facts: Facts) -> str:
    if not facts.guards:
        return "no guard stands in front of it"
    there = _listed(each.name for each in facts.guards if each.is_on)
    missing = _listed(each.name for each in facts.guards if not each.is_on)
    return f"guards: {there or 'none'}" + (f"; missing: {missing}" if missing else "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _label(facts: Facts) -> str:
    if facts.label is None:
        return "nobody has labeled it, so it counts as restricted"
    return f"it is labeled {facts.label.value}"


def _rows(facts: Facts) -> str:
    if facts.rows is None:
        return "nobody has counted its rows, so they count as a million"
    made = f" ({facts.made_by})" if facts.made_by else ""
    return f"{facts.rows} row{' is' if facts.rows == 1 else 's are'} at stake{made}"


_SENTENCES: Final[Mapping[str, Callable[[Facts], str]]] = {
    "attack": _attack,
    "reach": _reach,
    "exposure": _exposure,
    "guards": _guards,
    "label": _label,
    "rows": _rows,
}
