"""The pieces against slower computations, and what ciphertexts tell by themselves."""

from itertools import permutations

import numpy as np
import pytest
from alignment_samples import DIM, SCALE, hide
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.alignment import CiphertextReader, LinearMap, PermutationMatcher
from cipherset.evidence.attack.alignment.moments import cumulants, read_scale
from cipherset.evidence.attack.alignment.neighbors import mutual_pairs, procrustes
from cipherset.evidence.attack.alignment.permutation import assign
from cipherset.evidence.attack.alignment.translation import match_graphs


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 10_000))
def test_assign_is_the_cheapest_of_all_orders(seed):
    cost = np.random.default_rng(seed).normal(size=(5, 5))
    columns = np.arange(5)
    cheapest = cost[np.array(list(permutations(range(5)))), columns].sum(axis=1).min()
    assert cost[assign(cost), columns].sum() == pytest.approx(cheapest)


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 10_000))
def test_procrustes_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    assert np.allclose(procrustes(a, b), linalg.orthogonal_procrustes(a, b)[0])


def test_mutual_pairs_against_a_loop():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 5)), rng.normal(size=(50, 5))
    likeness = a @ b.T
    nearness = np.empty(likeness.shape)
    for i in range(40):
        for j in range(50):
            crowds = np.sort(likeness[i])[-10:].mean() + np.sort(likeness[:, j])[-10:].mean()
            nearness[i, j] = 2 * likeness[i, j] - crowds
    expected = [
        (i, int(nearness[i].argmax()))
        for i in range(40)
        if nearness[:, nearness[i].argmax()].argmax() == i
    ]
    assert list(zip(*map(np.ndarray.tolist, mutual_pairs(a, b)), strict=True)) == expected


def test_graphs_are_matched():
    rng = np.random.default_rng(0)
    points, order = rng.normal(size=(12, 5)), rng.permutation(12)
    graph = points @ points.T
    found = match_graphs(graph, graph[np.ix_(order, order)], rng)
    assert np.array_equal(order[found], np.arange(12))


@pytest.mark.parametrize("scheme", ["identity", "permutation", "rotation"])
@pytest.mark.parametrize("radius", [None, 0.5])
def test_scale_and_noise_are_read_off(private, public, scheme, radius):
    sample = hide(private[0], 2.0, scheme)
    found = read_scale(sample.ciphertexts, public[0], radius)
    assert found.scale == pytest.approx(SCALE, rel=0.05)
    assert found.noise_variance == pytest.approx(0.25 / (DIM + 2), rel=0.35)


def test_vectors_alike_in_all_directions_still_have_a_scale():
    rows = np.concatenate([np.eye(3), -np.eye(3)])
    assert read_scale(SCALE * rows, rows, None).scale == pytest.approx(SCALE)


def test_cumulants_are_those_of_scipy(private):
    found = cumulants(private[0], 0.01)
    x = private[0]
    expected = [x.mean(axis=0), stats.moment(x, 2) - 0.01, stats.moment(x, 3)]
    assert np.allclose(found.values, np.stack(expected, axis=1))
    draws = np.random.default_rng(0).normal(size=(4000, 50)) * 3
    spread = np.stack([cumulants(draws[:, [i]], 0.0).values[0] for i in range(50)]).std(axis=0)
    assert np.allclose(spread, cumulants(draws, 0.0).errors.mean(axis=0), rtol=0.35)


def test_what_norms_tell(private):
    sample = hide(private[0], 4.0, "rotation")
    seen = CiphertextReader(sample.ciphertexts, noise_radius=1.0).surface()
    assert (seen.rows, seen.dim, seen.equal_rows) == (*private[0].shape, 0)
    assert seen.scale == pytest.approx(SCALE, rel=0.02)
    assert not seen.bounded
    doubled = np.vstack([sample.ciphertexts, sample.ciphertexts[:3]])
    bound = CiphertextReader(doubled).surface()
    assert bound.equal_rows == 6
    assert bound.bounded
    assert bound.scale > SCALE


def test_nothing_has_no_spread():
    assert CiphertextReader(np.zeros((3, 2))).surface().norm_spread == 0.0


def test_clusters_beside_a_clear_column(private):
    sample = hide(private[0] + 3 * np.eye(DIM)[private[1] % 5], 0.5, "rotation")
    reader = CiphertextReader(sample.ciphertexts)
    told = reader.grouping(private[1] % 5, 0)
    assert told.groups == 5
    assert told.adjusted_rand > 0.6
    assert told.purity > told.purity_by_luck + 0.2
    luck = reader.grouping(np.random.default_rng(0).permutation(private[1] % 5), 0)
    assert abs(luck.adjusted_rand) < 0.03
    assert luck.purity == pytest.approx(luck.purity_by_luck, abs=0.03)


@pytest.mark.parametrize(
    ("ciphertexts", "public", "error", "code"),
    [
        (np.eye(3)[:1], np.eye(3), InputError, "no_rows"),
        (np.eye(3), np.eye(3)[:1], InputError, "no_rows"),
        (np.full((3, 3), np.nan), np.eye(3), InputError, "not_finite"),
        (np.eye(3), np.eye(4), DimensionError, "dimension"),
        (np.ones(3), np.eye(3), DimensionError, "dimension"),
    ],
)
def test_refusals(ciphertexts, public, error, code):
    with pytest.raises(error) as told:
        PermutationMatcher(ciphertexts, public).recover(0)
    assert told.value.code == code
    assert told.value.hint


def test_a_map_takes_rows_of_its_own_width():
    found = LinearMap("given", np.ones((3, 2)), np.zeros(2), 0.0)
    assert found.apply(np.eye(3)).tolist() == [[1, 1]] * 3
    with pytest.raises(DimensionError) as told:
        found.apply(np.eye(2))
    assert told.value.code == "dimension"


def test_no_array_is_shown(private):
    attack = PermutationMatcher(private[0], private[0])
    assert "array" not in repr(attack)
    assert "array" not in repr(attack.recover(0))
