"""The attack on known cases: what must score 1, what must score chance, and the slow oracle."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import NoiseLaw
from cipherset.evidence.attack import reidentify
from cipherset.evidence.attack.linkage import joint, nearest
from cipherset.evidence.attack.linkage.joint import column_weights
from cipherset.evidence.attack.linkage.single import ENOUGH_CANDIDATES


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def clustered(rng, n, dim, n_groups, spread=0.4):
    groups = rng.integers(n_groups, size=n)
    centers = unit(rng.normal(size=(n_groups, dim)))
    return unit(centers[groups] + spread * rng.normal(size=(n, dim)) / np.sqrt(dim)), groups


def noise(rng, n, dim, radius):
    return unit(rng.normal(size=(n, dim))) * radius * rng.random((n, 1)) ** (1 / dim)


def attack(c, x, groups, radius, truth=None, of_rows=None):
    return reidentify(
        c,
        x,
        truth=np.arange(len(c)) if truth is None else truth,
        ciphertext_groups=groups if of_rows is None else of_rows,
        candidate_groups=groups,
        noise=NoiseLaw.ball(radius),
    )


def slow(c, x, truth, of_rows, groups, radius):
    """Success, reciprocal rank and possible candidates of the nearest-neighbor attack, by loops."""
    success, reciprocal, single, alone = [], [], [], []
    for i in range(len(c)):
        members = [j for j in range(len(x)) if groups[j] == of_rows[i]]
        distance = {j: sum((c[i] - x[j]) ** 2) for j in members}
        mine = distance[truth[i]]
        nearer = sum(distance[j] < mine - 1e-9 for j in members)
        tied = sum(abs(distance[j] - mine) <= 1e-9 for j in members)
        success.append(1 / tied if nearer == 0 else 0.0)
        reciprocal.append(1 / (nearer + (tied + 1) / 2))
        single.append(sum(distance[j] ** 0.5 <= radius * 1.0001 + 1e-5 for j in members) == 1)
        alone.append(1 / len(members))
    return [np.mean(values) for values in (success, reciprocal, single, alone)]


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 5), st.floats(0, 2))
@settings(deadline=None, max_examples=50)
def test_nearest_is_the_slow_one(seed, dim, n_groups, radius):
    rng = np.random.default_rng(seed)
    x, groups = clustered(rng, 25, dim, n_groups)
    x[5:8] = x[4]  # duplicates
    truth = rng.integers(25, size=12)
    c = x[truth] + noise(rng, 12, dim, radius)
    found = attack(c, x, groups, radius, truth, groups[truth])
    expected = slow(c, x, truth, groups[truth], groups, radius)
    np.testing.assert_allclose(
        [found.nearest, found.mrr, found.single_candidate, found.label_alone], expected
    )
    assert (found.n, found.candidates) == (12, 25)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    x, groups = clustered(rng, 300, 4, 3)
    c = x + noise(rng, 300, 4, 0.8)
    whole = attack(c, x, groups, 0.8)
    monkeypatch.setattr(nearest, "_BLOCK_ENTRIES", 700)
    assert attack(c, x, groups, 0.8) == whole


@pytest.mark.parametrize("n_groups", [1, 2, 7])
def test_a_scheme_that_does_nothing_is_broken(n_groups):
    x, groups = clustered(np.random.default_rng(1), 400, 8, n_groups)
    found = attack(x.astype(np.float32), x.astype(np.float32), groups, 0.0)
    assert found.rank1 == found.nearest == found.excess == found.high == found.mrr == 1.0
    assert found.joint == pytest.approx(1.0)
    assert found.single_candidate == 1.0
    assert found.low > 0.98
    assert found.decidable


def test_a_scheme_that_hides_all_gives_the_label_alone():
    rng = np.random.default_rng(2)
    groups = rng.integers(2, size=1000)
    x, c = unit(rng.normal(size=(1000, 6))), unit(rng.normal(size=(1000, 6)))
    found = attack(c, x, groups, 2.0)
    assert found.label_alone == pytest.approx(2 / 1000)
    assert found.low <= 0.0 <= found.high < 0.02
    assert found.mrr < 0.05
    assert found.single_candidate == 0.0


def test_noise_without_bound_leaves_the_joint_attack_with_chance():
    rng = np.random.default_rng(3)
    x, groups = clustered(rng, 200, 6, 4)
    found = attack(x, x, groups, float("inf"))
    assert found.joint == pytest.approx(found.label_alone)
    assert found.nearest == 1.0
    assert found.strongest == "nearest"


def test_more_noise_identifies_less():
    rng = np.random.default_rng(4)
    x, groups = clustered(rng, 800, 6, 4)
    rates = [
        attack(x + noise(rng, 800, 6, r), x, groups, r).excess for r in (0.0, 0.2, 0.5, 1.0, 2.0)
    ]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 1.0
    assert rates[-1] < 0.05


def test_duplicates_share_the_place():
    x = np.repeat(np.eye(3), 2, axis=0)
    found = attack(x, x, np.zeros(6, int), 0.0)
    assert found.nearest == found.joint == 0.5
    assert found.mrr == pytest.approx(1 / 1.5)
    assert found.single_candidate == 0.0


def test_groups_narrow_the_candidates():
    """All vectors equal: only the clear columns tell."""
    x = np.ones((6, 2))
    found = attack(x, x, np.array([0, 0, 0, 0, 1, 1]), 1.0)
    assert found.rank1 == found.label_alone == pytest.approx(2 / 6)
    assert found.excess == pytest.approx(0.0)


def test_clear_columns_that_identify_everybody_leave_nothing_to_decide():
    x = unit(np.random.default_rng(5).normal(size=(10, 3)))
    found = attack(x, x, np.arange(10), 0.0)
    assert not found.decidable
    assert found.excess_nearest == 0.0
    assert (found.label_alone, found.excess, found.low, found.high) == (1.0, 0.0, 0.0, 1.0)


def test_few_rows_are_flagged():
    x = unit(np.random.default_rng(6).normal(size=(ENOUGH_CANDIDATES, 3)))
    one = np.zeros(1, int)
    zeros = np.zeros(ENOUGH_CANDIDATES, int)
    assert not attack(x[:1], x, zeros, 0.0, one, one).few_rows
    assert attack(x[:1], x[1:], zeros[1:], 0.0, one, one).few_rows


def test_rotating_and_scaling_both_sides_changes_nothing():
    rng = np.random.default_rng(7)
    x, groups = clustered(rng, 300, 5, 3)
    c = x + noise(rng, 300, 5, 0.6)
    q = np.linalg.qr(rng.normal(size=(5, 5)))[0] * 1.5
    here, there = attack(c, x, groups, 0.6), attack(c @ q, x @ q, groups, 0.9)
    assert there.nearest == here.nearest
    assert there.joint == pytest.approx(here.joint)


def marginals(possible):
    """The share of all assignments that give row i column j, by trying every one."""
    m, n = possible.shape
    share, count = np.zeros((m, n)), 0
    for columns in itertools.permutations(range(n), m):
        if all(possible[i, j] for i, j in enumerate(columns)):
            count += 1
            for i, j in enumerate(columns):
                share[i, j] += 1
    return share / count


@pytest.mark.parametrize(("m", "n"), [(5, 5), (4, 6), (1, 3)])
def test_column_weights_approximate_the_share_of_assignments(m, n):
    rng = np.random.default_rng(8)
    errors = []
    for _ in range(40):
        possible = (rng.random((m, n)) < 0.6).astype(np.float32)
        possible[np.arange(m), np.arange(m)] = 1.0
        score = possible * column_weights(possible)
        errors.append(np.abs(score / score.sum(axis=1, keepdims=True) - marginals(possible)))
    assert np.mean(errors) < 0.04


def test_weights_make_rows_sum_to_one_and_columns_to_at_most_one():
    rng = np.random.default_rng(9)
    possible = (rng.random((40, 60)) < 0.3).astype(np.float32)
    possible[np.arange(40), np.arange(40)] = 1.0
    score = possible * column_weights(possible)
    score /= score.sum(axis=1, keepdims=True)
    assert score.sum(axis=0).max() < 1.01


def test_the_joint_attack_excludes_what_others_must_be():
    """Row 0 can be either candidate, row 1 only candidate 1: so row 0 is candidate 0."""
    x = np.array([[0.0], [1.0]])
    c = np.array([[0.55], [1.6]])
    found = attack(c, x, np.zeros(2, int), 0.7)
    assert found.nearest == 0.5
    assert found.joint == found.rank1 == 1.0
    assert found.strongest == "joint"


def test_the_joint_attack_is_the_stronger_one():
    rng = np.random.default_rng(10)
    x, groups = clustered(rng, 1000, 6, 7, spread=1.0)
    found = attack(x + noise(rng, 1000, 6, 0.5), x, groups, 0.5)
    assert found.joint > 1.2 * found.nearest
    assert found.rank1 == found.joint
    assert 0.0 < found.excess_nearest < found.excess


def test_the_joint_attack_on_a_part_of_the_candidates():
    rng = np.random.default_rng(11)
    x, groups = clustered(rng, 600, 6, 3, spread=1.0)
    truth = rng.permutation(600)[:200]
    c = x[truth] + noise(rng, 200, 6, 0.4)
    found = attack(c, x, groups, 0.4, truth, groups[truth])
    assert found.joint > found.nearest - 0.03
    assert attack(c[:50], x, groups, 0.4, truth[:50], groups[truth[:50]]).joint is not None


def test_the_joint_attack_is_not_run_where_its_premise_fails(monkeypatch):
    x = np.eye(3)
    twice = np.array([0, 0, 1])
    found = attack(x[twice], x, np.zeros(3, int), 0.1, twice)
    assert found.joint is None
    assert found.rank1 == found.nearest == 1.0
    monkeypatch.setattr(joint, "MAX_ENTRIES", 8)
    assert attack(x, x, np.zeros(3, int), 0.1).joint is None


X = np.eye(3)
G = np.zeros(3, int)


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"c": X[:, :2]}, DimensionError, "dimension"),
        ({"c": X[0]}, DimensionError, "dimension"),
        ({"c": X[:0], "truth": G[:0], "of_rows": G[:0]}, InputError, "no_rows"),
        ({"x": X[:0], "groups": G[:0], "of_rows": G}, InputError, "no_rows"),
        ({"c": np.full((3, 3), np.nan)}, InputError, "not_finite"),
        ({"x": np.full((3, 3), np.inf)}, InputError, "not_finite"),
        ({"truth": np.arange(2)}, DimensionError, "dimension"),
        ({"truth": np.array([0, 1, 3])}, InputError, "truth"),
        ({"truth": np.array([-1, 1, 2])}, InputError, "truth"),
        ({"of_rows": np.array([0, 0, 1])}, InputError, "groups"),
        ({"of_rows": G[:2]}, DimensionError, "dimension"),
        ({"radius": -0.1}, InputError, "noise_size"),
        ({"radius": float("nan")}, InputError, "noise_size"),
    ],
)
def test_refusals(changes, error, code):
    with pytest.raises(error) as refusal:
        attack(**{"c": X, "x": X, "groups": G, "radius": 0.1, **changes})
    assert refusal.value.code == code
    assert refusal.value.hint
