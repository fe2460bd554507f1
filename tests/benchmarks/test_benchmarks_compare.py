"""What no test of membership can pass where an epsilon is kept, and what a drawn row lies near."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import trapezoid

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import compare
import private

from cipherset.core.values import Guarantee


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("delta", [0.0, 1e-6, 0.05])
def test_the_largest_area_is_that_under_the_largest_rates(epsilon, delta):
    kept = Guarantee(epsilon, delta)
    false = np.concatenate([np.linspace(0, 1, 20_001), np.logspace(-9, 0, 2_000)])
    false.sort()
    rates = [private.most_rate(kept, f) for f in false]
    assert private.most_area(kept) == pytest.approx(trapezoid(rates, false), abs=1e-5)


def test_without_delta_the_largest_area_is_the_usual_bound():
    assert private.most_area(Guarantee(1.0, 0.0)) == pytest.approx(np.e / (1 + np.e))
    assert private.most_area(None) == private.most_rate(None, 0.01) == 1.0


def test_no_guess_between_two_noisy_bits_beats_the_bound():
    """Randomized response reaches it, so that it could not be lower."""
    epsilon = 1.5
    kept = Guarantee(epsilon, 0.0)
    right = np.exp(epsilon) / (1 + np.exp(epsilon))
    assert private.most_rate(kept, 1 - right) == pytest.approx(right)


@pytest.fixture
def near():
    """Two classes of points; a release that repeats rows, and one that knows only the classes."""
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1], 500)
    members, others = (rng.standard_normal((1000, 3)) + 6 * y[:, None] for _ in range(2))

    class Made:
        codes = np.array([0, 1])

        def __init__(self, z):
            self.z, self.y = z, y

    fresh = rng.standard_normal((1000, 3)) + 6 * y[:, None]
    return Made(members + 1e-3), Made(fresh), (members, y), (others, y)


def test_rows_that_are_repeated_lie_nearest_to_their_own(near):
    copied, fresh, members, others = near
    assert compare.nearer(copied, members, others) > 0.99
    assert abs(compare.nearer(fresh, members, others)) < 0.1
