"""The figure that is proved: known values, simulation, laws, and the table by loops."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import NoiseLaw
from cipherset.evidence.attack import clopper_pearson
from cipherset.evidence.attack.inversion import closed_form
from cipherset.evidence.attack.inversion.closed_form import (
    ball_delta,
    delta_table,
    gaussian_delta,
    noise_delta,
)


@pytest.mark.parametrize(
    ("dim", "distance", "factor", "delta"),
    [
        (384, 0.2, 4, 0.951),
        (384, 0.2, 8, 0.673),
        (384, 0.1, 2, 0.951),
        (384, 0.4, 64, 0.194),
        (6, 0.3, 6, 0.202),
        (6, 1.0, 6, 0.619),
    ],
)
def test_known_values(dim, distance, factor, delta):
    assert ball_delta(distance, radius=factor / 4, dim=dim) == pytest.approx(delta, abs=5e-4)


@pytest.mark.parametrize(("dim", "distance", "radius"), [(6, 0.3, 1.5), (384, 0.2, 1), (2, 1, 1)])
def test_simulation(dim, distance, radius):
    """The share of one ball outside the other: there, and only there, the guess is certain."""
    rng = np.random.default_rng(0)
    n = 20_000
    noise = rng.normal(size=(n, dim))
    noise *= radius * rng.random((n, 1)) ** (1 / dim) / np.linalg.norm(noise, axis=1, keepdims=True)
    noise[:, 0] += distance
    outside = int((np.linalg.norm(noise, axis=1) > radius).sum())
    low, high = clopper_pearson(outside, n, 0.999)
    assert low <= ball_delta(distance, radius=radius, dim=dim) <= high


@pytest.mark.parametrize(("dim", "distance", "radius"), [(1, 0.5, 1.0), (3, 0.7, 1.0), (9, 1, 2)])
def test_integral(dim, distance, radius):
    """The overlap by adding up slices of two caps, a second way."""
    slices, _ = integrate.quad(
        lambda h: (radius**2 - h**2) ** ((dim - 1) / 2), distance / 2, radius
    )
    whole, _ = integrate.quad(lambda h: (radius**2 - h**2) ** ((dim - 1) / 2), -radius, radius)
    slow = 1.0 - 2.0 * slices / whole
    assert ball_delta(distance, radius=radius, dim=dim) == pytest.approx(slow, abs=1e-6)


def test_certain_from_twice_the_radius_on():
    assert ball_delta([2.0, 2.5], radius=1.0, dim=6).tolist() == [1.0, 1.0]
    assert ball_delta(1.999, radius=1.0, dim=6) < 1.0
    assert ball_delta(0.0, radius=1.0, dim=6) == 0.0
    assert ball_delta([0.0, 1e-9], radius=0.0, dim=6).tolist() == [0.0, 1.0]


@given(st.integers(1, 500), st.floats(0, 3), st.floats(0, 3), st.floats(0.1, 20))
def test_farther_tells_more_and_fewer_dimensions_less(dim, a, b, radius):
    near, far = ball_delta(sorted([a, b]), radius=radius, dim=dim)
    assert 0.0 <= near <= far <= 1.0
    assert ball_delta(a, radius=radius, dim=dim) <= ball_delta(a, radius=radius, dim=dim + 1)
    assert ball_delta(a, radius=2 * radius, dim=dim) <= ball_delta(a, radius=radius, dim=dim)


def test_small_values_keep_their_digits():
    tiny = ball_delta(1e-12, radius=1.0, dim=2)
    assert tiny == pytest.approx(2 * 1e-12 / np.pi, rel=1e-6)


@given(st.floats(0, 5), st.floats(0.01, 10))
def test_gaussian_is_the_total_variation(distance, sigma):
    slow = 2.0 * stats.norm.cdf(distance / (2 * sigma)) - 1.0
    assert gaussian_delta(distance, sigma=sigma) == pytest.approx(slow, abs=1e-12)


def test_gaussian_simulation():
    """The best rule names the nearer record."""
    rng = np.random.default_rng(0)
    right = int((rng.normal(size=40_000) < 0.6 / 2 / 0.5).sum())
    low, high = clopper_pearson(right, 40_000, 0.999)
    assert low <= (1 + gaussian_delta(0.6, sigma=0.5)) / 2 <= high


def test_each_law_has_its_own():
    assert noise_delta(0.3, NoiseLaw.ball(1.5), dim=6) == ball_delta(0.3, radius=1.5, dim=6)
    assert noise_delta(0.3, NoiseLaw.gaussian(1.5), dim=6) == gaussian_delta(0.3, sigma=1.5)


def slow_worst(x, labels, *, within):
    return max(
        np.linalg.norm(x[i] - x[j])
        for i, j in itertools.combinations(range(len(x)), 2)
        if not within or labels[i] == labels[j]
    )


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(deadline=None, max_examples=20)
def test_the_worst_pair_is_the_slow_one(seed, dim):
    rng = np.random.default_rng(seed)
    x, labels = rng.normal(size=(30, dim)), rng.integers(4, size=30)
    table = delta_table(x, labels, noise=NoiseLaw.ball(3.0), seed=0)
    worst = {row.among: row for row in table.rows if row.quantile == 1.0}
    assert table.worst_exact
    for among in ("within the class", "all"):
        slow = slow_worst(x, labels, within=among != "all")
        assert worst[among].distance == pytest.approx(slow, rel=1e-5)
        assert worst[among].delta == pytest.approx(ball_delta(slow, radius=3.0, dim=dim), rel=1e-4)


def test_quantiles_are_those_of_all_pairs(monkeypatch):
    monkeypatch.setattr(closed_form, "_BLOCK_ENTRIES", 1_000)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(80, 3)), np.repeat([0, 1, 2, 3], 20)
    table = delta_table(x, labels, noise=NoiseLaw.gaussian(1.0), seed=0, quantiles=(0.25, 0.75))
    pairs = list(itertools.combinations(range(80), 2))
    every = [np.linalg.norm(x[i] - x[j]) for i, j in pairs]
    inside = [t for t, (i, j) in zip(every, pairs, strict=True) if labels[i] == labels[j]]
    got = [row.distance for row in table.rows if row.quantile < 1]
    slow = [*np.quantile(inside, [0.25, 0.75]), *np.quantile(every, [0.25, 0.75])]
    np.testing.assert_allclose(got, slow, rtol=0.02)
    assert [row.among for row in table.rows] == ["within the class"] * 3 + ["all"] * 3


def test_rows_that_are_all_alike_cannot_be_told_apart():
    table = delta_table(np.ones((5, 2)), np.zeros(5, int), noise=NoiseLaw.ball(1.0), seed=0)
    assert {row.delta for row in table.rows} == {0.0}


def test_classes_of_one_row_have_no_pair():
    table = delta_table(np.eye(3), np.arange(3), noise=NoiseLaw.ball(1.0), seed=0)
    assert {row.among for row in table.rows} == {"all"}


def test_too_many_rows_for_all_pairs_are_said(monkeypatch):
    monkeypatch.setattr(closed_form, "_MOST_ROWS", 50)
    x = np.random.default_rng(0).normal(size=(400, 20))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels = np.zeros(400, int)
    table = delta_table(x, labels, noise=NoiseLaw.ball(1.0), seed=0)
    assert not table.worst_exact
    slow = slow_worst(x, labels, within=False)
    assert 0.9 * slow <= table.rows[-1].distance <= slow + 1e-9


BALL = NoiseLaw.ball(1.0)


@pytest.mark.parametrize(
    ("make", "family", "code"),
    [
        (lambda: ball_delta(-1.0, radius=1.0, dim=2), InputError, "distance"),
        (lambda: ball_delta(np.nan, radius=1.0, dim=2), InputError, "distance"),
        (lambda: ball_delta(1.0, radius=-1.0, dim=2), InputError, "radius"),
        (lambda: ball_delta(1.0, radius=np.nan, dim=2), InputError, "radius"),
        (lambda: ball_delta(1.0, radius=1.0, dim=0), InputError, "dim"),
        (lambda: gaussian_delta(1.0, sigma=0.0), InputError, "sigma"),
        (lambda: gaussian_delta(-1.0, sigma=1.0), InputError, "distance"),
        (
            lambda: delta_table(np.ones((1, 2)), np.zeros(1, int), noise=BALL, seed=0),
            InputError,
            "rows_few",
        ),
        (
            lambda: delta_table(np.ones((3, 2)), np.zeros(2, int), noise=BALL, seed=0),
            DimensionError,
            "dimension",
        ),
    ],
)
def test_refusals(make, family, code):
    with pytest.raises(family) as refused:
        make()
    assert refused.value.code == code
    assert refused.value.hint
