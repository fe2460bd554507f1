"""The verdict on a file made elsewhere: a break stands, finding nothing has to be earned."""

import pytest

from cipherset.app.assess.foreign.judgment import in_words, judged, with_pairs
from cipherset.app.assess.lines import Line
from cipherset.app.assess.verdict import Control
from cipherset.custody.policy import Verdict
from cipherset.evidence.attack import Knowledge, Metric, Outcome

HOLDS = Control("a control", 1.0, (0.9, 1.0))
FAILS = Control("a control", 0.1, (0.9, 1.0))
OWN = {"axes": 0.1, "order": 0.2}


def line(excess: tuple[float, float, float], knowledge: Knowledge = Knowledge.PUBLIC_TEXT) -> Line:
    outcome = Outcome(
        attack="order",
        knowledge=knowledge,
        metric=Metric.REID_RANK1_IN_CLASS,
        value=excess[0],
        ci=excess[1:],
        chance=0.0,
        unprotected=1.0,
        n=100,
        seed=0,
        seconds=0.0,
        given="",
    )
    return Line(outcome, excess)


BROKEN = line((0.5, 0.4, 0.6))
NOT_FOUND = line((0.0, 0.0, 0.01))
PAIRS = line((0.9, 0.8, 1.0), Knowledge.KNOWN_PAIRS)


@pytest.mark.parametrize(
    ("lines", "suite", "planted", "verdict"),
    [
        ([BROKEN, NOT_FOUND], HOLDS, HOLDS, Verdict.NOT_PROTECTIVE),
        ([BROKEN], HOLDS, FAILS, Verdict.NOT_PROTECTIVE),  # it speaks of the public text
        ([BROKEN], FAILS, HOLDS, Verdict.INCONCLUSIVE),
        ([NOT_FOUND], HOLDS, HOLDS, Verdict.WITHIN_LIMIT),
        ([NOT_FOUND], HOLDS, FAILS, Verdict.INCONCLUSIVE),
        ([NOT_FOUND, PAIRS], HOLDS, HOLDS, Verdict.WITHIN_LIMIT),
        ([line((0.04, 0.0, 0.1))], HOLDS, HOLDS, Verdict.INCONCLUSIVE),
        ([], HOLDS, HOLDS, Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict(lines, suite, planted, verdict):
    assert judged(lines, (HOLDS, suite, planted), OWN, 0.05).verdict is verdict


def test_pairs_are_told_where_nothing_else_was_found():
    within = judged([NOT_FOUND], (HOLDS, HOLDS), OWN, 0.05)
    assert "1,000 of them" in with_pairs(within, 1000).reasons[-1]
    assert with_pairs(within, None) == within
    broken = judged([BROKEN], (HOLDS, HOLDS), OWN, 0.05)
    assert with_pairs(broken, 5) == broken


def test_a_high_objective_is_a_warning_and_a_low_one_no_assurance():
    assert "0.20" in in_words(OWN)
    assert "no assurance" in in_words(OWN)
    assert "a warning" in in_words({"order": 0.97})
