"""Gaussian noise: nothing is excluded, candidates are weighed; balls beside it still exclude."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.core.values import NO_NOISE, NoiseLaw
from cipherset.evidence.attack import Block, expose, reidentify, reidentify_joined


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def block(rng, x, sigma, truth=None):
    own = x if truth is None else x[truth]
    return Block(own + sigma * rng.normal(size=own.shape), x, NoiseLaw.gaussian(sigma))


def in_ball(rng, x, radius):
    noise = unit(rng.normal(size=x.shape)) * radius * rng.random((len(x), 1)) ** (1 / x.shape[1])
    return Block(x + noise, x, NoiseLaw.ball(radius))


def attack(*blocks, groups=None):
    n = len(blocks[0].candidates)
    codes = np.zeros(n, dtype=np.int64) if groups is None else groups
    return reidentify_joined(
        blocks, truth=np.arange(n), ciphertext_groups=codes, candidate_groups=codes
    )


def slow(blocks, truth, of_rows, groups):
    """The nearest attack by loops: the likeliest candidate that no ball excludes."""
    success = []
    for i, own in enumerate(truth):
        score = {}
        for j in np.flatnonzero(groups == of_rows[i]):
            excluded, total = False, 0.0
            for b in blocks:
                square = sum((b.ciphertexts[i] - b.candidates[j]) ** 2)
                if b.noise.kind == "ball":
                    excluded |= square > (b.noise.size * 1.0001 + 1e-5) ** 2
                else:
                    total += square / b.noise.size**2
            score[j] = (excluded, total)
        nearer = [j for j in score if score[j] < score[own]]
        success.append(0.0 if nearer else 1.0)
    return np.mean(success)


@given(
    st.integers(0, 2**32),
    st.lists(st.floats(0.05, 2), min_size=1, max_size=3),
    st.lists(st.floats(0.5, 2), max_size=2),
)
@settings(deadline=None, max_examples=40)
def test_nearest_is_the_slow_one(seed, sigmas, radii):
    rng = np.random.default_rng(seed)
    groups = rng.integers(3, size=20)
    blocks = [block(rng, unit(rng.normal(size=(20, 3))), sigma) for sigma in sigmas]
    blocks += [in_ball(rng, unit(rng.normal(size=(20, 2))), radius) for radius in radii]
    rng.shuffle(blocks)
    expected = slow(blocks, np.arange(20), groups, groups)
    assert attack(*blocks, groups=groups).nearest == pytest.approx(expected)


def test_one_block_is_the_attack_of_one():
    rng = np.random.default_rng(0)
    x, groups = unit(rng.normal(size=(150, 4))), rng.integers(3, size=150)
    only = block(rng, x, 0.3)
    index = np.arange(150)
    alone = reidentify(
        only.ciphertexts,
        x,
        truth=index,
        ciphertext_groups=groups,
        candidate_groups=groups,
        noise=only.noise,
    )
    assert attack(only, groups=groups) == alone
    assert alone.single_candidate == 0.0


def exact_shares(squared, sigma):
    """Share of each candidate for each row over all assignments, by their likelihoods; slow."""
    n = len(squared)
    shares, total = np.zeros((n, n)), 0.0
    for order in itertools.permutations(range(n)):
        weight = np.exp(-sum(squared[i, j] for i, j in enumerate(order)) / (2 * sigma**2))
        total += weight
        shares[np.arange(n), list(order)] += weight
    return shares / total


@pytest.mark.parametrize("sigma", [0.3, 0.7])
def test_joint_finds_nearly_what_counting_all_assignments_finds(sigma):
    rng = np.random.default_rng(1)
    exact, joint, nearest = [], [], []
    for _ in range(60):
        x = unit(rng.normal(size=(6, 3)))
        drawn = block(rng, x, sigma)
        squared = ((drawn.ciphertexts[:, None] - x) ** 2).sum(axis=2)
        exact.append((exact_shares(squared, sigma).argmax(axis=1) == np.arange(6)).mean())
        found = attack(drawn)
        joint.append(found.joint)
        nearest.append(found.nearest)
    assert np.mean(joint) == pytest.approx(np.mean(exact), abs=0.02)
    assert np.mean(joint) > np.mean(nearest)


def test_the_joint_attack_is_the_stronger_where_noise_is_moderate():
    rng = np.random.default_rng(2)
    x = unit(rng.normal(size=(800, 6)))
    found = attack(block(rng, x, 0.2))
    assert found.joint > found.nearest + 0.05


@pytest.mark.parametrize("sigma", [1e-9, 1e-3])
def test_next_to_no_noise_opens_all(sigma):
    """Likelihoods underflow everywhere but at the truth; nothing may divide by zero."""
    rng = np.random.default_rng(3)
    x = unit(rng.normal(size=(300, 8)))
    assert attack(block(rng, x, sigma)).joint == 1.0
    assert attack(block(rng, x, sigma), block(rng, x, 5.0)).rank1 == 1.0


@pytest.mark.parametrize("sigma", [30.0, 1e6])
def test_noise_that_drowns_everything_scores_chance(sigma):
    rng = np.random.default_rng(4)
    x = unit(rng.normal(size=(1000, 4)))
    found = attack(block(rng, x, sigma))
    assert found.low <= 0.0
    assert found.high < 0.02


def test_many_exports_average_the_noise_away():
    rng = np.random.default_rng(5)
    x = unit(rng.normal(size=(500, 6)))
    repeats = [block(rng, x, 0.6) for _ in range(16)]
    rates = [attack(*repeats[:count]).excess for count in (1, 2, 4, 16)]
    assert rates == sorted(rates)
    assert rates[-1] > 0.8
    # 16 of them are one export whose noise is a quarter as wide
    mean = np.mean([each.ciphertexts for each in repeats], axis=0)
    one = attack(Block(mean, x, NoiseLaw.gaussian(0.15)))
    assert one.nearest == attack(*repeats).nearest
    assert one.joint == pytest.approx(attack(*repeats).joint, abs=1e-3)


def test_a_ball_beside_gaussian_noise_excludes_and_does_not_weigh():
    rng = np.random.default_rng(6)
    x = unit(rng.normal(size=(400, 4)))
    weighed = block(rng, x, 0.3)
    everywhere = in_ball(rng, x, 100.0)
    with_it, without = attack(weighed, everywhere), attack(weighed)
    assert (with_it.nearest, with_it.joint) == (
        without.nearest,
        pytest.approx(without.joint, abs=0.01),
    )
    assert attack(weighed, in_ball(rng, x, 0.4)).joint > without.joint
    assert attack(weighed, Block(x, x, NO_NOISE)).single_candidate == 1.0


def test_exposure_takes_gaussian_noise():
    rng = np.random.default_rng(7)
    x = unit(np.array([1.0, 0, 0, 0]) + 0.1 * rng.normal(size=(400, 4)))
    x[:4] = [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, -1]]
    draws = [x + 0.15 * rng.normal(size=x.shape) for _ in range(6)]
    found = expose(
        x, draws, groups=np.zeros(400), marked=np.arange(400) < 2, noise=NoiseLaw.gaussian(0.15)
    )
    assert (found.top, found.marked) == (1.0, 1.0)
    assert found.overall < 0.2


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("inf"), float("nan")])
def test_a_standard_deviation_is_above_zero_and_finite(sigma):
    with pytest.raises(InputError) as refused:
        attack(Block(np.eye(3), np.eye(3), NoiseLaw.gaussian(sigma)))
    assert refused.value.code == "noise_size"
