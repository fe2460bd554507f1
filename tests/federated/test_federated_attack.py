"""Who adds up sees masked steps of each and the sum of all: the first tells nothing."""

import math
from itertools import pairwise

import numpy as np
import pytest
from federated_samples import NAMES, roster, started
from sklearn.metrics import roc_auc_score

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee
from cipherset.evidence.attack import clopper_pearson
from cipherset.evidence.attack.gradient import Layer, matched, recover_row
from cipherset.pipeline.private import SENSITIVITY, Part, budget, sigma_of
from cipherset.pipeline.private.regression import CONSTANT

DIM, CLASSES, N = 16, 4, 40
START = np.zeros((DIM + 1, CLASSES))
DELTA = 1e-5


def rows(seed=0, n=N):
    rng = np.random.default_rng(seed)
    y = rng.integers(CLASSES, size=n)
    x = rng.normal(size=(CLASSES, DIM))[y] + rng.normal(size=(n, DIM))
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def gradient(x, y, sigma=0, words=None):
    return Part.of(x, y, CLASSES).noisy_gradient(START, sigma=sigma, words=words)


def seen(step, seed):
    """What the server is sent of one owner's step, among others of no rows of their own."""
    _, members, announced = started(step.size, seed=seed)
    return members["north"].seal(step.ravel(), announced, roster()).values.view(np.int64)


def as_layer(values):
    found = values.reshape(START.shape).astype(float)
    return (Layer(found[:-1], found[-1] / CONSTANT),)


def test_single_steps_without_masks_are_rows():
    x, y = rows()
    found = [recover_row(as_layer(gradient(x[[at]], y[[at]]))) for at in range(N)]
    assert matched(np.array(found), x)[1].min() > 0.999


def test_single_steps_under_masks_are_no_rows():
    x, y = rows()
    found = [recover_row(as_layer(seen(gradient(x[[at]], y[[at]]), seed=at))) for at in range(N)]
    nearest = (np.array(found) @ x.T).argmax(axis=1)
    low, high = clopper_pearson(int((nearest == np.arange(N)).sum()), N)
    assert low <= 1 / N <= high
    assert abs(np.mean([a @ b for a, b in zip(found, x, strict=True)])) < 0.5


def membership(view):
    """Area under the curve of telling steps with a row from those without; the row is known."""
    x, y = rows(n=9)
    own = gradient(x[:1], y[:1]).ravel().astype(float)
    is_there = np.arange(120) % 2
    scores = []
    for at, there in enumerate(is_there):
        others = rows(seed=100 + at, n=8)
        batch = [np.concatenate([a[:1][:there], b]) for a, b in zip((x, y), others, strict=True)]
        scores.append(view(gradient(*batch), at).ravel().astype(float) @ own)
    return roc_auc_score(is_there, scores)


def test_membership_shows_without_masks_and_is_at_chance_under_them():
    assert membership(lambda step, _: step) > 0.75
    # 60 against 60: three standard deviations of the area at chance are 0.16.
    assert abs(membership(seen) - 0.5) < 0.16


def test_bits_under_a_mask_are_even():
    """Of nothing but zeros, too."""
    bits = np.unpackbits(seen(np.zeros(4096, dtype=np.int64), seed=1).view(np.uint8))
    low, high = clopper_pearson(int(bits.sum()), len(bits))
    assert low <= 0.5 <= high


def test_two_sums_with_and_without_a_member_are_that_member():
    """What is not held: a server that says a member left, and kept its step, has it whole.

    Against that is the noise alone, which is drawn anew and paid for in each round.
    """
    x, y = rows()
    steps = {name: gradient(x[at::4], y[at::4]) for at, name in enumerate(NAMES)}
    with_all = sum(steps.values())
    without = sum(steps[name] for name in NAMES[:-1])
    assert (with_all - without == steps["west"]).all()


def audited(epsilon, tries=300):
    """Epsilon that is sure at least, 95 %, by the likelihood of the one row that was replaced.

    Source: M. Jagielski et al., Auditing Differentially Private Machine Learning, NeurIPS 2020,
    arXiv:2006.07709, algorithm 1.
    """
    honest = 2
    rho = 1e6 if epsilon is None else budget(Guarantee(epsilon, DELTA), draws=10**4)
    share = sigma_of(SENSITIVITY, rho) / math.sqrt(honest)
    row, code = np.eye(1, DIM), np.array([0])
    worlds = [gradient(row, code), gradient(-row, code)]
    apart = (worlds[0] - worlds[1]).astype(float)
    rng = np.random.default_rng(3)

    def words(n):
        return rng.integers(0, 2**64, size=n, dtype=np.uint64)

    others = gradient(*rows(n=5))
    scores = [
        [
            (
                (
                    world
                    + others
                    + sum(gradient(row[:0], code[:0], share, words) for _ in range(honest))
                )
                * apart
            ).sum()
            for _ in range(tries)
        ]
        for world in worlds
    ]
    return told_apart(*map(np.array, scores), tries)


def told_apart(those_with, those_without, tries):
    least, best = 0.0, 0.5
    for threshold in np.quantile(np.concatenate([those_with, those_without]), (0.2, 0.5, 0.8)):
        hits, false = (those_with > threshold).sum(), (those_without > threshold).sum()
        low, high = clopper_pearson(hits, tries)[0], clopper_pearson(false, tries)[1]
        least = max(least, math.log(max(low - DELTA, 1e-12) / high))
        best = max(best, (1 + (hits - false) / tries) / 2)
    return least, best


@pytest.mark.attack
def test_what_the_noised_sum_tells_stays_under_the_bound():
    """The worst case: he knows all other rows; the noise of two honest members, no more."""
    found = []
    for epsilon in (0.5, 2.0, 8.0):
        least, accuracy = audited(epsilon)
        assert least <= epsilon
        # Source: P. Kairouz et al., The Composition Theorem for DP, ICML 2015, theorem 2.1.
        assert accuracy <= (math.exp(epsilon) + DELTA) / (1 + math.exp(epsilon)) + 0.05
        found.append(accuracy)
    assert all(a < b for a, b in pairwise(found))


@pytest.mark.attack
def test_the_audit_succeeds_where_there_is_next_to_no_noise():
    least, accuracy = audited(None)
    assert accuracy > 0.99
    assert least > 2


def test_a_step_that_learned_nothing_has_no_row():
    with pytest.raises(InputError):
        recover_row(as_layer(np.zeros(START.size)))
