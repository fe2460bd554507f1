"""Rows that stand out are found; rows of overlapping classes are not blamed."""

import numpy as np
import pytest
from scipy.stats import binom

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.training import Reason, misfits
from cipherset.pipeline.sanitize.training.poison import (
    NEIGHBORS,
    Neighborhoods,
    Reference,
    false_discovery_limit,
    nearest,
    robust_z,
)


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def blobs(rng, n_rows=1500, n_classes=6, dim=32, spread=0.12):
    labels = rng.integers(0, n_classes, n_rows)
    centers = unit(rng.standard_normal((n_classes, dim)))
    return unit(centers[labels] + spread * rng.standard_normal((n_rows, dim))), labels


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def flagged(verdicts, reason):
    return np.array([verdict is reason for verdict in verdicts])


def test_flipped_labels_are_found_and_others_are_not(rng):
    x, labels = blobs(rng)
    poisoned = labels.copy()
    flipped = rng.choice(len(x), 75, replace=False)
    poisoned[flipped] = (labels[flipped] + rng.integers(1, 6, 75)) % 6
    found = flagged(misfits(x, poisoned).verdicts(), Reason.LABEL_DISAGREES)
    assert found[flipped].mean() > 0.95
    assert np.delete(found, flipped).mean() < 0.005


def test_random_labels_give_no_reason(rng):
    """Where labels say nothing no row disagrees: chance is chance."""
    x, _ = blobs(rng)
    verdicts = misfits(x, rng.integers(0, 6, len(x))).verdicts()
    assert not flagged(verdicts, Reason.LABEL_DISAGREES).any()


def test_classes_that_overlap_are_not_blamed(rng):
    x, labels = blobs(rng)
    either = labels < 2  # two classes that nothing tells apart
    mixed = np.where(either, rng.integers(0, 2, len(x)), labels)
    found = flagged(misfits(x, mixed).verdicts(), Reason.LABEL_DISAGREES)
    assert found.mean() < 0.002


def test_rows_far_from_all_others_are_outliers(rng):
    x, labels = blobs(rng)
    x[:10] = unit(rng.standard_normal((10, x.shape[1])))
    found = flagged(misfits(x, None).verdicts(), Reason.OUTLIER)
    assert found[:10].all()
    assert found[10:].mean() < 0.005
    assert len(labels) == len(found)


def test_neighbors_are_those_of_the_slow_search(rng):
    x, _ = blobs(rng, n_rows=700)
    rows, cosines = nearest(x, x, np.arange(len(x)))
    for row in (0, 511, 512, 699):
        others = np.array([other for other in range(700) if other != row])
        slow = others[np.argsort(-(x[others] @ x[row]), kind="stable")][:NEIGHBORS]
        np.testing.assert_allclose(cosines[row], x[slow] @ x[row], atol=1e-5)
        assert len(set(rows[row]) & set(slow)) >= NEIGHBORS - 1


def test_copies_are_no_neighbors_of_each_other(rng):
    x, _ = blobs(rng, n_rows=60)
    x[:5] = x[0]
    rows, _ = nearest(x, x, np.arange(len(x)))
    assert not set(rows[0]) & {0, 1, 2, 3, 4}


def test_robust_z_of_normal_values_is_z(rng):
    values = rng.normal(7, 2, 20001)
    np.testing.assert_allclose(robust_z(values), (values - 7) / 2, atol=0.15)
    assert np.isfinite(robust_z(np.ones(9))).all()


def test_false_discovery_limit_by_hand():
    """The example of Benjamini and Hochberg (1995), section 3.2: four are rejected at 0.05."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324]
    p += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert false_discovery_limit(np.array(p), 0.05) == 0.0095
    assert false_discovery_limit(np.array([0.5, 0.9]), 0.05) == -1


def test_chance_by_hand():
    """Nine of ten neighbors have another label, which is met one time in nine around such rows."""
    x = unit(np.random.default_rng(0).standard_normal((40, 8)))
    labels = np.zeros(40, dtype=np.int64)
    labels[np.unique(nearest(x, x, np.arange(40))[0][0])[:9]] = 1
    rows, _ = nearest(x, x, np.arange(len(x)))
    votes = (labels[rows[0]] == 1).sum()
    q = (labels[rows[labels == 0]] == 1).mean()
    assert votes == 9
    expected = sum(binom.pmf(k, 10, q) for k in (9, 10))
    np.testing.assert_allclose(misfits(x, labels).chance[0], expected)


def test_too_few_rows():
    with pytest.raises(InputError) as refused:
        misfits(np.eye(39, dtype=np.float32), None)
    assert refused.value.code == "too_few_neighbors"


def test_a_sample_of_the_rows_finds_what_all_of_them_find(rng):
    """Rows that come in batches, compared with a third of them."""
    x, labels = blobs(rng)
    poisoned = labels.copy()
    flipped = rng.choice(len(x), 60, replace=False)
    poisoned[flipped] = (labels[flipped] + 1) % 6
    numbers = np.sort(rng.choice(len(x), 500, replace=False))
    among = Neighborhoods(Reference(numbers, x[numbers], poisoned[numbers]))
    for start in range(0, len(x), 256):
        rows = np.arange(start, min(start + 256, len(x)))
        among.add(rows, x[rows], poisoned[rows])
    found = flagged(among.misfits().verdicts(), Reason.LABEL_DISAGREES)
    assert found[flipped].mean() > 0.95
    assert np.delete(found, flipped).mean() < 0.005


def test_rows_without_a_label_are_not_blamed_and_do_not_vote(rng):
    x, labels = blobs(rng)
    some = labels.copy()
    some[rng.choice(len(x), 900, replace=False)] = -1
    verdicts = misfits(x, some).verdicts()
    assert not flagged(verdicts, Reason.LABEL_DISAGREES).any()


def test_chance_is_that_of_the_slow_count(rng):
    x, labels = blobs(rng, n_rows=300, spread=0.6)
    around = labels[nearest(x, x, np.arange(300))[0]]
    met = np.zeros((6, 6))
    np.add.at(met, (np.repeat(labels, NEIGHBORS), around.reshape(-1)), 1.0)
    rates = (met / met.sum(axis=1, keepdims=True)).clip(1 / (NEIGHBORS * 300), 1)
    slow = np.ones(300)
    for row in range(300):
        votes = np.bincount(around[row], minlength=6)
        votes[labels[row]] = 0
        if 2 * votes.max() > NEIGHBORS:
            q = rates[labels[row], votes.argmax()]
            slow[row] = binom.sf(votes.max() - 1, NEIGHBORS, q)
    assert (slow < 1).any()
    np.testing.assert_allclose(misfits(x, labels).chance, slow)
