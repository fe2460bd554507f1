"""Whether a run is worse than the one that was accepted: beyond what chance moves, not by eye.

Two lines differ where the interval of their difference, from both of theirs, does not hold 0. The
interval is widened by the number of comparisons, so that a run in which nothing changed is called
worse about once in a hundred, however many lines it has.

Source: R. G. Newcombe, Interval estimation for the difference between independent proportions,
Statistics in Medicine 17, 1998, method 10 (the two halves that matter, squared and added); C. E.
Bonferroni's inequality for the number of comparisons.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from scipy.special import ndtri

from cipherset.app.redteam.line import Line, LineVerdict

# Of a whole run, that something is called worse although nothing is.
FALSE_ALARM: Final = 0.01
_OF_INTERVAL: Final = 0.975  # the quantile that the lines' own intervals end at


@dataclass(frozen=True, slots=True)
class Worse:
    """A line that is worse than it was, and by how much at least."""

    line: Line
    before: Line
    at_least: float

    def as_json(self) -> dict[str, Any]:
        """The regression as the finding keeps it."""
        return {
            "line": self.line.key,
            "value": self.line.value,
            "before": self.before.value,
            "at_least": self.at_least,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside the accepted one.

    ``over`` are lines over their limit that were not accepted as such. ``unmeasured`` are keys of
    accepted lines that this run has not; ``new`` those that it alone has.
    """

    worse: tuple[Worse, ...]
    over: tuple[Line, ...]
    unmeasured: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing got worse, is over a limit, or was left unmeasured."""
        return not (self.worse or self.over or self.unmeasured)


def least_rise(now: Line, before: Line, n_comparisons: int) -> float:
    """The lower end of the interval of ``now.value - before.value``; above 0 it is no chance."""
    quantile = 1 - FALSE_ALARM / max(n_comparisons, 1)
    wider = float(ndtri(quantile) / ndtri(_OF_INTERVAL))
    down, up = now.value - now.ci[0], before.ci[1] - before.value
    return now.value - before.value - max(wider, 1.0) * math.hypot(down, up)


def compare(
    now: Sequence[Line], before: Sequence[Line], *, retired: frozenset[str] = frozenset()
) -> Comparison:
    """``now`` beside the accepted lines ``before``; none of those: only the limits are held.

    Args:
        now: The lines of this run.
        before: Those that were accepted, of the attacks that this run was asked for.
        retired: Names of targets that nobody uses any more: their lines alone are not missed.
    """
    known, found = {line.key: line for line in before}, {line.key: line for line in now}
    both = [key for key in found if key in known]
    rises = {key: least_rise(found[key], known[key], len(both)) for key in both}
    worse = tuple(Worse(found[key], known[key], rise) for key, rise in rises.items() if rise > 0)
    return Comparison(
        worse=worse,
        over=tuple(line for line in now if _is_over(line, known.get(line.key))),
        unmeasured=tuple(
            key for key, line in known.items() if key not in found and line.name not in retired
        ),
        new=tuple(key for key in found if key not in known) if before else (),
    )


def _is_over(line: Line, accepted: Line | None) -> bool:
    if line.verdict is not LineVerdict.OVER_LIMIT:
        return False
    return accepted is None or accepted.verdict is not LineVerdict.OVER_LIMIT
