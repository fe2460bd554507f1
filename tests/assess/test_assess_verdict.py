"""What figures come to: which verdict, and in which order the rules apply."""

import pytest

from cipherset.app.assess.finding import cap
from cipherset.app.assess.lines import Line, harmonic
from cipherset.app.assess.verdict import Control, Verdict, judge
from cipherset.evidence.attack import Knowledge, Metric, Outcome


def _line(low, high, *, knowledge=Knowledge.STOLEN_KEY):
    outcome = Outcome(
        attack="an attack",
        knowledge=knowledge,
        metric=Metric.REID_RANK1_IN_CLASS,
        value=(low + high) / 2,
        ci=(low, high),
        chance=0.0,
        unprotected=1.0,
        n=1000,
        seed=0,
        seconds=0.0,
        given="everything",
    )
    return Line(outcome, ((low + high) / 2, low, high))


GOOD = Control("planted", 1.0, (0.9, 1.0))
BAD = Control("planted", 0.2, (0.9, 1.0))


@pytest.mark.parametrize(
    ("lines", "controls", "expected"),
    [
        ([_line(0.0, 0.04)], [GOOD], Verdict.WITHIN_LIMIT),
        ([_line(0.0, 0.04), _line(0.06, 0.1)], [GOOD], Verdict.NOT_PROTECTIVE),
        ([_line(0.04, 0.06)], [GOOD], Verdict.INCONCLUSIVE),
        ([_line(0.0, 0.04)], [GOOD, BAD], Verdict.INCONCLUSIVE),
        ([_line(0.5, 0.6)], [BAD], Verdict.INCONCLUSIVE),
        ([], [GOOD], Verdict.INCONCLUSIVE),
    ],
)
def test_verdict(lines, controls, expected):
    judged = judge(lines, controls, 0.05)
    assert judged.verdict is expected
    assert judged.reasons


def test_a_missed_plant_is_named():
    reason = judge([_line(0.0, 0.01)], [BAD], 0.05).reasons[0]
    assert "planted" in reason
    assert "0.200" in reason


def test_cap_is_a_quarter_and_nothing_where_no_pair_is_needed():
    assert cap(100, Verdict.WITHIN_LIMIT) == 25
    assert cap(None, Verdict.WITHIN_LIMIT) is None
    assert cap(100, Verdict.NOT_PROTECTIVE) == 0
    assert cap(None, Verdict.INCONCLUSIVE) == 0


def test_harmonic_numbers():
    import numpy as np

    slow = [sum(1 / rank for rank in range(1, n + 1)) for n in (1, 4, 2)]
    np.testing.assert_allclose(harmonic(np.array([1, 4, 2])), slow)
