"""Intervals against slow, obviously right computations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack import (
    Interval,
    clopper_pearson,
    excess_over,
    paired_bootstrap,
    rows_to_decide,
)


def tail(n, k, p, *, upper):
    terms = range(k, n + 1) if upper else range(k + 1)
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in terms)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 20), (1, 20), (7, 20), (19, 20), (20, 20)])
def test_clopper_pearson_leaves_two_and_a_half_percent_on_each_side(k, n):
    low, high = clopper_pearson(k, n)
    if k > 0:
        assert tail(n, k, low, upper=True) == pytest.approx(0.025)
    else:
        assert low == 0.0
    if k < n:
        assert tail(n, k, high, upper=False) == pytest.approx(0.025)
    else:
        assert high == 1.0


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
@settings(deadline=None)
def test_clopper_pearson_contains_the_rate_and_grows(n, share, confidence):
    low, high = clopper_pearson(share * n, n, confidence)
    assert 0.0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1.0
    wider = clopper_pearson(share * n, n, (1 + confidence) / 2)
    assert wider[0] <= low
    assert high <= wider[1]


def test_fractional_successes_lie_between_whole_ones():
    ends = [clopper_pearson(x, 50) for x in (3, 3.5, 4)]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("successes", "n", "confidence", "code"),
    [
        (-1, 5, 0.95, "successes"),
        (6, 5, 0.95, "successes"),
        (float("nan"), 5, 0.95, "successes"),
        (0, 0, 0.95, "successes"),
        (1, 5, 0.0, "confidence"),
        (1, 5, 1.0, "confidence"),
    ],
)
def test_clopper_pearson_refuses(successes, n, confidence, code):
    with pytest.raises(InputError) as refusal:
        clopper_pearson(successes, n, confidence)
    assert refusal.value.code == code


def test_paired_bootstrap_is_the_slow_bootstrap():
    rng = np.random.default_rng(0)
    a, b = rng.random(300) < 0.8, rng.random(300) < 0.7
    found = paired_bootstrap(a, b, seed=1)
    means = []
    for _ in range(4000):
        rows = rng.integers(300, size=300)
        means.append(a[rows].mean() - b[rows].mean())
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert found.low == pytest.approx(low, abs=0.006)
    assert found.high == pytest.approx(high, abs=0.006)
    assert found == paired_bootstrap(a, b, seed=1)


def test_paired_bootstrap_of_numbers_is_the_slow_one():
    rng = np.random.default_rng(2)
    a = rng.normal(size=200)
    b = a + rng.normal(0.1, 0.5, size=200)
    found = paired_bootstrap(a.astype(np.float32), b.astype(np.float32), seed=1)
    means = [(a - b)[rng.integers(200, size=200)].mean() for _ in range(4000)]
    assert found.value == pytest.approx((a - b).mean(), abs=1e-6)
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.008)


def test_paired_bootstrap_covers_the_truth():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(100):
        a, b = rng.random(200) < 0.75, rng.random(200) < 0.75
        covered += paired_bootstrap(a, b, seed=seed).includes_zero
    assert stats.binomtest(covered, 100, 0.95).pvalue > 1e-3


def test_two_equal_models_differ_by_nothing():
    a = np.array([True, False, True])
    assert paired_bootstrap(a, a, seed=0) == Interval(0.0, 0.0, 0.0)
    assert paired_bootstrap(a, ~a, seed=0).value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("a", "b", "error", "code"),
    [
        (np.ones(3, bool), np.ones(4, bool), DimensionError, "dimension"),
        (np.ones((2, 2), bool), np.ones((2, 2), bool), DimensionError, "dimension"),
        (np.ones(0, bool), np.ones(0, bool), InputError, "no_rows"),
        (np.full(2, np.nan), np.ones(2), InputError, "not_finite"),
        (np.ones(2), np.full(2, np.inf), InputError, "not_finite"),
    ],
)
def test_paired_bootstrap_refuses(a, b, error, code):
    with pytest.raises(error) as refusal:
        paired_bootstrap(a, b, seed=0)
    assert refusal.value.code == code


@pytest.mark.parametrize("limit", [0.5, 0.05, 0.01])
@pytest.mark.parametrize("n_groups", [0, 1, 2, 77])
def test_rows_to_decide_is_the_least(limit, n_groups):
    def upper(n):
        return excess_over(clopper_pearson(n_groups, n)[1], n_groups / n)

    n = rows_to_decide(limit, n_groups=n_groups)
    assert upper(n) < limit
    if n > n_groups + 1:
        assert upper(n - 1) >= limit


def test_rows_to_decide_without_success_by_hand():
    """(1 - limit) ** n < 0.025."""
    assert rows_to_decide(0.05) == math.ceil(math.log(0.025) / math.log(0.95)) == 72


@pytest.mark.parametrize("limit", [0.0, 1.0, -0.1, float("nan"), 1e-15])
def test_rows_to_decide_refuses(limit):
    with pytest.raises(InputError) as refusal:
        rows_to_decide(limit)
    assert refusal.value.code == "limit"
