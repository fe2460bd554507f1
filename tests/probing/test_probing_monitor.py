"""Who asks what the model is for is let alone; who probes it is slowed, refused and told of."""

from datetime import timedelta

import numpy as np
import pytest
from probing_samples import (
    DIM,
    N_CLASSES,
    NOW,
    bisections,
    label,
    random_vectors,
    rows,
    variants,
)

from cipherset.core.errors import InputError
from cipherset.guard.probing import FEWEST_ROWS, Monitor, Sign, Verdict, learn_usual
from cipherset.guard.probing.signs import BLOCK


@pytest.fixture(scope="module")
def usual():
    known = rows(1200, 0)
    return learn_usual(known, label(known), N_CLASSES, rng=np.random.default_rng(7))


def asked(monitor, x, caller="eve", now=NOW, step=16):
    """All that is observed until it is refused: the last verdict, the signs, and how many asked."""
    signs = set()
    for start in range(0, len(x), step):
        some = x[start : start + step]
        seen = monitor.observe(caller, some, label(some), now)
        signs |= set(seen.signs)
        if seen.verdict is Verdict.REFUSE:
            return seen.verdict, signs, start + step
    return seen.verdict, signs, len(x)


ATTACKS = [
    (random_vectors, {Sign.SHIFT, Sign.SPREAD}),
    (bisections, {Sign.BOUNDARY, Sign.NEAR}),
    (variants, {Sign.NEAR}),
]


@pytest.mark.parametrize(("attack", "expected"), ATTACKS)
@pytest.mark.parametrize("seed", range(3))
def test_probing_is_refused_within_three_blocks(usual, attack, expected, seed):
    verdict, signs, n = asked(Monitor(usual), attack(400, seed))
    assert verdict is Verdict.REFUSE
    assert signs & expected
    assert n <= 3 * BLOCK


@pytest.mark.parametrize("topics", [(0, 1, 2), (0, 2), (1,)])
def test_people_are_let_alone(usual, topics):
    for seed in range(5):
        verdict, signs, _ = asked(Monitor(usual), rows(640, 100 + seed, topics=topics))
        assert (verdict, signs) == (Verdict.ALLOW, set())


def test_the_same_question_over_and_over_is_let_alone(usual):
    again = np.repeat(random_vectors(3, 1), 300, axis=0)
    assert asked(Monitor(usual), again)[0] is Verdict.ALLOW


def test_one_unusual_block_slows_and_usual_ones_make_it_good(usual):
    monitor = Monitor(usual)
    assert asked(monitor, random_vectors(BLOCK, 1))[0] is Verdict.SLOW
    assert monitor.verdict("eve", NOW) is Verdict.SLOW
    assert monitor.verdict("ann", NOW) is Verdict.ALLOW
    assert asked(monitor, rows(8 * BLOCK, 2))[0] is Verdict.ALLOW


def test_who_was_refused_may_ask_slowly_after_an_hour_and_no_longer_if_it_goes_on(usual):
    monitor = Monitor(usual)
    asked(monitor, random_vectors(200, 1))
    assert monitor.verdict("eve", NOW + timedelta(minutes=59)) is Verdict.REFUSE
    later = NOW + timedelta(minutes=61)
    assert monitor.verdict("eve", later) is Verdict.SLOW
    verdict, _, n = asked(monitor, random_vectors(200, 2), now=later)
    assert verdict is Verdict.REFUSE
    assert n <= BLOCK


def test_callers_who_share_a_script_are_slowed_and_those_with_a_record_are_not(usual):
    monitor = Monitor(usual)
    asked(monitor, rows(2 * BLOCK, 5), caller="ann")
    script = random_vectors(12 * 32, 3)
    verdicts = [
        asked(monitor, script[at : at + 32], caller=f"eve-{at}")[0] for at in range(0, 384, 32)
    ]
    assert verdicts[-1] is Verdict.SLOW
    assert monitor.verdict("nobody yet", NOW) is Verdict.SLOW
    assert monitor.verdict("ann", NOW) is Verdict.ALLOW


def test_many_callers_do_not_push_out_one_with_strikes(usual):
    monitor = Monitor(usual, most_callers=10)
    asked(monitor, random_vectors(BLOCK, 1))
    for at in range(30):
        asked(monitor, rows(1, at), caller=f"other-{at}")
    assert len(monitor._callers) == 10
    assert monitor.verdict("eve", NOW) is Verdict.SLOW


def test_among_callers_with_strikes_the_oldest_goes(usual):
    monitor = Monitor(usual, most_callers=2)
    for at in range(3):
        asked(monitor, random_vectors(BLOCK, at), caller=f"eve-{at}")
    assert set(monitor._callers) == {"eve-1", "eve-2"}


def test_too_few_rows_show_nothing():
    few = rows(FEWEST_ROWS - 1, 0)
    with pytest.raises(InputError) as caught:
        learn_usual(few, label(few), N_CLASSES, rng=np.random.default_rng(0))
    assert caught.value.code == "few_rows"


def test_wide_vectors_are_kept_as_sketches():
    rng = np.random.default_rng(0)
    wide = rows(600, 0).astype(np.float64) @ np.linalg.qr(rng.normal(size=(200, DIM)))[0].T
    usual = learn_usual(wide, label(rows(600, 0)), N_CLASSES, rng=rng)
    points = usual.points(wide[:5], label(rows(600, 0))[:5])
    assert points.sketches.shape[1] < wide.shape[1]
    np.testing.assert_allclose(np.linalg.norm(points.features, axis=1), 1.0)


def test_classes_without_rows_are_no_fault():
    known = rows(600, 0, topics=(0, 1))
    usual = learn_usual(known, label(known), N_CLASSES + 5, rng=np.random.default_rng(0))
    assert usual.class_means.shape[0] == N_CLASSES + 5
    strange = np.full(BLOCK, N_CLASSES + 4)
    Monitor(usual).observe("eve", random_vectors(BLOCK, 0), strange, NOW)


def test_no_repr_shows_a_vector(usual):
    monitor = Monitor(usual)
    x = random_vectors(BLOCK, 1)
    shown = repr(monitor) + repr(usual) + repr(monitor.observe("eve", x, label(x), NOW))
    shown += repr(usual.points(x, label(x)))
    assert "array" not in shown
