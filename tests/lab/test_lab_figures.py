"""The noise is of the law it says; no row moves a figure further than is said."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import f1_score

from cipherset.app.serving.lab.figures import (
    DEVIATIONS,
    LEAST_PER_CLASS,
    Figure,
    privacy,
    score_classes,
    score_numbers,
)
from cipherset.app.serving.lab.noise import discrete_gaussian, epsilon_of, zcdp


def seeded(seed):
    rng = np.random.default_rng(seed)
    return lambda n: int(rng.integers(n))


def test_the_discrete_gaussian_has_its_law():
    """Against the probabilities summed the slow way, in total variation."""
    sigma, n, below = 3, 20_000, seeded(1)
    drawn = np.array([discrete_gaussian(sigma, below) for _ in range(n)])
    support = np.arange(-20, 21)
    weights = np.exp(-(support**2) / (2 * sigma**2))
    expected = weights / weights.sum()
    seen = np.array([np.mean(drawn == x) for x in support])
    assert abs(seen - expected).sum() / 2 < 0.02
    assert abs(drawn.mean()) < 5 * sigma / math.sqrt(n)


def test_the_guarantee_is_that_of_the_paper():
    assert zcdp(1, 10) == pytest.approx(0.005)
    assert epsilon_of(0.5, 1e-6) == pytest.approx(0.5 + 2 * math.sqrt(0.5 * math.log(1e6)))
    # 50 evaluations of two figures each
    assert round(privacy(50)[0], 1) == 5.8
    # All of it on one bit of one row: two Gaussians that are sqrt(2 * rho) apart.
    assert round(norm.cdf(math.sqrt(2 * 0.5) / 2), 2) == 0.69
    assert privacy(50) == (pytest.approx(epsilon_of(0.5, 1e-6)), 1e-6)


LABELS = np.repeat([0, 1, 2], [30, 25, 22])


@settings(max_examples=60)
@given(
    st.lists(st.integers(-1, 2), min_size=len(LABELS), max_size=len(LABELS)),
    st.integers(0, len(LABELS) - 1),
    st.integers(-1, 2),
)
def test_no_row_moves_a_figure_further_than_is_said(answers, row, other):
    first = np.array(answers)
    second = first.copy()
    second[row] = other
    a, b = score_classes(first, LABELS).figures, score_classes(second, LABELS).figures
    for name in ("accuracy", "macro_f1"):
        assert a[name].sensitivity == b[name].sensitivity
        assert abs(a[name].value - b[name].value) <= a[name].sensitivity + 1e-12


def test_the_bound_for_f1_is_nearly_reached():
    """Class 2 is never answered but by one row: it loses nearly 2 / rows there, 1 / rows here."""
    truth = np.repeat([0, 1], [20, 20])
    right = np.where(np.arange(40) == 0, 0, 1)
    wrong = np.ones(40, dtype=int)
    a = score_classes(right, truth).figures["macro_f1"]
    b = score_classes(wrong, truth).figures["macro_f1"]
    assert a.sensitivity / 3 < abs(a.value - b.value) <= a.sensitivity


def test_macro_f1_is_the_known_one():
    rng = np.random.default_rng(3)
    answers = rng.integers(3, size=len(LABELS))
    found = score_classes(answers, LABELS).figures["macro_f1"]
    assert found.value == pytest.approx(f1_score(LABELS, answers, average="macro"))


def test_of_a_small_class_nothing_is_told():
    truth = np.append(LABELS, [3] * (LEAST_PER_CLASS - 1))
    answers = truth.copy()
    spoiled = np.where(truth == 3, -1, truth)
    both = [score_classes(told, truth).figures["macro_f1"].value for told in (answers, spoiled)]
    assert both[0] == both[1]
    few = score_classes(truth[:40], truth[:40])
    assert few.figures["macro_f1"] is None
    assert few.told(seeded(0))["macro_f1"] is None


def test_an_unknown_label_is_not_what_no_answer_hits():
    truth = np.append(LABELS, [-2] * 10)
    answers = np.append(LABELS, [-1] * 10)
    assert score_classes(answers, truth).figures["accuracy"].value == pytest.approx(77 / 87)


@settings(max_examples=60)
@given(
    st.integers(0, 29),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_no_number_moves_a_figure_further_than_is_said(row, first, second):
    truth = np.linspace(0, 1, 30)
    answers = np.full(30, 0.4)
    told = []
    for value in (first, second):
        answers[row] = value
        told.append(score_numbers(answers, truth, 1.0).figures)
    for name in ("r2", "mae"):
        assert abs(told[0][name].value - told[1][name].value) <= told[0][name].sensitivity + 1e-9


def test_numbers_that_are_all_the_same_tell_nothing():
    assert score_numbers(np.zeros(30), np.zeros(30), 0.0).figures == {"r2": None, "mae": None}
    assert score_numbers(np.zeros(30), np.zeros(30), 2.0).figures["r2"] is None


def test_what_is_told_is_near_and_rounded_to_what_the_noise_leaves():
    figure = Figure(0.9, 1 / 2000, 0.0, 1.0)
    told = np.array([figure.told(seeded(seed)) for seed in range(300)])
    assert abs(told.mean() - 0.9) < 5 * figure.deviation / math.sqrt(300)
    assert told.std() == pytest.approx(figure.deviation, rel=0.2)
    assert all(round(value, 3) == value for value in told)
    assert figure.deviation >= DEVIATIONS / 2000
