"""The sampler against its law, and sums against whole numbers added up one by one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from private_samples import rows, seeded_words
from scipy import stats

from cipherset.core.errors import InputError
from cipherset.pipeline.private.discrete import _uniform, discrete_gaussians
from cipherset.pipeline.private.sums import LONGEST, STEP, Steps, in_steps, noisy_products


@pytest.mark.parametrize("sigma", [1.0, 1.3, 2.0, 3.7, 9.9])
def test_each_number_is_as_likely_as_the_law_says(sigma):
    n = 60_000
    drawn = discrete_gaussians(sigma, n, seeded_words(int(10 * sigma)))
    x = np.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1)
    far = np.arange(-math.ceil(40 * sigma), math.ceil(40 * sigma) + 1)
    law = np.exp(-(x**2) / (2 * sigma**2)) / np.exp(-(far**2) / (2 * sigma**2)).sum()
    seen = np.array([(drawn == each).sum() for each in x])
    rest = n - seen.sum(), n * (1 - law.sum())
    found = stats.chisquare([*seen, rest[0]], [*(n * law), rest[1]])
    assert found.pvalue > 1e-3


def test_a_wide_one_is_as_a_normal_variable():
    sigma = 2.0**30
    drawn = discrete_gaussians(sigma, 40_000, seeded_words(1)) / sigma
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    assert np.unique(drawn * sigma % 1).tolist() == [0.0]


def test_low_digits_tell_nothing():
    """What Box and Muller leave in the low bits of floats: gaps. Here every remainder occurs."""
    drawn = discrete_gaussians(1000.0, 40_000, seeded_words(2))
    counts = np.bincount(drawn % 8, minlength=8)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_uniform_number_is_fine_near_0_and_never_0():
    most, none = np.array([2**64 - 1], np.uint64), np.array([0], np.uint64)
    assert _uniform(none, none)[0] == 2.0**-129
    assert _uniform(none, none + np.uint64(1))[0] == 1.5 * 2.0**-128
    assert _uniform(most, most)[0] <= 1


def test_as_many_as_were_asked_for():
    assert len(discrete_gaussians(5.0, 0)) == 0
    assert len(discrete_gaussians(5.0, 1)) == 1


@pytest.mark.parametrize("sigma", [0.5, 2.0**45, math.nan])
def test_a_width_out_of_range_is_refused(sigma):
    with pytest.raises(InputError) as caught:
        discrete_gaussians(sigma, 1)
    assert caught.value.code == "private_width"


def test_a_sum_is_exact_in_any_order():
    x, y = rows(3, n=200)
    left, right = in_steps(np.eye(3)[y], longest=1.0), in_steps(x)
    slow = [[0] * x.shape[1] for _ in range(3)]
    for a, b in zip(left.values.tolist(), right.values.tolist(), strict=True):
        for i, p in enumerate(a):
            for j, q in enumerate(b):
                slow[i][j] += int(p) * int(q)
    order = np.random.default_rng(3).permutation(len(x))
    for some in (slice(None), order):
        parts = (Steps(s.values[some], s.most_squared) for s in (left, right))
        told = noisy_products(*parts, sigma=1.0, words=seeded_words(4)) / STEP**2
        noise = discrete_gaussians(1.0, told.size, seeded_words(4)).reshape(told.shape)
        assert (told - noise).tolist() == slow


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1.0))
@settings(max_examples=40)
def test_truncation_lengthens_nothing(seed, length):
    x = np.random.default_rng(seed).normal(size=(5, 7))
    x *= length / np.linalg.norm(x, axis=1, keepdims=True)
    steps = in_steps(x)
    assert (np.abs(steps.values * STEP) <= np.abs(x)).all()
    assert (np.linalg.norm(steps.values, axis=1) <= steps.longest).all()


def test_a_row_replaced_moves_a_sum_by_no_more_than_the_sensitivity():
    x, y = rows(3, n=50, seed=5)
    other = x.copy()
    other[7] = -x[7]  # as far as it can be
    told = [
        noisy_products(
            in_steps(np.eye(3)[y], longest=1.0), in_steps(some), sigma=3.0, words=seeded_words(6)
        )
        for some in (x, other)
    ]
    moved = np.linalg.norm(told[0] - told[1])
    assert 1.99 < moved <= 2 * LONGEST


@pytest.mark.parametrize("bad", [1.001, 100.0, math.nan, math.inf])
def test_a_long_row_is_refused(bad):
    with pytest.raises(InputError) as caught:
        in_steps(np.array([[0.5, 0.0], [0.0, bad]]))
    assert caught.value.code == "norm"
    assert "row 1 " in caught.value.message


def test_so_many_rows_that_floats_would_round_are_refused():
    long = Steps(np.zeros((2, 1)), 2**60)
    with pytest.raises(InputError) as caught:
        noisy_products(long, long, sigma=1.0, words=seeded_words(7))
    assert caught.value.code == "private_rows"
