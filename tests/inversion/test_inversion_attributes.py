"""Attributes: what is in the vector is found, what only the label tells is no advantage."""

import numpy as np
import pytest

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.inversion.attributes import LABEL_ALONE, AttributeInference


def rows(n, *, seed, strength, values=3, dim=8):
    """Labels 0 to 3; the attribute follows the label in six of ten rows and moves the vector."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=n)
    attribute = np.where(rng.random(n) < 0.6, labels % values, rng.integers(values, size=n))
    vectors = rng.normal(size=(n, dim))
    vectors[:, 0] += 2 * labels
    vectors[:, 1] += strength * attribute
    return vectors, attribute, labels


def scored(strength, *, values=3, n=1200, dim=8):
    known = rows(n, seed=1, strength=strength, values=values, dim=dim)
    target = rows(800, seed=2, strength=strength, values=values, dim=dim)
    return AttributeInference(*known, seed=0).score(*target, seed=0)


@pytest.mark.parametrize(("values", "dim"), [(3, 8), (3, 70), (20, 8)])
def test_an_attribute_in_the_vector_is_found(values, dim):
    got = scored(6.0, values=values, dim=dim)
    assert got.accuracy > 0.9
    assert got.advantage.low > 0.1
    assert got.advantage.value == pytest.approx(got.accuracy - got.label_alone)
    assert got.balanced > got.balanced_label_alone
    assert got.n == 800


def test_an_attribute_that_only_follows_the_label_is_no_advantage():
    got = scored(0.0)
    assert got.label_alone == pytest.approx(0.6 + 0.4 / 3, abs=0.05)
    assert got.advantage.low <= 0.0
    assert got.advantage.high < 0.03


def test_the_bend_in_a_vector_is_seen():
    """A ring around the other value: no straight line parts them."""
    rng = np.random.default_rng(0)
    attribute = np.array(["in", "out"])[rng.integers(2, size=1500)]
    vectors = rng.normal(size=(1500, 2))
    vectors *= np.where(attribute == "out", 4.0, 0.5)[:, np.newaxis] / np.linalg.norm(
        vectors, axis=1, keepdims=True
    )
    labels = np.zeros(1500, dtype=np.int64)
    attack = AttributeInference(vectors[:1000], attribute[:1000], labels[:1000], seed=0)
    assert attack.attack in {"nearest rows", "boosting"}
    got = attack.score(vectors[1000:], attribute[1000:], labels[1000:], seed=0)
    assert got.accuracy > 0.98
    assert set(attack.predict(vectors, labels)) == {"in", "out"}


def test_the_label_alone_is_the_most_frequent_value_of_each_label():
    labels = np.array([0, 0, 0, 1, 1, 1] * 20)
    attribute = np.array(["a", "a", "b", "c", "c", "a"] * 20)
    vectors = np.zeros((120, 2))
    attack = AttributeInference(vectors, attribute, labels, seed=0)
    got = attack.score(np.zeros((3, 2)), np.array(["a", "c", "a"]), np.array([0, 1, 9]), seed=0)
    assert got.label_alone == 1.0  # of a label never seen: that of all rows, a
    assert attack.attack == LABEL_ALONE


def test_a_value_never_seen_is_an_error():
    vectors, attribute, labels = rows(100, seed=1, strength=0.0)
    got = AttributeInference(vectors, attribute, labels, seed=0).score(
        vectors[:4], np.full(4, 77), labels[:4], seed=0
    )
    assert got.accuracy == got.label_alone == 0.0


def test_few_rows():
    vectors, attribute, labels = rows(4, seed=1, strength=1.0)
    attribute[:] = [0, 1, 0, 1]
    got = AttributeInference(vectors, attribute, labels, seed=0).score(
        vectors, attribute, labels, seed=0
    )
    assert got.n == 4


def test_repeats_for_a_seed():
    assert scored(1.0) == scored(1.0)


@pytest.mark.parametrize(
    ("change", "family", "code"),
    [
        ({"attribute": np.zeros(10, int)}, InputError, "attribute_constant"),
        ({"attribute": np.arange(9)}, DimensionError, "dimension"),
        ({"labels": np.arange(9)}, DimensionError, "dimension"),
        ({"vectors": np.full((10, 2), np.nan)}, InputError, "not_finite"),
    ],
)
def test_refusals(change, family, code):
    given = {
        "vectors": np.zeros((10, 2)),
        "attribute": np.arange(10) % 2,
        "labels": np.zeros(10, int),
    }
    with pytest.raises(family) as refused:
        AttributeInference(**(given | change), seed=0)
    assert refused.value.code == code
    assert refused.value.hint


def test_another_width_is_refused():
    attack = AttributeInference(*rows(50, seed=1, strength=1.0), seed=0)
    with pytest.raises(DimensionError) as refused:
        attack.predict(np.zeros((2, 3)), np.zeros(2, int))
    assert refused.value.code == "dimension"
