"""F1 and recall on cases worked out by hand; the interval of a ratio."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.inversion import score
from cipherset.evidence.attack.inversion.score import Said, ratio_interval, score_tokens
from cipherset.evidence.attack.inversion.tokens import RareWords

RARE = RareWords(["the knee hurts and the hip hurts"] * 300)


def said(words):
    return Said(words, words)


def test_known_answer():
    truth = ["the knee of Carla hurts", "hip 42"]
    recovered = [("the", "knee", "maya"), ("42", "knee")]
    got = score_tokens(said(recovered), truth, rare=RARE, seed=0)
    # Row 1: 2 hits of 3 and 5; content 1 of 2 and 3. Row 2: 1 hit of 2 and 2, all content.
    assert got.token_f1.value == pytest.approx((2 * 2 / 8 + 2 / 4) / 2)
    assert got.content_f1.value == pytest.approx((2 * 1 / 5 + 2 / 4) / 2)
    # carla and 42 are entities; one was found.
    assert got.entity_recall.value == pytest.approx(0.5)
    assert (got.n, got.n_entities) == (2, 2)


def test_order_and_repeats_do_not_count():
    a = score_tokens(said([("knee", "hip")]), ["hip knee hip"], rare=RARE, seed=0)
    assert a.token_f1.value == 1.0


def test_texts_without_entities_have_no_recall():
    got = score_tokens(said([("the",)]), ["the knee hurts"], rare=RARE, seed=0)
    assert got.entity_recall is None
    assert got.n_entities == 0


def test_nothing_said_and_nothing_there_is_right():
    got = score_tokens(said([()]), ["..."], rare=RARE, seed=0)
    assert got.token_f1.value == 1.0


def test_all_right_and_all_wrong():
    truth = ["knee hip 7"] * 5
    right = score_tokens(said([("7", "hip", "knee")] * 5), truth, rare=RARE, seed=0)
    assert (right.token_f1.low, right.token_f1.value, right.token_f1.high) == (1.0, 1.0, 1.0)
    wrong = score_tokens(said([("x",)] * 5), truth, rare=RARE, seed=0)
    assert (wrong.token_f1.high, wrong.entity_recall.high) == (0.0, 0.0)


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=10)
def test_interval_of_a_mean_is_near_the_normal_one(seed):
    rng = np.random.default_rng(seed)
    parts, wholes = rng.random(400), np.ones(400)
    got = ratio_interval(parts, wholes, seed=seed)
    half = 1.96 * parts.std() / 20
    assert got.value == pytest.approx(parts.mean())
    assert got.high - got.low == pytest.approx(2 * half, rel=0.15)


def test_interval_in_small_blocks_is_as_wide(monkeypatch):
    rng = np.random.default_rng(0)
    parts, wholes = rng.random(50), rng.integers(0, 3, 50).astype(float)
    whole = ratio_interval(parts, wholes, seed=1)
    monkeypatch.setattr(score, "_BLOCK_ENTRIES", 1_000)
    some = ratio_interval(parts, wholes, seed=1)
    assert some.value == whole.value
    assert some.high - some.low == pytest.approx(whole.high - whole.low, rel=0.15)


def test_draws_without_a_whole_are_left_out():
    got = ratio_interval(np.array([1.0, 0.0]), np.array([1.0, 0.0]), seed=0)
    assert (got.low, got.value, got.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("recovered", "truth", "family", "code"),
    [
        ([("a",)], ["a", "b"], DimensionError, "dimension"),
        ([], [], InputError, "no_rows"),
    ],
)
def test_refusals(recovered, truth, family, code):
    with pytest.raises(family) as refused:
        score_tokens(said(recovered), truth, rare=RARE, seed=0)
    assert refused.value.code == code
