"""What figures come to: which verdict, and in which order the rules apply."""

import pytest

from cipherset.app.assess.finding import Finding, cap
from cipherset.app.assess.lines import Line, harmonic
from cipherset.app.assess.verdict import Control, judge
from cipherset.custody.policy import Verdict
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


def _finding(lines, controls, limit=0.05):
    return Finding.model_construct(
        limit=limit,
        attacks=tuple(line.as_json() for line in lines),
        controls=tuple(control.as_json() for control in controls),
    )


def test_cap_is_a_quarter_and_nothing_where_no_pair_is_needed():
    with_pairs = [_line(0.0, 0.04, knowledge=Knowledge.PUBLIC_TEXT), _line(0.5, 0.6)]
    assert cap(_finding(with_pairs, [GOOD]), 100) == 25
    assert cap(_finding(with_pairs, [GOOD]), None) is None
    without = [_line(0.5, 0.6, knowledge=Knowledge.PUBLIC_TEXT)]
    assert cap(_finding(without, [GOOD]), 100) == 0
    assert cap(_finding(with_pairs, [BAD]), 100) == 0


def test_harmonic_numbers():
    import numpy as np

    slow = [sum(1 / rank for rank in range(1, n + 1)) for n in (1, 4, 2)]
    np.testing.assert_allclose(harmonic(np.array([1, 4, 2])), slow)
