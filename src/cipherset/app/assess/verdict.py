"""What the figures come to: within the limit, not protective, or inconclusive; and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cipherset.app.assess.lines import Line
from cipherset.custody.policy import Verdict
from cipherset.evidence.attack import Outcome


@dataclass(frozen=True, slots=True)
class Control:
    """A weakness that was planted, or the lack of one, and whether the suite saw it.

    ``expected`` is the range in which ``value`` had to lie.
    """

    name: str
    value: float
    expected: tuple[float, float]

    @property
    def holds(self) -> bool:
        """Whether the suite saw what was there."""
        return self.expected[0] <= self.value <= self.expected[1]

    def as_json(self) -> dict[str, object]:
        """The control as the command prints it."""
        return {
            "name": self.name,
            "value": self.value,
            "expected": list(self.expected),
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Judgment:
    """A verdict and its reasons, in words."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judge(lines: Sequence[Line], controls: Iterable[Control], limit: float) -> Judgment:
    """The verdict of an assessment.

    A control that fails comes first: a suite that misses a planted weakness says nothing by
    finding none. Then any attack that surely passes the limit (lower end of its interval). Within
    the limit is only what surely is (upper end of every attack).
    """
    failed = tuple(_missed(control) for control in controls if not control.holds)
    if failed:
        return Judgment(Verdict.INCONCLUSIVE, failed)
    held = [(line.outcome, line.excess) for line in lines if line.excess is not None]
    if not held:
        return Judgment(Verdict.INCONCLUSIVE, ("no attack could be run",))
    passed = tuple(_passed(one, excess, limit) for one, excess in held if excess[1] > limit)
    if passed:
        return Judgment(Verdict.NOT_PROTECTIVE, passed)
    open_ = tuple(_open(one, excess, limit) for one, excess in held if excess[2] > limit)
    if open_:
        return Judgment(Verdict.INCONCLUSIVE, open_)
    worst, (value, _, high) = max(held, key=lambda pair: pair[1][2])
    reason = (
        f"the attacks listed got at most {value:.2%} beyond the clear columns, up to {high:.2%} "
        f"({worst.attack}, {worst.knowledge}); the limit is {limit:.1%}"
    )
    return Judgment(Verdict.WITHIN_LIMIT, (reason,))


def _missed(control: Control) -> str:
    low, high = control.expected
    return (
        f"the suite did not see what was planted ({control.name}: {control.value:.3f}, expected "
        f"{low:.3f} to {high:.3f})"
    )


def _passed(one: Outcome, excess: tuple[float, float, float], limit: float) -> str:
    given = f", {one.given}" if one.given else ""
    return (
        f"{one.attack} ({one.knowledge}{given}) re-identifies {excess[0]:.1%} beyond the clear "
        f"columns; the limit is {limit:.1%}"
    )


def _open(one: Outcome, excess: tuple[float, float, float], limit: float) -> str:
    return (
        f"{one.attack} ({one.knowledge}): between {excess[1]:.1%} and {excess[2]:.1%}, so on which "
        f"side of {limit:.1%} it lies is not known on {one.n} rows"
    )
