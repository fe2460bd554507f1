"""Gaussian noise: calibrated as published, drawn as computed by hand, private as promised."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from cipherset.core.errors import DimensionError, InputError, UsageError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Guarantee, NoiseKind
from cipherset.pipeline.encrypt import VectorCipher, compose, mechanism, parse_noise, rows
from cipherset.pipeline.encrypt.gaussian import noise as gaussian_noise
from cipherset.pipeline.encrypt.gaussian.mechanism import RESERVE, delta_of, largest_mu
from cipherset.pipeline.encrypt.gaussian.table import ERFC_ERROR, RoundedNormal
from cipherset.pipeline.encrypt.stream import Stream

KEY = bytes(range(40, 72))
MILD = Guarantee(4.0, 1e-6)
BITS = 256  # of the slow erfc: its terms reach 2**100 before they cancel


def cipher_of(dim, guarantee=MILD, **changes):
    return VectorCipher.with_gaussian_noise(bytes(32), dim=dim, guarantee=guarantee, **changes)


def unit(n, dim, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def isqrt_of(fraction):
    """The square root of a fraction, to ``BITS`` bits."""
    return Fraction(math.isqrt(int(fraction * 4**BITS)), 2**BITS)


def pi():
    """Machin: 16 * atan(1 / 5) - 4 * atan(1 / 239)."""

    def atan(n):
        return sum(Fraction((-1) ** k, (2 * k + 1) * n ** (2 * k + 1)) for k in range(BITS // 4))

    return Fraction(int((16 * atan(5) - 4 * atan(239)) * 2**BITS), 2**BITS)


ROOT_PI = isqrt_of(pi())
ROOT_2 = isqrt_of(Fraction(2))


def slow_tail(edge, sigma):
    """``erfc(edge / (sigma * sqrt(2)))`` by its power series, in integers of ``BITS`` bits."""
    x = edge / (Fraction(sigma) * ROOT_2)
    square, term = int(x * x * 2**BITS), int(x * 2**BITS)
    total, n = 0, 0
    while term:
        total += (-1) ** n * term // (2 * n + 1)
        n += 1
        term = (term * square >> BITS) // n
    return 1 - 2 * Fraction(total, 2**BITS) / ROOT_PI


def slow_draw(raw, sigma):
    """The integer of 16 bytes: thresholds are passed one by one."""
    high, low = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little")
    u = Fraction((high << 63) + (low >> 1), 2**127)
    j = 0
    while u < slow_tail(j + Fraction(1, 2), sigma):
        j += 1
    return -j if low % 2 else j


# Calibration


@pytest.mark.parametrize(
    ("epsilon", "delta", "sigma"),
    [(1.0, 1e-5, 3.730632), (0.1, 1e-5, 30.0), (10.0, 1e-5, 0.4999)],
)
def test_published_and_expected_widths(epsilon, delta, sigma):
    """The first is what the code of the paper prints; the others bound it coarsely."""
    found = 1 / largest_mu(Guarantee(epsilon, delta))
    assert found == pytest.approx(sigma, rel=1e-6 if epsilon == 1.0 else 0.35)


def slow_sigma(epsilon, delta):
    """Algorithm 1 of Balle and Wang, for sensitivity 1, by bisection of its own two functions."""

    def b_plus(v):
        far = math.sqrt(epsilon * (v + 2))
        return stats.norm.cdf(math.sqrt(epsilon * v)) - math.exp(epsilon) * stats.norm.cdf(-far)

    def b_minus(u):
        far = math.sqrt(epsilon * (u + 2))
        return stats.norm.cdf(-math.sqrt(epsilon * u)) - math.exp(epsilon) * stats.norm.cdf(-far)

    wide = delta >= b_plus(0.0)
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if (b_plus(middle) <= delta) if wide else (b_minus(middle) > delta):
            low = middle
        else:
            high = middle
    sign = -1 if wide else 1
    return (math.sqrt(1 + low / 2) + sign * math.sqrt(low / 2)) / math.sqrt(2 * epsilon)


@given(st.floats(0.05, 30), st.floats(-9, -3))
@settings(deadline=None, max_examples=40)
def test_the_width_is_that_of_algorithm_1(epsilon, exponent):
    delta = 10.0**exponent
    found = 1 / largest_mu(Guarantee(epsilon, delta))
    assert found == pytest.approx(slow_sigma(epsilon, delta), rel=1e-6)


@pytest.mark.parametrize(("epsilon", "mu"), [(0.5, 0.3), (1.0, 1.0), (4.0, 0.9), (2.0, 3.0)])
def test_delta_is_the_integral_of_what_is_too_likely(epsilon, mu):
    def beyond(y):
        return max(0.0, stats.norm.pdf(y - mu) - math.exp(epsilon) * stats.norm.pdf(y))

    # positive from (epsilon + mu**2 / 2) / mu on
    start = epsilon / mu + mu / 2
    slow, _ = integrate.quad(beyond, start, start + 12, epsabs=1e-15)
    assert delta_of(epsilon, mu) == pytest.approx(slow, rel=1e-6)


@given(st.floats(0.01, 20), st.integers(1, 400))
@settings(deadline=None, max_examples=25)
def test_a_mechanism_is_what_was_asked_and_little_more(epsilon, dim):
    found = mechanism(Guarantee(epsilon, 1e-6), dim=dim)
    mu = found.sensitivity / found.sigma
    kept = 1 - RESERVE
    assert delta_of(kept * epsilon, mu) <= kept * 1e-6 * (1 + 1e-9)
    assert delta_of(epsilon, mu * 1.01) > 1e-6
    assert found.sensitivity <= 2.0002
    assert math.log2(found.grid).is_integer()
    assert 2**12 <= found.sigma / found.grid < 2**13


# The sampler


@pytest.mark.parametrize("sigma", [4096.0, 5000.3, 8191.9])
def test_thresholds_are_the_slow_ones(sigma):
    table = RoundedNormal(sigma)
    whole = table._high.astype(object) * 2**63 + table._low.astype(object)
    thresholds = whole[::-1].tolist()
    places = np.random.default_rng(0).integers(len(thresholds), size=80).tolist()
    for j in [0, 1, *places, len(thresholds) - 1]:
        exact = slow_tail(j + Fraction(1, 2), sigma)
        error = abs(Fraction(thresholds[j], 2**127) - exact)
        assert error < ERFC_ERROR / 4 * exact + Fraction(1, 2**127)
    assert thresholds == sorted(thresholds, reverse=True)


@pytest.mark.parametrize("sigma", [0.8, 20.3])
def test_closeness_bounds_each_probability(sigma):
    table = RoundedNormal(sigma)
    count = len(table._high)
    whole = (table._high.astype(object) * 2**63 + table._low.astype(object))[::-1].tolist()
    ours = [2**127, *whole]
    exact = [Fraction(1), *(slow_tail(j + Fraction(1, 2), sigma) for j in range(count))]
    for j in range(count):  # the last magnitude, count, is the one that is cut
        p = Fraction(ours[j] - ours[j + 1], 2**127)
        ratio = p / (exact[j] - exact[j + 1])
        assert abs(math.log(ratio)) <= table.closeness
    assert exact[count] <= table.cut


def test_draws_are_the_slow_ones():
    raw = Stream(KEY).read(16 * 60)
    fast = RoundedNormal(37.7).draw(raw.reshape(6, 160))
    slow = [slow_draw(raw[16 * i : 16 * i + 16].tobytes(), 37.7) for i in range(60)]
    assert fast.reshape(-1).tolist() == slow


@pytest.mark.parametrize("j", [0, 5, 300, 400, -1])
def test_where_high_words_tie_the_low_ones_decide(j):
    """Each of the last 60 thresholds has a high word of 0."""
    table = RoundedNormal(40.0)
    high, low = int(table._high[::-1][j]), int(table._low[::-1][j])
    thresholds = (table._high.astype(object) * 2**63 + table._low.astype(object)).tolist()
    lows = [max(low - 1, 0), low, low + 1, 2**63 - 1, 0]
    words = [word for u_low in lows for word in (high, 2 * u_low)]
    raw = np.array(words, dtype="<u8").view(np.uint8).reshape(1, -1)
    expected = [sum(high * 2**63 + u_low < t for t in thresholds) for u_low in lows]
    assert table.draw(raw)[0].tolist() == expected
    assert (len(set(expected)) > 1) == (low > 0)


def test_the_extremes_of_the_words():
    table = RoundedNormal(40.0)
    ends = np.array([[0, 0, 0, 1, 2**64 - 1, 2**64 - 1]], dtype="<u8").view(np.uint8)
    most = len(table._high)
    assert table.draw(ends).tolist() == [[most, -most, 0]]
    assert most / 40 > 10


@pytest.mark.parametrize("sigma", [0.8, 3.0])
def test_integers_follow_the_rounded_normal(sigma):
    drawn = RoundedNormal(sigma).draw(Stream(KEY).read(16 * 200_000).reshape(1000, -1)).reshape(-1)
    edge = int(4 * sigma)
    inner = np.arange(-edge, edge + 1)
    law = stats.norm(scale=sigma)
    expected = law.cdf(inner + 0.5) - law.cdf(inner - 0.5)
    seen = np.array([np.sum(drawn == i) for i in inner])
    outside, rest = len(drawn) - seen.sum(), 1 - expected.sum()
    p = stats.chisquare([*seen, outside], np.array([*expected, rest]) * len(drawn)).pvalue
    assert p > 1e-4


@pytest.mark.parametrize("dim", [1, 2, 6, 384])
@pytest.mark.parametrize("scheme", ["sap/1", "rsap/1"])
def test_noise_is_normal(dim, scheme):
    cipher = cipher_of(dim, scheme=scheme)
    x = unit(120_000 // dim, dim)
    noisy = cipher.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    noise = (cipher.remove_key(noisy) - x) / cipher.noise.size
    assert stats.kstest(noise.reshape(-1), "norm").pvalue > 1e-4
    assert stats.kstest((noise.astype(float) ** 2).sum(axis=1), "chi2", [dim]).pvalue > 1e-4
    if dim > 1:
        mixed = noise @ np.full(dim, dim**-0.5)
        assert stats.kstest(mixed, "norm").pvalue > 1e-4
        assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.1
    along = (noise * x).sum(axis=1)  # what would tell the row
    assert stats.kstest(along, "norm").pvalue > 1e-4


# What is stored


def test_ciphertexts_are_the_slow_ones():
    cipher = cipher_of(3, scheme="sap/1")
    promise = cipher.mechanism
    x = unit(4, 3)
    scale = float(cipher.encrypt_query(np.array([[1, 0, 0]], np.float32))[0, 0])
    unit_step = np.float32(scale * promise.grid)
    raw = Stream(KEY).read(16 * 12)
    z = promise.table.draw(raw.reshape(4, -1))
    expected = [
        [np.float32(math.trunc(float(x[i, j]) / promise.grid) + int(z[i, j])) * unit_step
         for j in range(3)]
        for i in range(4)
    ]  # fmt: skip
    found = cipher.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    np.testing.assert_array_equal(found, expected)


def test_no_low_bit_tells_the_row():
    """Whatever the row, a ciphertext is the same function of integers (Mironov 2012)."""
    cipher = cipher_of(2, Guarantee(1.0, 1e-6))
    reached = []
    for x in ([1.0, 0.0], [-0.6, 0.8]):
        many = np.tile(np.array(x, np.float32), (40_000, 1))
        reached.append(set(cipher.encrypt(many)[:, 0].tolist()))
    a, b = reached
    scale = np.linalg.norm(cipher.encrypt_query(np.array([[1, 0]], np.float32)))
    unit_step = np.float32(scale) * np.float32(cipher.mechanism.grid)
    for values in (a, b):
        steps = np.array(sorted(values)) / unit_step
        assert np.abs(steps - np.round(steps)).max() < 0.02
    # Both rows reach the same numbers, to the last bit; of two floating-point sums few would agree.
    assert len(a & b) > 0.5 * min(len(a), len(b))


def test_blocks_and_threads_change_nothing(monkeypatch):
    cipher, x = cipher_of(6), unit(1000, 6)
    whole = cipher.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    monkeypatch.setattr(rows, "BLOCK_COORDINATES", 40 * 6)
    monkeypatch.setattr(rows, "RUN_BLOCKS", 3)
    monkeypatch.setattr(gaussian_noise, "_DRAWN_AT_A_TIME", 100)
    for threads in (1, 3):
        cut = cipher.encrypt_for_testing(x, noise_stream_for_testing=KEY, threads=threads)
        np.testing.assert_allclose(cut, whole, atol=2 * 2 * cipher.mechanism.grid)
        assert (cut == whole).mean() > 0.99  # but for a last bit of the product before truncation
    again = cipher.encrypt_for_testing(x[500:], noise_stream_for_testing=KEY)
    assert not np.allclose(again, whole[500:])


def test_fresh_noise_each_time():
    cipher, x = cipher_of(6), unit(10, 6)
    assert not np.allclose(cipher.encrypt(x), cipher.encrypt(x))
    assert cipher.encrypt(np.zeros((0, 6), np.float32)).shape == (0, 6)


def test_a_query_has_no_noise_and_the_key_of_the_ball():
    ball = VectorCipher(bytes(32), dim=6, approximation_factor=2.0)
    x = unit(10, 6)
    np.testing.assert_array_equal(cipher_of(6).encrypt_query(x), ball.encrypt_query(x))
    assert cipher_of(6).key_check == ball.key_check


# The promise itself


def pmf(table):
    """Probability of each integer from -n to n, as the sampler has it."""
    tails = np.concatenate([[1.0], np.ldexp(table._high[::-1].astype(np.float64), -64), [0.0]])
    one_side = tails[:-1] - tails[1:]
    return np.concatenate([one_side[:0:-1] / 2, one_side[:1], one_side[1:] / 2])


def least_delta(promise, reach):
    """``sum(max(0, p(y | row) - exp(epsilon) * p(y | opposite row)))`` over all integers."""
    p = pmf(promise.table)
    shifted = np.zeros(len(p) + 2 * reach)
    opposite = shifted.copy()
    shifted[: len(p)], opposite[2 * reach :] = p, p
    return np.maximum(shifted - math.exp(promise.guarantee.epsilon) * opposite, 0).sum()


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0, 8.0, 16.0])
def test_the_stored_integers_keep_the_promise_and_waste_little(epsilon):
    """Two opposite rows of width 1, every integer counted."""
    promise = mechanism(Guarantee(epsilon, 1e-6), dim=1)
    reach = math.isqrt(promise.reach_squared)
    found = least_delta(promise, reach)
    assert 0.9e-6 < found <= 1e-6
    # A planted flaw: rows 3 % longer than they may be.
    assert least_delta(promise, math.ceil(1.03 * reach)) > 1e-6


def test_an_attacker_who_knows_all_but_one_bit_gets_no_more_than_promised():
    """Which of two opposite rows was it? At epsilon 1, at most e / (1 + e) + delta are told."""
    cipher = cipher_of(4, Guarantee(1.0, 1e-6))
    x = unit(1, 4)
    signs = np.random.default_rng(0).choice([-1, 1], size=20_000)
    out = cipher.remove_key(cipher.encrypt((signs[:, None] * x).astype(np.float32)))
    told = np.mean(np.sign(out @ x[0]) == signs)
    assert told < math.e / (1 + math.e) + 1e-6
    assert told == pytest.approx(stats.norm.cdf(1 / cipher.noise.size), abs=0.015)


def test_releases_of_one_row_compose():
    one, other = mechanism(Guarantee(1.0, 1e-6), dim=6), mechanism(Guarantee(2.0, 1e-5), dim=32)
    assert compose([one]) == one.guarantee
    both = compose([one, other])
    assert both.delta == pytest.approx(1.1e-5)
    assert 2.0 < both.epsilon < 3.0
    # One Gaussian whose squared mu is the sum, by the integral above
    mu = math.hypot(one.sensitivity / one.sigma, other.sensitivity / other.sigma)
    assert delta_of(both.epsilon, mu) <= both.delta
    assert delta_of(both.epsilon * 0.99, mu) > both.delta


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=6), st.integers(1, 100))
@settings(deadline=None, max_examples=20)
def test_a_composition_is_never_more_than_the_sums_nor_less_than_the_worst(epsilons, dim):
    promises = [mechanism(Guarantee(epsilon, 1e-6), dim=dim) for epsilon in epsilons]
    total = compose(promises)
    assert total.epsilon <= math.fsum(epsilons)
    assert total.epsilon >= 0.9 * max(epsilons)
    assert total.delta == pytest.approx(1e-6 * len(epsilons))


# How it is asked for, and what is refused


def test_what_a_gaussian_cipher_says_of_itself():
    handle = KeyHandle("tickets", 3, Secret(KEY))
    cipher = VectorCipher.with_gaussian_noise(handle, dim=6, guarantee=MILD)
    assert (cipher.key_id, cipher.key_version, cipher.scheme) == ("tickets", 3, "rsap/1")
    assert cipher.noise.kind is NoiseKind.GAUSSIAN
    assert cipher.noise.size == cipher.mechanism.sigma == cipher.mechanism.law.size
    assert (cipher.approximation_factor, cipher.noise_radius) == (0.0, math.inf)
    assert "noise='gaussian:4.0,1e-06'" in repr(cipher)
    assert VectorCipher(KEY, dim=6, approximation_factor=1.0).mechanism is None


def test_noise_is_read_as_it_is_written():
    assert parse_noise("ball") is None
    assert parse_noise("gaussian:4,1e-6") == MILD
    assert parse_noise(str(Guarantee(0.1, 1e-7 / 3))) == Guarantee(0.1, 1e-7 / 3)


@pytest.mark.parametrize(
    "text",
    ["", "Ball", "gaussian", "gaussian:", "gaussian:1", "gaussian:1,2,3", "gaussian:a,b",
     "ball:1,1e-6", "laplace:1,1e-6", "gaussian:nan,1e-6", "gaussian:1,nan", "gaussian:inf,1e-6",
     "gaussian:0,1e-6", "gaussian:-1,1e-6", "gaussian:33,1e-6", "gaussian:1e-3,1e-6",
     "gaussian:1,0", "gaussian:1,-1e-6", "gaussian:1,0.01", "gaussian:1,1", "gaussian:1,1e-13"],
)  # fmt: skip
def test_nonsense_is_refused(text):
    with pytest.raises(InputError) as refused:
        parse_noise(text)
    assert refused.value.code == "noise"


@pytest.mark.parametrize("guarantee", [Guarantee(0.0, 1e-6), Guarantee(1.0, math.nan)])
def test_no_cipher_without_a_promise(guarantee):
    with pytest.raises(InputError) as refused:
        cipher_of(3, guarantee)
    assert refused.value.code == "noise"


def test_a_promise_finer_than_the_sampler_is_refused():
    with pytest.raises(InputError, match="finer than the sampler") as refused:
        mechanism(Guarantee(32.0, 1e-12), dim=384)
    assert refused.value.code == "noise"


@pytest.mark.parametrize("factor", [1.001, 2.0, 1e30])
@pytest.mark.parametrize("scheme", ["sap/1", "rsap/1"])
def test_rows_that_are_too_long_are_refused_by_number(factor, scheme):
    x = unit(500, 6)
    x[417] *= np.float32(factor)
    with pytest.raises(InputError, match="row 417 ") as refused:
        cipher_of(6, scheme=scheme).encrypt(x)
    assert refused.value.code == "norm"


@pytest.mark.parametrize("guarantee", [Guarantee(0.1, 1e-6), Guarantee(30.0, 1e-6)])
def test_unit_rows_and_shorter_ones_are_taken(guarantee):
    for dim in (1, 2, 384):
        x = unit(300, dim)
        x[0] = 0
        x[1] *= np.float32(0.5)
        x[2] = np.eye(dim, dtype=np.float32)[0]
        x[3] *= np.float32(1 + 2e-6)
        assert cipher_of(dim, guarantee).encrypt(x).shape == x.shape


def test_nothing_that_is_not_finite_or_of_another_width():
    cipher = cipher_of(3)
    for x, kind in ((np.full((2, 3), np.nan), InputError), (np.eye(2), DimensionError)):
        with pytest.raises(kind):
            cipher.encrypt(x)


def test_there_is_no_reversible_form():
    cipher, x = cipher_of(3), unit(2, 3)
    seals = np.zeros((2, 44), np.uint8)
    for act in (
        lambda: cipher.encrypt_reversible(x),
        lambda: cipher.encrypt_reversible_for_testing(x, nonces_for_testing=seals[:, :12]),
        lambda: cipher.decrypt(x, seals),
    ):
        with pytest.raises(UsageError) as refused:
            act()
        assert refused.value.code == "noise_reversible"
