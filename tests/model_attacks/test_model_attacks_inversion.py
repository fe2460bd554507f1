"""What a model is surest of lies near its class means, as far as a model tells."""

import numpy as np
import pytest
from model_attacks_samples import clusters, head_of, unit
from scipy.special import log_softmax

from cipherset.core.errors import CiphersetError
from cipherset.evidence.attack.model import ModelInverter
from cipherset.evidence.attack.outcome import Metric

CLASSES, DIM = 5, 8


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(1)
    x, y = clusters(rng, n=1500, dim=DIM, classes=CLASSES)
    means = np.array([x[y == c].mean(axis=0) for c in range(CLASSES)])
    return head_of(x, y, CLASSES), means


def test_inputs_have_the_norm_and_the_label_asked_for(world):
    head, _ = world
    found = ModelInverter(model=head, dim=DIM, norm=1.5).invert(0)
    assert np.allclose(np.linalg.norm(found, axis=1), 1.5)
    assert head(found).argmax(axis=1).tolist() == list(range(CLASSES))


def test_no_random_input_is_surer(world):
    head, _ = world
    found = head(ModelInverter(model=head, dim=DIM).invert(0)).diagonal()
    random = head(unit(np.random.default_rng(9).normal(size=(5000, DIM)))).max(axis=0)
    assert (found > random - 0.05).all()


def test_slopes_are_the_slow_ones(world):
    head, _ = world
    inverter = ModelInverter(model=head, dim=DIM, norm=1.5)
    points = unit(np.random.default_rng(2).normal(size=(CLASSES, DIM)))
    steps = np.random.default_rng(8).standard_normal((64, DIM)) / np.sqrt(DIM)

    def sure(point, c):
        return head(1.5 * point[None])[0, c]

    slow = [
        sum((sure(p + 0.2 * s, c) - sure(p - 0.2 * s, c)) * s for s in steps)
        for c, p in enumerate(points)
    ]
    assert np.allclose(inverter._slopes(points, np.random.default_rng(8)), slow)


def test_class_means_are_found_beyond_chance(world):
    head, means = world
    found = ModelInverter(model=head, dim=DIM).run(means, 0, anchors=means)
    assert found.cosine.low > max(found.chance, found.unrelated)
    assert found.anchor == pytest.approx(1.0)
    line = found.outcome("model inversion")
    assert (line.metric, line.n, line.unprotected) == (Metric.COSINE, CLASSES, found.anchor)
    assert ModelInverter(model=head, dim=DIM).run(means, 0).anchor is None


def test_an_unrelated_model_says_nothing_of_the_means(world):
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(64, 40))
    means = unit(rng.normal(size=(40, 64)))
    found = ModelInverter(model=lambda rows: log_softmax(rows @ matrix, axis=1), dim=64).run(
        means, 0
    )
    assert found.cosine.low <= 0 <= found.cosine.high


@pytest.mark.parametrize("change", [{"dim": 0}, {"norm": 0.0}, {"norm": np.inf}])
def test_an_input_without_direction_is_refused(world, change):
    with pytest.raises(CiphersetError) as refused:
        ModelInverter(model=world[0], **({"dim": DIM} | change))
    assert refused.value.code == "model_size"


@pytest.mark.parametrize(
    "means", [np.ones((CLASSES, DIM + 1)), np.ones((CLASSES - 1, DIM))], ids=["width", "classes"]
)
def test_other_class_means_are_refused(world, means):
    with pytest.raises(CiphersetError) as refused:
        ModelInverter(model=world[0], dim=DIM).run(means, 0)
    assert refused.value.code == "dimension"
