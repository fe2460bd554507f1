"""Known pairs: how few are enough, and what they teach of a map that cannot be turned back."""

import numpy as np
import pytest
from alignment_samples import DIM, SCALE, hide

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.alignment import EncoderFromPairs, PairAligner, Unpaired, averaged
from cipherset.evidence.attack.alignment.regression import ridge


def attack(sample, n, unpaired=None):
    maps = PairAligner(sample.ciphertexts[:n], sample.plain[:n], unpaired).recover(0)
    return {found.name.removeprefix("pairs: "): found for found in maps}


@pytest.mark.parametrize("n", [64, 200])
def test_rotation_from_pairs(private, n):
    sample = hide(private[0], 1.0, "rotation")
    found = attack(sample, n)["rotation"]
    known_key = sample.found(sample.ciphertexts @ sample.turn.T)
    assert sample.found(found.apply(sample.ciphertexts)) > 0.85 * known_key
    assert np.linalg.norm(found.matrix, 2) == pytest.approx(1 / SCALE, rel=0.15)


def test_permutation_from_a_dozen_pairs(private):
    sample = hide(private[0], 0.5, "permutation")
    assert sample.recovered(attack(sample, 12)["permutation"].matrix) > 0.9


def test_a_map_of_any_kind_from_pairs(private):
    x = private[0]
    matrix = np.random.default_rng(0).normal(size=(DIM, DIM + 3))
    (found,) = PairAligner(x[:300] @ matrix + 5, x[:300]).recover(0)
    assert np.allclose(found.apply(x @ matrix + 5), x, atol=0.01)
    assert found.objective > 0.99


def test_unpaired_rows_help(private, public):
    sample = hide(private[0], 1.0, "rotation")
    found = attack(sample, 24, Unpaired(sample.ciphertexts[24:], public[0]))
    alone = sample.found(found["rotation"].apply(sample.ciphertexts))
    assert sample.found(found["refined on unpaired"].apply(sample.ciphertexts)) > alone + 0.05


def test_two_pairs_are_enough_to_try(private):
    sample = hide(private[0], 1.0, "rotation")
    assert set(attack(sample, 2)) == {"ridge", "rotation", "permutation"}


def test_pairs_that_belong_to_others_give_chance(private):
    sample = hide(private[0][::-1], 0.5, "rotation")
    maps = PairAligner(sample.ciphertexts[:200], private[0][:200]).recover(0)
    assert all(found.objective < 0.2 for found in maps)


def test_ridge_leaves_rows_out_as_a_loop_would():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    found, offset = ridge(a, b)
    unit = np.linalg.svd(a - a.mean(axis=0), compute_uv=False)[0] ** 2
    best, least = None, np.inf
    for penalty in np.logspace(-9, 2, 23) * unit:
        loss = 0.0
        for i in range(20):
            rest = np.arange(20) != i
            matrix, shift = _ridge_once(a[rest], b[rest], penalty)
            loss += ((a[i] @ matrix + shift - b[i]) ** 2).sum()
        if loss < least:
            best, least = penalty, loss
    matrix, shift = _ridge_once(a, b, best)
    assert np.allclose(found, matrix)
    assert np.allclose(offset, shift)


def _ridge_once(a, b, penalty):
    centered = a - a.mean(axis=0)
    gram = centered.T @ centered + penalty * np.eye(a.shape[1])
    matrix = np.linalg.solve(gram, centered.T @ (b - b.mean(axis=0)))
    return matrix, b.mean(axis=0) - a.mean(axis=0) @ matrix


@pytest.mark.parametrize("n", [3, 60])
def test_an_encoder_learned_from_few_pairs_is_linear(private, n):
    x = private[0]
    matrix = np.random.default_rng(1).normal(size=(DIM, 6))
    learned = EncoderFromPairs(x[:n], x[:n] @ matrix).learn(0)
    assert learned.name == "encoder: ridge"
    assert learned.predict(x).shape == (len(x), 6)
    if n == 60:
        assert learned.objective > 0.98


@pytest.mark.parametrize("k", [1, 6])
def test_a_bent_encoder_is_learned_by_a_network(private, k):
    x = private[0]
    rng = np.random.default_rng(1)
    z = np.abs((x - x.mean(axis=0)) @ rng.normal(size=(DIM, 8))) @ rng.normal(size=(8, k))
    learned = EncoderFromPairs(x[:900], z[:900]).learn(0)
    assert learned.name == "encoder: network"
    likeness = ((learned.predict(x[900:]) - z[900:]) ** 2).sum()
    assert likeness < 0.7 * ((z[900:] - z.mean(axis=0)) ** 2).sum()
    with pytest.raises(DimensionError) as told:
        learned.predict(x[:, 1:])
    assert told.value.code == "dimension"


def test_repeats_average_the_noise_out(private):
    repeated = np.stack([hide(private[0], 4.0, "identity", seed).ciphertexts for seed in range(16)])
    found = averaged(repeated)
    once = SCALE / np.sqrt(DIM + 2)  # the radius is 1 in units of the scale
    assert found.noise_once == pytest.approx(once, rel=0.02)
    assert found.noise == pytest.approx(once / 4, rel=0.02)
    left = (found.ciphertexts - SCALE * private[0]).std()
    assert left == pytest.approx(found.noise, rel=0.02)
    assert found.repeats == 16


def test_refusals(private):
    x = private[0]
    with pytest.raises(InputError) as told:
        PairAligner(x[:1], x[:1]).recover(0)
    assert told.value.code == "no_rows"
    with pytest.raises(DimensionError):
        PairAligner(x[:9], x[:8]).recover(0)
    with pytest.raises(DimensionError):
        averaged(x)
    with pytest.raises(InputError) as told:
        averaged(x[np.newaxis])
    assert told.value.code == "no_rows"
