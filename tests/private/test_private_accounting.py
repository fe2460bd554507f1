"""What noise keeps: against the losses themselves, added up slowly, and the published bound."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee
from cipherset.pipeline.encrypt.gaussian.mechanism import delta_of as exact_delta
from cipherset.pipeline.encrypt.gaussian.mechanism import largest_mu
from cipherset.pipeline.private import budget, delta_of, guarantee_of, largest_rho
from cipherset.pipeline.private.accounting import RESERVE, rho_of, sigma_of


def slow_delta(epsilon, sigma, releases):
    """``sum(max(p - exp(epsilon) * q, 0))`` over all that so many discrete Gaussians can say.

    p is the law at 0 and q that at 1, both of width sigma. Of one number x the logarithm of their
    ratio is a line in x, so that of several is a line in their sum, whose law is a convolution.
    """
    reach = math.ceil(12 * sigma)
    x = np.arange(-reach, reach + 2)
    at_0, at_1 = (np.exp(-((x - shift) ** 2) / (2 * sigma**2)) for shift in (0, 1))
    at_0, at_1 = at_0 / at_0.sum(), at_1 / at_1.sum()
    p, q = at_0, at_1
    for _ in range(releases - 1):
        p, q = np.convolve(p, at_0), np.convolve(q, at_1)
    return float(np.maximum(p - math.exp(epsilon) * q, 0).sum())


@pytest.mark.parametrize("sigma", [1.0, 2.5, 8.0])
@pytest.mark.parametrize("releases", [1, 4, 60])
@pytest.mark.parametrize("epsilon", [0.3, 1.0, 4.0])
def test_no_loss_is_larger_than_what_was_accounted_for(sigma, releases, epsilon):
    accounted = delta_of(epsilon, releases * rho_of(1.0, sigma))
    assert slow_delta(epsilon, sigma, releases) <= accounted + 1e-12


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("delta", [1e-5, 1e-6, 1e-9])
def test_it_takes_a_little_more_noise_than_a_continuous_one(epsilon, delta):
    mu = math.sqrt(2 * largest_rho(Guarantee(epsilon, delta)))
    exact = largest_mu(Guarantee(epsilon, delta))
    assert 0.88 * exact < mu < exact
    assert delta_of(epsilon, mu**2 / 2) >= exact_delta(epsilon, mu)


@pytest.mark.parametrize(("epsilon", "rho"), [(1.0, 0.02), (3.0, 0.2), (8.0, 1.1), (0.1, 0.001)])
def test_the_orders_that_are_tried_are_enough(epsilon, rho):
    def log_delta(log_beyond):
        a = 1 + math.exp(log_beyond)
        return (a - 1) * (a * rho - epsilon) - math.log(a - 1) + a * math.log1p(-1 / a)

    best = minimize_scalar(log_delta, bounds=(-4, 10), method="bounded").fun
    assert math.exp(best) <= delta_of(epsilon, rho) <= 1.001 * math.exp(best)


@pytest.mark.parametrize(
    ("sigma", "releases", "delta", "renyi", "exact"),
    [
        (5.0, 1, 1e-6, 0.89994, 0.83412),
        (40.0, 100, 1e-6, 1.14317, 1.0607),
        (12.5, 60, 1e-5, 2.75011, 2.53538),
        (4.0, 40, 1e-6, 8.84687, 8.30623),
        (1.0, 1, 1e-9, 6.47412, 6.17394),
    ],
)
def test_other_accountants_say_the_same(sigma, releases, delta, renyi, exact):
    """Known answers of dp-accounting 0.6.0: its Renyi accountant, and its loss distributions.

    These are for continuous noise: what is kept is never less than the latter says.
    """
    rho = releases * rho_of(1.0, sigma)
    assert delta_of(renyi * 1.001, rho) <= delta <= delta_of(renyi * 0.999, rho)
    assert delta_of(exact, rho) > delta


@given(st.floats(0.01, 32), st.floats(0.01, 20), st.integers(1, 300))
@settings(max_examples=30)
def test_width_and_rho_are_each_others_inverse(sensitivity, rho, releases):
    sigma = sigma_of(sensitivity, rho, releases=releases)
    assert releases * rho_of(sensitivity, sigma) == pytest.approx(rho)


def test_a_part_is_kept_back_for_the_sampler():
    asked = Guarantee(1.0, 1e-6)
    ideal = Guarantee((1 - RESERVE) * 1.0, (1 - RESERVE) * 1e-6)
    assert budget(asked, draws=10**6) == largest_rho(ideal) < largest_rho(asked)


def test_what_the_sampler_cannot_hold_is_refused():
    with pytest.raises(InputError) as caught:
        budget(Guarantee(32.0, 1e-12), draws=10**6)
    assert caught.value.code == "private_budget"


def test_a_guarantee_is_read():
    assert guarantee_of("3", "1e-6") == Guarantee(3.0, 1e-6)


@pytest.mark.parametrize(
    ("epsilon", "delta"),
    [("much", "1e-6"), ("0", "1e-6"), ("33", "1e-6"), ("1", "0"), ("1", "0.1"), ("nan", "1e-6")],
)
def test_what_promises_nothing_is_no_guarantee(epsilon, delta):
    with pytest.raises(InputError) as caught:
        guarantee_of(epsilon, delta)
    assert caught.value.code == "guarantee"
