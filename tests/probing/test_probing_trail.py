"""What each query is beside the ones before it, against a slow computation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.guard.probing.signs import BLOCK, N_BINS, Sign, joined, measured
from cipherset.guard.probing.trail import NEIGHBORS, RECENT, REMEMBERED, Measures, Points, Trail

N_CLASSES = 4
MEASURES = Measures(
    repeat=1e-6,
    near=0.5,
    flip=0.8,
    scales=np.array([1.0, 2.0, 0.5, 1.0]),
    edges=np.linspace(0.2, 1.8, N_BINS - 1),
)


def points(n, seed, *, repeats=True):
    rng = np.random.default_rng(seed)
    sketches = rng.normal(size=(n, 3))
    if repeats:
        sketches[rng.integers(n, size=n // 10)] = sketches[0]
    return Points(sketches, rng.normal(size=(n, 6)), rng.integers(N_CLASSES, size=n))


def slowly(given_):
    """Counts of all full blocks, one query at a time."""
    past, counts, open_ = [], [], None
    for x, feature, code in zip(given_.sketches, given_.features, given_.labels, strict=True):
        gaps = [np.linalg.norm(x - other) for other, _ in past]
        if gaps[-REMEMBERED:] and min(gaps[-REMEMBERED:]) <= MEASURES.repeat:
            continue
        if open_ is None:
            open_ = [np.zeros(6), np.zeros(N_CLASSES), 0, 0, 0, np.zeros(N_BINS)]
        open_[0] = open_[0] + feature
        open_[1][code] += 1
        open_[2] += 1
        recent = list(zip(gaps, past, strict=True))[-RECENT:]
        if recent:
            gap, (_, other) = min(recent, key=lambda each: each[0])
            open_[3] += gap <= MEASURES.near
            open_[4] += gap <= MEASURES.flip and other != code
        remembered = list(zip(gaps, past, strict=True))[-REMEMBERED:]
        own = [gap for gap, (_, other) in remembered if other == code][-NEIGHBORS:]
        if own:
            open_[5][np.searchsorted(MEASURES.edges, min(own) / MEASURES.scales[code])] += 1
        past.append((x, code))
        if open_[2] == BLOCK:
            counts.append(open_)
            open_ = None
    return counts


def test_blocks_are_those_of_the_slow_computation():
    some = points(700, seed=0)
    blocks, expected = list(Trail(MEASURES).add(some)), slowly(some)
    assert len(blocks) == len(expected) >= 9
    for block, (features, labels, n, near, flips, spreads) in zip(blocks, expected, strict=True):
        np.testing.assert_allclose(block.features, features)
        np.testing.assert_array_equal(block.labels, labels)
        np.testing.assert_array_equal(block.spreads, spreads)
        assert (block.n, block.n_near, block.n_flips) == (n, near, flips)
    assert sum(block.n_near for block in blocks) > 0
    assert sum(block.n_flips for block in blocks) > 0


@settings(max_examples=20)
@given(st.lists(st.integers(1, 150), min_size=1, max_size=6), st.integers(0, 10))
def test_how_queries_are_batched_makes_no_difference(sizes, seed):
    some = points(sum(sizes), seed)
    trail, start, found = Trail(MEASURES), 0, []
    for size in sizes:
        found += list(trail.add(some[start : start + size]))
        start += size
    expected = list(Trail(MEASURES).add(some))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.features, other.features)
        np.testing.assert_array_equal(one.spreads, other.spreads)
        assert (one.n_near, one.n_flips) == (other.n_near, other.n_flips)


def test_repetitions_are_not_counted():
    one = points(1, seed=1, repeats=False)
    again = one[np.zeros(10 * BLOCK, dtype=np.int64)]
    assert list(Trail(MEASURES).add(again)) == []


def test_what_is_kept_is_bounded():
    trail = Trail(MEASURES)
    for seed in range(20):
        list(trail.add(points(100, seed)))
    assert len(trail._sketches) == len(trail._labels) == REMEMBERED


def test_signs_are_those_of_the_definition():
    some = points(BLOCK, seed=2, repeats=False)
    (block,) = Trail(MEASURES).add(some)
    means = np.random.default_rng(3).normal(size=(N_CLASSES, 6))
    found = measured(block, means)
    differences = [
        feature - means[code] for feature, code in zip(some.features, some.labels, strict=True)
    ]
    assert found[Sign.SHIFT] == pytest.approx(np.linalg.norm(np.mean(differences, axis=0)))
    assert found[Sign.NEAR] == block.n_near / BLOCK
    shares = block.spreads / block.spreads.sum()
    steps = [abs(shares[: i + 1].sum() - (i + 1) / N_BINS) for i in range(N_BINS)]
    assert found[Sign.SPREAD] == pytest.approx(max(steps))


def test_blocks_add_up():
    blocks = list(Trail(MEASURES).add(points(400, seed=4)))
    whole = joined(blocks)
    assert whole.n == BLOCK * len(blocks)
    np.testing.assert_allclose(whole.features, sum(block.features for block in blocks))
    assert whole.n_flips == sum(block.n_flips for block in blocks)
