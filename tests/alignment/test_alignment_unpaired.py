"""Without a single pair: weak schemes must be broken, and luck must look like luck."""

from functools import partial

import numpy as np
import pytest
from alignment_samples import DIM, SCALE, Domain, hide

from cipherset.evidence.attack.alignment import (
    PermutationMatcher,
    RotationAligner,
    UnpairedTranslator,
)
from cipherset.evidence.attack.statistics import clopper_pearson

anchors = partial(UnpairedTranslator, rows=800, centers=12, runs=4)
ALL = (PermutationMatcher, RotationAligner, anchors)


def test_identity_is_recovered_exactly(private, public):
    sample = hide(private[0], 0.0, "identity")
    found = PermutationMatcher(sample.ciphertexts, public[0]).recover(0)
    assert np.array_equal(found.matrix != 0, np.eye(DIM, dtype=bool))
    assert sample.found(found.apply(sample.ciphertexts)) == 1.0
    assert found.objective > 0.95


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5, 5.0])
def test_permutation_is_recovered(private, public, beta):
    sample = hide(private[0], beta, "permutation")
    found = PermutationMatcher(sample.ciphertexts, public[0]).recover(0)
    assert sample.recovered(found.matrix) == 1.0
    assert found.matrix.max() == pytest.approx(1 / SCALE, rel=0.1)
    assert found.objective > 0.9


def test_rotation_of_a_narrow_domain_is_broken_by_components(private, public):
    sample = hide(private[0], 0.0, "rotation")
    found = RotationAligner(sample.ciphertexts, public[0]).recover(0)
    assert sample.found(found.apply(sample.ciphertexts)) > 0.5
    assert found.objective > 0.7


def test_fewer_rows_than_dimensions_are_no_trouble(private, public):
    """Most axes then hold nothing: their variance is 0, or next to it."""
    sample = hide(private[0][:20], 0.0, "rotation")
    found = RotationAligner(sample.ciphertexts, public[0][:15]).recover(0)
    assert np.isfinite(found.apply(sample.ciphertexts)).all()
    flat = np.zeros_like(public[0][:15])
    flat[:, 0] = np.linspace(-1, 1, len(flat))
    assert np.isfinite(RotationAligner(sample.ciphertexts, flat).recover(0).matrix).all()


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_rotation_of_a_narrow_domain_is_broken_by_anchors(private, public, beta):
    sample = hide(private[0], beta, "rotation")
    found = anchors(sample.ciphertexts, public[0]).recover(0)
    known_key = sample.found(sample.ciphertexts @ sample.turn.T)
    assert sample.found(found.apply(sample.ciphertexts)) > 0.8 * known_key
    assert found.objective > 0.8


@pytest.mark.parametrize("attack", ALL)
def test_random_rows_give_chance(private, public, attack):
    noise = np.random.default_rng(3).normal(size=private[0].shape)
    sample = hide(private[0], 0.0, "identity")
    found = attack(noise, public[0]).recover(0)
    n = len(noise)
    hits = round(sample.found(found.apply(noise)) * n)
    low, high = clopper_pearson(hits, n)
    assert low <= 1 / n <= high
    assert found.objective < 0.6  # few coordinates: some order always fits a little


@pytest.mark.parametrize("attack", ALL)
def test_the_attacker_sees_that_another_domain_did_not_do(private, attack):
    other, _ = Domain(5).sample(1500, 1)
    sample = hide(
        private[0], 0.5, "rotation" if attack is not PermutationMatcher else "permutation"
    )
    found = attack(sample.ciphertexts, other).recover(0)
    assert sample.found(found.apply(sample.ciphertexts)) < 0.05
    assert found.objective < 0.6


def test_a_seed_repeats(private, public):
    sample = hide(private[0][:300], 1.0, "rotation")
    for attack in ALL:
        first, again = (attack(sample.ciphertexts, public[0][:300]).recover(4) for _ in range(2))
        assert np.array_equal(first.matrix, again.matrix)


def test_a_narrow_export_is_turned_back():
    """Six dimensions, as after a bottleneck; it takes starts at random."""
    domain = Domain(3, dim=6, topics=12)
    sample = hide(domain.sample(1200, 2)[0], 0.2, "rotation")
    found = RotationAligner(sample.ciphertexts, domain.sample(1200, 1)[0]).recover(0)
    angles = np.diag(sample.turn @ found.matrix * SCALE)
    assert angles.min() > 0.9


def test_a_known_noise_radius_gives_the_scale(private, public):
    sample = hide(private[0], 4.0, "permutation")
    found = PermutationMatcher(sample.ciphertexts, public[0], noise_radius=1.0).recover(0)
    assert found.matrix.max() == pytest.approx(1 / SCALE, rel=0.01)
