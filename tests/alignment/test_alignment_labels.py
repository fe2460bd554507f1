"""Clear labels stand in for pairs."""

import numpy as np
import pytest
from alignment_samples import DIM, Domain, hide

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.alignment import CentroidAligner
from cipherset.evidence.attack.alignment.centroids import class_means


def attack(sample, labels, public):
    maps = CentroidAligner(sample.ciphertexts, labels, *public).recover(0)
    return {found.name.removeprefix("centroids: "): found for found in maps}


def test_many_labels_give_the_permutation_under_heavy_noise(private, public):
    sample = hide(private[0], 8.0, "permutation")
    assert sample.recovered(attack(sample, private[1], public)["permutation"].matrix) == 1.0


def test_labels_turn_a_rotation_back(private, public):
    sample = hide(private[0], 1.0, "rotation")
    found = attack(sample, private[1], public)
    known_key = sample.found(sample.ciphertexts @ sample.turn.T)
    assert sample.found(found["rotation"].apply(sample.ciphertexts)) > 0.9 * known_key


def test_few_classes_and_few_dimensions():
    """Seven means span six dimensions: nothing is left open, and no map need be orthogonal."""
    domain = Domain(3, dim=6, topics=7)
    x, labels = domain.sample(2000, 1)
    sample = hide(x, 1.0, "rotation")
    bent = sample.ciphertexts * np.linspace(1, 2, 6)
    maps = CentroidAligner(bent, labels, *domain.sample(2000, 2)).recover(0)
    linear = next(found for found in maps if found.name == "centroids: linear")
    cosine = [np.corrcoef(a, b)[0, 1] for a, b in zip(linear.apply(bent), x, strict=True)]
    assert np.median(cosine) > 0.8


def test_two_classes_leave_directions_to_moments(private, public):
    sample = hide(private[0], 0.0, "rotation")
    few = private[1] > 0, (public[0], public[1] > 0)
    found = attack(sample, *few)
    assert sample.found(found["rotation"].apply(sample.ciphertexts)) > 0.2
    assert np.linalg.matrix_rank(found["linear"].matrix, tol=1e-9) == 1


def test_shuffled_labels_give_no_map_from_means(private, public):
    sample = hide(private[0], 1.0, "rotation")
    shuffled = np.random.default_rng(0).permutation(private[1])
    linear = attack(sample, shuffled, public)["linear"]
    assert sample.found(linear.apply(sample.ciphertexts)) < 0.02


def test_means_against_a_loop(private, public):
    found = class_means(*private, *public)
    for i, label in enumerate(np.unique(private[1])):
        mine, theirs = private[1] == label, public[1] == label
        assert np.allclose(found.hidden[i], private[0][mine].mean(axis=0))
        assert np.allclose(found.public[i], public[0][theirs].mean(axis=0))
        n, m = mine.sum(), theirs.sum()
        assert found.weights[i] == pytest.approx(n * m / (n + m))


def test_refusals(private, public):
    x, y = private
    with pytest.raises(InputError) as told:
        CentroidAligner(x, y, public[0], public[1] + 100).recover(0)
    assert told.value.code == "labels"
    with pytest.raises(DimensionError) as told:
        CentroidAligner(x, y[1:], *public).recover(0)
    assert told.value.code == "dimension"
    with pytest.raises(DimensionError) as told:
        CentroidAligner(x, y, public[0][:, : DIM - 1], public[1]).recover(0)
    assert told.value.code == "dimension"


def test_sides_whose_means_span_different_numbers_of_directions():
    """Of three classes whose means lie on a line on one side, and on a plane on the other."""
    rng = np.random.default_rng(0)
    line = np.array([[0.0, 0, 0, 0], [1.0, 0, 0, 0], [2.0, 0, 0, 0]])
    plane = np.array([[0.0, 0, 0, 0], [1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    labels = np.arange(600) % 3
    noise = rng.standard_normal((200, 4))
    noise = np.concatenate([noise - noise.mean(axis=0)] * 3)[np.argsort(np.tile(np.arange(200), 3))]
    hidden, public = line[labels] + 0.1 * noise, plane[labels] + 0.1 * noise
    maps = CentroidAligner(hidden, labels, public, labels).recover(0)
    assert all(np.isfinite(found.matrix).all() for found in maps)
