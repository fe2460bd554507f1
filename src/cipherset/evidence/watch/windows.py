"""How much within an hour, a day, a week: against the most that there ever was before.

One comparison for all: the sum over a window is unusual where it is more than ``factor`` times the
most in any such window that ended before this one began. A burst shows in an hour or a day; a slow
drip, which no hour betrays, in a week or a fortnight. What grows by less than ``factor`` within one
window, and then again, is not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.evidence.watch.sightings import (
    HOURS_A_DAY,
    Alert,
    AlertKind,
    Amounts,
    Clock,
    Past,
)

WARM_UP_HOURS: Final = 14 * HOURS_A_DAY
_PAUSE_HOURS: Final = 3 * HOURS_A_DAY


@dataclass(frozen=True, slots=True)
class Window:
    """Sums over ``hours``, from ``least`` on, of more than ``factor`` times the most before."""

    kind: AlertKind
    hours: int
    factor: float
    least: float


# The longer, the steadier: by how much honest traffic varies was seen on replays (see
# benchmarks/anomalies.py), none of which is among those that the figures are of.
AMOUNTS: Final = (
    Window(AlertKind.BULK, 1, 3.0, 50),
    Window(AlertKind.BULK, HOURS_A_DAY, 2.5, 100),
    Window(AlertKind.DRIP, 7 * HOURS_A_DAY, 1.7, 100),
    Window(AlertKind.DRIP, 14 * HOURS_A_DAY, 1.5, 100),
)
REFUSALS: Final = (
    Window(AlertKind.PROBING, 1, 2.0, 8),
    Window(AlertKind.PROBING, HOURS_A_DAY, 2.0, 10),
    Window(AlertKind.PROBING, 7 * HOURS_A_DAY, 2.0, 16),
)
FIRST_USES: Final = (Window(AlertKind.FIRST_USE, HOURS_A_DAY, 2.0, 5),)


def unusual_amounts(pasts: dict[str, Past], clock: Clock) -> Iterator[Alert]:
    """Bursts and drips of each action; whoever never did it before is held to what others did."""
    actions = sorted({action for past in pasts.values() for action in past.amounts})
    for action in actions:
        doing = {
            name: (past.amounts[action], past.first)
            for name, past in pasts.items()
            if action in past.amounts
        }
        for window in AMOUNTS:
            most = {name: _known_most(*each, window.hours) for name, each in doing.items()}
            for name, (series, _) in doing.items():
                others = [each for other, each in most.items() if other != name]
                usual = _own_or_others(most[name], others)
                yield from _alerts(window, (name, action), series, usual, clock)


def unusual_counts(pasts: dict[str, Past], clock: Clock) -> Iterator[Alert]:
    """Refusals, and assets that are used for the first time, over all actions."""
    for name, past in pasts.items():
        for window in REFUSALS:
            usual = most_before(past.refusals, window.hours)
            yield from _alerts(window, (name, None), past.refusals, usual, clock)
        for window in FIRST_USES:
            most = _known_most(past.first_uses, past.first, window.hours)
            usual = np.where(np.isnan(most), np.inf, most)
            yield from _alerts(window, (name, None), past.first_uses, usual, clock)


def sums(series: Amounts, hours: int) -> Amounts:
    """``series`` summed over the ``hours`` that end with each hour, shape (n_hours,)."""
    total = np.concatenate([np.zeros(1), np.cumsum(series)])
    ends = np.arange(1, len(series) + 1)
    return np.asarray(total[ends] - total[np.maximum(ends - hours, 0)])


def most_before(series: Amounts, hours: int) -> Amounts:
    """The largest of ``sums`` over windows that ended before the one of each hour began."""
    most = np.maximum.accumulate(sums(series, hours))
    before = np.zeros(len(series))
    before[hours:] = most[:-hours]
    return before


def _known_most(series: Amounts, first: int, hours: int) -> Amounts:
    """``most_before``, not a number until there is enough to go by: a warm-up and a window."""
    is_known = np.arange(len(series)) >= first + WARM_UP_HOURS + hours
    return np.where(is_known, most_before(series, hours), np.nan)


def _own_or_others(own: Amounts, others: list[Amounts]) -> Amounts:
    """The most of one's own, or of anybody's where that is not known or nothing yet.

    Infinite where nobody did it before: then there is nothing to compare with.
    """
    known = np.nan_to_num(np.array([np.zeros(len(own)), *others]))
    usual = np.where(own > 0, own, known.max(axis=0))
    return np.where(usual > 0, usual, np.inf)


def _alerts(
    window: Window, whose: tuple[str, str | None], series: Amounts, usual: Amounts, clock: Clock
) -> Iterator[Alert]:
    """One alert for each stretch of windows that are unusual."""
    found = sums(series, window.hours)
    is_unusual = (series > 0) & (found >= window.least) & (found > window.factor * usual)
    for hour in _beginnings(is_unusual):
        since = clock.time(max(hour + 1 - window.hours, 0))
        until = clock.time(hour + 1)
        name, action = whose
        yield Alert(window.kind, name, action, since, until, float(found[hour]), float(usual[hour]))


def _beginnings(is_unusual: npt.NDArray[np.bool_]) -> Iterator[int]:
    """The hours at which it begins to be unusual; nights and weekends between do not end it."""
    last = -_PAUSE_HOURS - 1
    for hour in np.flatnonzero(is_unusual).tolist():
        if hour - last > _PAUSE_HOURS:
            yield hour
        last = hour
