"""The score: how likely times how bad, each a product of parts that anybody can compute again.

    score = 100 * product(1 - weight * (1 - badness) for each part)

A badness is in [0, 1], 1 the worst; a weight is what that part alone can take off. So the score is
100 where everything is at its worst, it falls with every part that is better, and no part that is
good hides the others. These weights are a judgment, not a measurement: they order, and that is all
that may be read into a score.

Source: NIST SP 800-30 Revision 1, section 2.3.1: risk as a function of the likelihood of an event
and of its impact.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cipherset.core.labels import Level
from cipherset.evidence.views.risk.facts import Attack, Budget, Evidence, Facts, Guard

# What was measured a year ago counts as if it never was: attacks get better.
YEAR_DAYS: Final = 365.0
# A million rows are as bad as it gets; ten are a sixth of that, for one person's row is bad too.
MOST_ROWS_LOG10: Final = 6.0
# Of five more readers the last adds a third of what the first did.
SHARE_PER_READER: Final = 0.2
_SEVERITY: Final = {level: level.rank / Level.RESTRICTED.rank for level in Level}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A part of the formula, and how it is read from the facts."""

    name: str
    weight: float
    badness: Callable[[Facts], float]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one score; ``factor`` is what it multiplies by, in (0, 1]."""

    name: str
    badness: float
    weight: float

    @property
    def factor(self) -> float:
        """``1 - weight * (1 - badness)``."""
        return 1.0 - self.weight * (1.0 - self.badness)


@dataclass(frozen=True, slots=True)
class Score:
    """The score, 0 to 100 and rounded to a tenth, and its parts."""

    value: float
    likelihood: float
    impact: float
    parts: tuple[Part, ...]


def score(facts: Facts) -> Score:
    """The score of one asset; the same facts give the same score, bit for bit."""
    likely, bad = (
        tuple(Part(each.name, each.badness(facts), each.weight) for each in parts)
        for parts in (LIKELIHOOD, IMPACT)
    )
    likelihood = math.prod(part.factor for part in likely)
    impact = math.prod(part.factor for part in bad)
    return Score(round(100.0 * likelihood * impact, 1), likelihood, impact, likely + bad)


def attack_badness(attack: Attack) -> float:
    """``high`` when it is fresh, rising to 1 over a year; 1 for all that was not measured."""
    if attack.evidence is not Evidence.MEASURED:
        return 1.0
    high = _within(attack.high)
    return high + (1.0 - high) * _within(attack.age_days / YEAR_DAYS)


def reach_badness(n_readers: int) -> float:
    """``1 - 0.8**n``: 0 for nobody, 0.2 for one, 0.67 for five; each more adds less."""
    return 1.0 - float((1.0 - SHARE_PER_READER) ** n_readers)


def exposure_badness(budgets: tuple[Budget, ...]) -> float:
    """The largest share of a budget that is gone; 1 where there is no budget at all."""
    return max((each.share for each in budgets), default=1.0)


def guard_badness(guards: tuple[Guard, ...]) -> float:
    """The share of guards that are not there; 1 where none could be, such as for a file."""
    if not guards:
        return 1.0
    return sum(not each.is_on for each in guards) / len(guards)


def label_badness(label: Level | None) -> float:
    """0 for public to 1 for restricted, and for what nobody has labeled."""
    return 1.0 if label is None else _SEVERITY[label]


def rows_badness(rows: int | None) -> float:
    """``log10(1 + rows) / 6``, at most 1; 1 where nobody has counted."""
    if rows is None:
        return 1.0
    return _within(math.log10(1 + max(rows, 0)) / MOST_ROWS_LOG10)


def _within(value: float) -> float:
    """In [0, 1]; what is no number is the worst."""
    return 1.0 if math.isnan(value) else min(max(value, 0.0), 1.0)


LIKELIHOOD: Final = (
    Weighed("attack", 0.9, lambda facts: attack_badness(facts.attack)),
    Weighed("reach", 0.5, lambda facts: reach_badness(len(facts.readers))),
    Weighed("exposure", 0.3, lambda facts: exposure_badness(facts.budgets)),
    Weighed("guards", 0.3, lambda facts: guard_badness(facts.guards)),
)
IMPACT: Final = (
    Weighed("label", 0.9, lambda facts: label_badness(facts.label)),
    Weighed("rows", 0.5, lambda facts: rows_badness(facts.rows)),
)
