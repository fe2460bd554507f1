"""On real vectors of film reviews: what must be broken, and what must not look broken."""

import csv

import numpy as np
import pytest
from alignment_samples import hide

from cipherset.app.demo.reviews import write_reviews
from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.evidence.attack.alignment import PairAligner, PermutationMatcher, RotationAligner
from cipherset.interfaces.cli.settings import cache

pytestmark = pytest.mark.attack
N = 1200


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """Vectors of reviews to hide, and of others that are public."""
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    write_reviews(cache(), path)
    with path.open(encoding="utf-8", newline="") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    order = np.random.default_rng(0).permutation(len(texts))[: 2 * N]
    x = open_encoder(DEFAULT_ENCODER, cache()).encode([texts[i] for i in order])
    return x[:N].astype(np.float64), x[N:]


@pytest.mark.parametrize("beta", [0.0, 2.5, 5.0])
def test_permutation_without_pairs(reviews, beta):
    sample = hide(reviews[0], beta, "permutation")
    found = PermutationMatcher(sample.ciphertexts, reviews[1]).recover(0)
    assert sample.recovered(found.matrix) > 0.97
    assert sample.found(found.apply(sample.ciphertexts)) > 0.95


@pytest.mark.parametrize("n", [100, 200])
def test_rotation_from_pairs(reviews, n):
    sample = hide(reviews[0], 2.0, "rotation")
    maps = PairAligner(sample.ciphertexts[-n:], sample.plain[-n:]).recover(0)
    best = max(sample.found(found.apply(sample.ciphertexts[:-n])) for found in maps)
    assert best > {100: 0.6, 200: 0.85}[n]


def test_a_rotation_of_a_broad_domain_does_not_look_broken(reviews):
    sample = hide(reviews[0], 2.0, "rotation")
    found = RotationAligner(sample.ciphertexts, reviews[1]).recover(0)
    assert sample.found(found.apply(sample.ciphertexts)) < 0.1
    assert found.objective < 0.3
