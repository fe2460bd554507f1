"""A stolen head under a permutation or rotation is put to use; under an unrelated map it is not."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_attacks_samples import clusters, head_of, rotation, unit

from cipherset.core.errors import CiphersetError
from cipherset.evidence.attack.model import Family, StolenModel
from cipherset.evidence.attack.model.stolen import matched_permutation, matched_rotation
from cipherset.evidence.attack.outcome import Knowledge, Metric

CLASSES, DIM = 14, 12


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(2)
    x, y = clusters(rng, n=2000, dim=DIM, classes=CLASSES, spread=0.9)
    few = np.concatenate([800 + np.flatnonzero(y[800:1400] == c)[:4] for c in range(CLASSES)])
    return x, y, few


def stolen(world, map_, family, *, black_box=False, public=None):
    x, y, few = world
    head = head_of(2 * x[:800] @ map_, y[:800], CLASSES)
    model = (lambda rows: head(rows)) if black_box else head
    attack = StolenModel(
        model=model,
        dim=DIM,
        vectors=x[few],
        labels=y[few],
        family=family,
        public=public,
        norm=2.0,
    )
    with_key = (head(2 * x[1400:] @ map_).argmax(axis=1) == y[1400:]).mean()
    return attack, attack.run(x[1400:], y[1400:], 0), with_key


def test_identity_is_fully_usable(world):
    attack, found, with_key = stolen(world, np.eye(DIM), Family.IDENTITY)
    assert found.accuracy.value == with_key
    assert np.array_equal(attack.recover(0), 2 * np.eye(DIM))


@pytest.mark.parametrize("black_box", [False, True])
def test_a_permutation_is_recovered_from_a_few_labels(world, black_box):
    secret = np.eye(DIM)[np.random.default_rng(4).permutation(DIM)]
    attack, found, with_key = stolen(world, secret, Family.PERMUTATION, black_box=black_box)
    assert np.array_equal(attack.recover(0), 2 * secret)
    assert found.accuracy.value == with_key
    assert found.gain.low > 0


def test_a_rotation_is_put_to_use(world):
    secret = rotation(np.random.default_rng(5), DIM)
    _, found, with_key = stolen(world, secret, Family.ROTATION)
    assert found.accuracy.low > found.chance
    assert with_key - 0.15 < found.accuracy.value <= with_key


def test_unlabeled_vectors_help_a_rotation(world):
    secret = rotation(np.random.default_rng(5), DIM)
    _, alone, _ = stolen(world, secret, Family.ROTATION)
    _, helped, _ = stolen(world, secret, Family.ROTATION, public=world[0][800:1400])
    assert helped.accuracy.value > alone.accuracy.value


def test_fewer_unlabeled_than_labeled_vectors_change_nothing(world):
    secret = rotation(np.random.default_rng(5), DIM)
    _, alone, _ = stolen(world, secret, Family.ROTATION)
    _, helped, _ = stolen(world, secret, Family.ROTATION, public=world[0][800:810])
    assert helped.accuracy == alone.accuracy


def test_a_model_behind_another_map_is_worth_chance(world):
    _, found, _ = stolen(world, rotation(np.random.default_rng(6), DIM), Family.IDENTITY)
    assert found.accuracy.value < 0.15
    assert found.gain.high < 0


def test_an_unrelated_model_adds_nothing_to_his_labels(world):
    """A free rotation bends any head toward his labels; the gain shows that it was not the head."""
    x, y, few = world
    unrelated = head_of(unit(np.random.default_rng(6).normal(size=(800, DIM))), y[:800], CLASSES)
    for family in (Family.PERMUTATION, Family.ROTATION):
        attack = StolenModel(model=unrelated, dim=DIM, vectors=x[few], labels=y[few], family=family)
        assert attack.run(x[1400:], y[1400:], 0).gain.high < -0.1


def test_his_space_may_be_wider_or_narrower(world):
    x, y, few = world
    for width in (DIM - 4, DIM + 4):
        head = head_of(x[:800] @ np.eye(DIM, width), y[:800], CLASSES)
        attack = StolenModel(model=head, dim=width, vectors=x[few], labels=y[few])
        assert attack.recover(0).shape == (DIM, width)
        assert attack.run(x[1400:], y[1400:], 0).accuracy.low > 0.2


def test_outcome_names_what_the_labels_alone_are_worth(world):
    _, found, with_key = stolen(world, np.eye(DIM), Family.IDENTITY)
    line = found.outcome("stolen model", with_key=with_key)
    assert (line.metric, line.knowledge) == (Metric.ACCURACY, Knowledge.STOLEN_MODEL)
    assert line.given == f"identity; 56 labels, alone worth {found.own.value:.3f}"
    assert line.unprotected == with_key
    assert line.n == 600


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=20)
def test_matched_permutation_is_the_slow_one(seed):
    rng = np.random.default_rng(seed)
    own, theirs = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))

    def worth(order):
        return np.trace(own.T @ np.eye(5)[list(order)] @ theirs)

    best = max(permutations(range(5)), key=worth)
    assert np.array_equal(matched_permutation(own, theirs), np.eye(5)[list(best)])


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(2, 6))
@settings(deadline=None, max_examples=30)
def test_no_rotation_is_better_than_the_matched_one(seed, q, k):
    rng = np.random.default_rng(seed)
    own, theirs = rng.normal(size=(q, 4)), rng.normal(size=(k, 4))
    found = matched_rotation(own, theirs)
    narrow = min(q, k)
    product = found @ found.T if q <= k else found.T @ found
    assert np.allclose(product, np.eye(narrow))
    best = np.trace(own.T @ found @ theirs)
    for _ in range(20):
        other = rotation(rng, max(q, k))[:q, :k]
        assert np.trace(own.T @ other @ theirs) <= best + 1e-9


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"vectors": np.zeros(3)}, "dimension"),
        ({"vectors": np.zeros((0, 2)), "labels": np.zeros(0, int)}, "no_rows"),
        ({"vectors": np.full((3, 2), np.nan)}, "not_finite"),
        ({"labels": np.zeros(2, int)}, "dimension"),
        ({"labels": np.full(3, -1)}, "class_codes"),
        ({"public": np.zeros((3, 5))}, "dimension"),
        ({"dim": 3, "family": Family.PERMUTATION}, "dimension"),
    ],
)
def test_refusals(change, code):
    fine = {"dim": 2, "vectors": np.zeros((3, 2)), "labels": np.zeros(3, int)}
    with pytest.raises(CiphersetError) as refused:
        StolenModel(model=lambda rows: np.zeros((len(rows), 2)), **(fine | change))
    assert refused.value.code == code
