"""Scores, counts and moments: right where there is much to spend, and no more told than is."""

import math

import numpy as np
import pytest
from private_samples import rows, seeded_words

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee
from cipherset.pipeline.private import (
    Share,
    drawn,
    private_counts,
    private_moments,
    private_scores,
    scores_within,
)
from cipherset.pipeline.private.regression import (
    CLIP,
    CONSTANT,
    LEAST_STEPS,
    MOMENTUM,
    MOST_STEPS,
    RATE,
    _clipped,
    _softmax,
    steps_for,
)
from cipherset.pipeline.private.sums import STEP
from cipherset.pipeline.private.synthesis import threshold

PLENTY = 1e9  # of rho: next to no noise


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_scores_tell_the_classes(n_classes):
    x, y = rows(n_classes, n=3000, spread=0.4)
    kept = Guarantee(8.0, 1e-6)
    found = private_scores(x, y, n_classes=n_classes, guarantee=kept, words=seeded_words(0))
    assert found.matrix.shape == (12, n_classes)
    told = (x @ found.matrix + found.offset).argmax(axis=1)
    assert (told == y).mean() > 0.9


def test_less_epsilon_more_noise():
    x, y = rows(3, n=400)
    spread = []
    for epsilon in (0.1, 1.0, 10.0):
        kept = Guarantee(epsilon, 1e-6)
        found = [
            private_scores(x, y, n_classes=3, guarantee=kept, words=seeded_words(s)).matrix
            for s in range(3)
        ]
        spread.append(np.std(found, axis=0).mean())
    assert spread[0] > 2 * spread[1] > 4 * spread[2]


def slow_scores(x, y, n_classes, steps):
    """Plain gradient descent with clipped rows, row by row."""
    weights = np.zeros((x.shape[1] + 1, n_classes))
    speed, late = np.zeros_like(weights), []
    for step in range(steps):
        total = np.zeros_like(weights)
        for row, label in zip(x, y, strict=True):
            inputs = np.append(row, CONSTANT)
            wrong = _softmax((inputs @ weights)[None])[0] - np.eye(n_classes)[label]
            wrong *= min(1.0, CLIP / np.linalg.norm(wrong))
            total += np.outer(inputs, wrong)
        speed = MOMENTUM * speed + total / len(x)
        weights = weights - RATE * speed
        if step >= steps / 2:
            late.append(weights)
    mean = np.mean(late, axis=0)
    return mean[:-1], CONSTANT * mean[-1]


def test_without_noise_it_is_gradient_descent_with_clipped_rows():
    x, y = rows(3, n=40, dim=4)
    found = scores_within(x, y, Share(3, len(x), PLENTY), words=seeded_words(1))
    matrix, offset = slow_scores(x.astype(np.float64), y, 3, MOST_STEPS)
    scale = np.abs(matrix).max()
    assert np.abs(found.matrix - matrix).max() < 0.03 * scale
    assert np.abs(found.offset - offset).max() < 0.03 * scale


def test_no_part_in_a_gradient_is_longer_than_the_clip():
    wrong = np.random.default_rng(2).normal(size=(100, 5)) * np.logspace(-4, 3, 100)[:, None]
    steps = _clipped(wrong)
    assert (np.linalg.norm(steps.values, axis=1) <= steps.longest).all()
    assert steps.longest * STEP <= CLIP


def test_the_number_of_steps_depends_on_the_budget_alone():
    assert [steps_for(rho) for rho in (1e-9, 1.0, 1e9)] == [LEAST_STEPS, 150, MOST_STEPS]


def test_what_cannot_be_told_apart_is_refused():
    x, y = rows(1)
    with pytest.raises(InputError) as caught:
        private_scores(x, y, n_classes=1, guarantee=Guarantee(1.0, 1e-6))
    assert caught.value.code == "one_class"


def test_counts_are_right_but_for_noise():
    y = np.repeat([0, 1, 2], [500, 300, 1])
    found = private_counts(y, n_classes=4, rho=0.1, delta=1e-7, words=seeded_words(3))
    assert found.kept.tolist() == [0, 1]
    assert np.abs(found.rows - [500, 300]).max() < 20


def test_a_class_of_one_row_is_told_of_as_rarely_as_was_said():
    """At a large delta, so that it can be counted; and one of no row is never told of."""
    delta, rho, told = 0.05, 0.5, 0
    for seed in range(800):
        y = np.repeat([0, 1, 2], [200, 200, 1])
        found = private_counts(y, n_classes=4, rho=rho, delta=delta, words=seeded_words(seed))
        told += 2 in found.kept
        assert 3 not in found.kept
    assert told / 800 < delta
    assert threshold(math.sqrt(2 / (2 * rho)), delta) > 2


def test_too_few_rows_for_two_classes_are_refused():
    with pytest.raises(InputError) as caught:
        private_counts(np.arange(20) % 2, n_classes=2, rho=0.01, delta=1e-7)
    assert caught.value.code == "private_classes"


def test_moments_are_those_of_the_rows():
    x, y = rows(3, n=5000, dim=4, spread=0.3)
    counts = np.bincount(y)
    found = private_moments(x, y, rows=counts, rho=PLENTY, words=seeded_words(4))
    means = np.stack([x[y == code].mean(axis=0) for code in range(3)])
    apart = x - means[y]
    assert np.abs(found.means - means).max() < 1e-3
    assert np.abs(found.spread - apart.T @ apart / len(x)).max() < 1e-3


def test_a_spread_that_is_all_noise_is_taken_for_none():
    x, y = rows(2, n=60, dim=6)
    found = private_moments(x, y, rows=np.bincount(y), rho=1e-3, words=seeded_words(5))
    values = np.linalg.eigvalsh(found.spread)
    assert values.min() > -1e-9
    assert np.linalg.norm(found.means, axis=1).max() <= 1 + 1e-9


def test_drawn_rows_are_of_norm_1_and_follow_the_moments():
    x, y = rows(3, n=5000, dim=4, spread=0.2)
    found = private_moments(x, y, rows=np.bincount(y), rho=PLENTY, words=seeded_words(6))
    z, codes = drawn(found, 6000, np.random.default_rng(7))
    assert z.dtype == np.float32
    assert np.abs(np.linalg.norm(z, axis=1) - 1).max() < 1e-6
    assert np.abs(np.bincount(codes) / 6000 - np.bincount(y) / 5000).max() < 0.03
    for code in range(3):
        assert np.abs(z[codes == code].mean(axis=0) - x[y == code].mean(axis=0)).max() < 0.05
