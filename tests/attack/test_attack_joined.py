"""Several exports of the same rows: the slow oracle, and why a row is not noised twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import NoiseLaw
from cipherset.evidence.attack import Block, reidentify, reidentify_joined


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def noise(rng, shape, radius):
    n, dim = shape
    return unit(rng.normal(size=shape)) * radius * rng.random((n, 1)) ** (1 / dim)


def block(rng, x, radius, truth=None):
    own = x if truth is None else x[truth]
    return Block(own + noise(rng, own.shape, radius), x, NoiseLaw.ball(radius))


def joined(blocks, groups=None):
    n = len(blocks[0].candidates)
    codes = np.zeros(n, dtype=np.int64) if groups is None else groups
    return reidentify_joined(
        blocks, truth=np.arange(n), ciphertext_groups=codes, candidate_groups=codes
    )


def slow(blocks, truth, of_rows, groups):
    """The nearest attack by loops: excluded by any block comes last, else by scaled distance."""
    success, single = [], []
    for i, own in enumerate(truth):
        members = [j for j in range(len(groups)) if groups[j] == of_rows[i]]
        score = {}
        for j in members:
            squares = [sum((b.ciphertexts[i] - b.candidates[j]) ** 2) for b in blocks]
            reaches = [b.noise.size * 1.0001 + 1e-5 for b in blocks]
            excluded = any(s > r * r for s, r in zip(squares, reaches, strict=True))
            total = sum(s / max(r, 1e-3) ** 2 for s, r in zip(squares, reaches, strict=True))
            score[j] = (excluded, total)
        mine = score[own]
        nearer = [j for j in members if score[j] < (mine[0], mine[1] - 1e-9)]
        tied = [j for j in members if score[j][0] == mine[0] and abs(score[j][1] - mine[1]) <= 1e-9]
        success.append(0.0 if nearer else 1 / len(tied))
        single.append(sum(not score[j][0] for j in members) == 1)
    return np.mean(success), np.mean(single)


@given(
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.lists(st.floats(0.01, 2), min_size=2, max_size=4),
)
@settings(deadline=None, max_examples=40)
def test_nearest_is_the_slow_one(seed, n_groups, radii):
    rng = np.random.default_rng(seed)
    groups, truth = rng.integers(n_groups, size=20), rng.integers(20, size=10)
    blocks = []
    for radius in radii:
        x = unit(rng.normal(size=(20, rng.integers(1, 5))))
        x[3] = x[2]
        blocks.append(block(rng, x, radius, truth))
    found = reidentify_joined(
        blocks, truth=truth, ciphertext_groups=groups[truth], candidate_groups=groups
    )
    np.testing.assert_allclose(
        [found.nearest, found.single_candidate], slow(blocks, truth, groups[truth], groups)
    )


@pytest.mark.parametrize("radius", [0.0, 0.3, 1.5])
def test_one_block_is_the_attack_of_one(radius):
    rng = np.random.default_rng(0)
    x, groups = unit(rng.normal(size=(150, 4))), rng.integers(3, size=150)
    only = block(rng, x, radius)
    alone = reidentify(
        only.ciphertexts,
        x,
        truth=np.arange(150),
        ciphertext_groups=groups,
        candidate_groups=groups,
        noise=only.noise,
    )
    assert joined([only], groups) == alone


def test_of_many_noises_of_one_row_the_mean_is_nearly_without():
    """Why the same request is answered with the same export."""
    rng = np.random.default_rng(1)
    x = unit(rng.normal(size=(800, 6)))
    repeats = [block(rng, x, 1.5) for _ in range(16)]
    rates = [joined(repeats[:count]).excess for count in (1, 2, 4, 16)]
    assert rates == sorted(rates)
    assert rates[0] < 0.2
    assert rates[-1] > 0.95
    mean = np.mean([each.ciphertexts for each in repeats], axis=0)
    errors = np.linalg.norm(mean - x, axis=1).mean()
    single = np.linalg.norm(repeats[0].ciphertexts - x, axis=1).mean()
    assert errors == pytest.approx(single / 4, rel=0.1)  # sqrt(16)


def test_different_views_of_a_row_join():
    rng = np.random.default_rng(2)
    x = unit(rng.normal(size=(600, 12)))
    views = [unit(x @ rng.normal(size=(12, 2))) for _ in range(5)]
    blocks = [block(rng, view, 1.0) for view in views]
    rates = [joined(blocks[:count]).excess for count in range(1, 6)]
    assert rates == sorted(rates)
    assert rates[0] < 0.05
    assert rates[-1] > 0.3


def test_a_block_of_zeros_says_nothing():
    """An export that has none of the rows: zeros on both sides."""
    rng = np.random.default_rng(3)
    x = unit(rng.normal(size=(300, 3)))
    real, nothing = (
        block(rng, x, 0.8),
        Block(np.zeros((300, 2)), np.zeros((300, 2)), NoiseLaw.ball(0.5)),
    )
    with_it, without = joined([real, nothing]), joined([real])
    assert with_it.single_candidate == without.single_candidate
    assert with_it.joint == pytest.approx(without.joint)


def test_one_export_without_noise_opens_all():
    rng = np.random.default_rng(4)
    x = unit(rng.normal(size=(200, 8)))
    found = joined([block(rng, x, 8.0), block(rng, x, 0.0)])
    assert found.nearest == found.single_candidate == 1.0


def test_no_noise_helps_where_there_is_nothing_to_tell():
    rng = np.random.default_rng(5)
    x = np.ones((100, 3))
    found = joined([block(rng, x, 1.0) for _ in range(3)])
    assert found.rank1 == pytest.approx(found.label_alone)


def test_refusals():
    one = Block(np.zeros((3, 2)), np.zeros((3, 2)), NoiseLaw.ball(1.0))
    for blocks, kind, code in (
        ([], InputError, "no_rows"),
        (
            [one, Block(np.zeros((2, 2)), np.zeros((3, 2)), NoiseLaw.ball(1.0))],
            DimensionError,
            "dimension",
        ),
        (
            [one, Block(np.zeros((3, 2)), np.zeros((4, 2)), NoiseLaw.ball(1.0))],
            DimensionError,
            "dimension",
        ),
        (
            [one, Block(np.zeros((3, 2)), np.zeros((3, 1)), NoiseLaw.ball(1.0))],
            DimensionError,
            "dimension",
        ),
        (
            [one, Block(np.zeros((3, 2)), np.zeros((3, 2)), NoiseLaw.ball(-1.0))],
            InputError,
            "noise_size",
        ),
        (
            [one, Block(np.full((3, 2), np.nan), np.zeros((3, 2)), NoiseLaw.ball(1.0))],
            InputError,
            "not_finite",
        ),
    ):
        zeros = np.zeros(3, dtype=np.int64)
        with pytest.raises(kind) as refused:
            reidentify_joined(
                blocks, truth=np.arange(3), ciphertext_groups=zeros, candidate_groups=zeros
            )
        assert refused.value.code == code
