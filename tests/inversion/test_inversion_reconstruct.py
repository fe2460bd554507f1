"""The plain vector rebuilt: a rotation comes back whole, noise alone gives the mean."""

import numpy as np
import pytest

from cipherset.core.errors import DimensionError
from cipherset.evidence.attack.inversion.pairs import Pairs
from cipherset.evidence.attack.inversion.reconstruct import Reconstructor


def plain(n, *, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=n)
    x = rng.normal(size=(n, 12)) + 1.0
    x[:, :3] += 4.0 * np.eye(3)[labels]
    return x / np.linalg.norm(x, axis=1, keepdims=True), labels


ROTATION = np.linalg.qr(np.random.default_rng(5).normal(size=(12, 12)))[0]


def rebuilt(seen, *, labeled=True):
    known, known_labels = plain(500, seed=1)
    truth, labels = plain(300, seed=2)
    if not labeled:
        known_labels = labels = None
    pairs = Pairs(seen(known), [""] * 500, known_labels)
    attack = Reconstructor(pairs, known, seed=0)
    return attack.score(seen(truth), truth, labels, seed=0)


@pytest.mark.parametrize("labeled", [True, False])
def test_a_rotation_comes_back(labeled):
    got = rebuilt(lambda x: x @ ROTATION, labeled=labeled)
    assert got.cosine.low > 0.999
    assert got.above.value == pytest.approx(got.cosine.value - got.chance)


def test_noise_alone_gives_what_the_label_gives():
    rng = np.random.default_rng(3)
    got = rebuilt(lambda x: rng.normal(size=x.shape))
    assert got.above.high < 0.005
    assert got.chance > got.of_mean  # the label says more than nothing
    assert got.cosine.value > 0.5  # and yet it is no information


def test_fewer_dimensions_give_less():
    got = [rebuilt(lambda x, k=k: (x @ ROTATION)[:, :k]).cosine.value for k in (12, 6, 2)]
    assert got[0] > got[1] > got[2]


def test_without_labels_chance_is_the_mean():
    got = rebuilt(lambda x: x[:, :2], labeled=False)
    assert got.chance == got.of_mean


def test_one_pair_is_enough_to_answer():
    attack = Reconstructor(Pairs(np.ones((1, 2)), ["a"]), np.ones((1, 3)), seed=0)
    assert attack.rebuild(np.ones((4, 2))).shape == (4, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reconstructor(Pairs(np.ones((2, 2)), ["a"] * 2), np.ones((3, 2)), seed=0),
        lambda: Reconstructor(Pairs(np.ones((2, 2)), ["a"] * 2), np.eye(2), seed=0).rebuild(
            np.ones((1, 3))
        ),
        lambda: Reconstructor(Pairs(np.ones((2, 2)), ["a"] * 2), np.eye(2), seed=0).score(
            np.ones((1, 2)), np.ones((2, 2)), seed=0
        ),
    ],
)
def test_refusals(make):
    with pytest.raises(DimensionError) as refused:
        make()
    assert refused.value.code == "dimension"
    assert refused.value.hint
