"""A linear head is copied exactly from probabilities, less well from labels."""

import numpy as np
import pytest
from model_attacks_samples import clusters, head_of, unit
from scipy.spatial.distance import cdist
from scipy.special import log_softmax

from cipherset.core.errors import CiphersetError
from cipherset.evidence.attack.model import Answers, Extraction, LinearHead
from cipherset.evidence.attack.model.extraction import RANDOM, copied, fit_kernel
from cipherset.evidence.attack.outcome import Knowledge, Metric

CLASSES = 6


@pytest.fixture(scope="module")
def curve():
    rng = np.random.default_rng(0)
    x, y = clusters(rng, n=1200, dim=16, classes=CLASSES, spread=1.5)
    victim = head_of(x[:600], y[:600], CLASSES)
    found = Extraction(victim=victim, queries=x[600:800], rows=x[800:], counts=(50, 200, 5000)).run(
        1
    )
    return {(p.source, p.answers, p.n_queries): p for p in found}


def test_probabilities_give_an_exact_copy_of_a_linear_head(curve):
    point = curve["own vectors", Answers.PROBABILITIES, 200]
    assert point.agreement.value > 0.99
    assert point.surrogate == "solved"
    assert curve[RANDOM, Answers.PROBABILITIES, 200].agreement.value > 0.99


def test_less_is_told_less_is_copied(curve):
    labels, rounded, full = (
        curve["own vectors", answers, 200].agreement.value
        for answers in (Answers.LABELS, Answers.ROUNDED, Answers.PROBABILITIES)
    )
    assert 0.5 < labels < full
    assert rounded < full


def test_more_queries_copy_more_and_too_many_are_left_out(curve):
    few, many = (curve["own vectors", Answers.LABELS, n].agreement for n in (50, 200))
    assert few.low < few.value < many.value
    assert {n for _, _, n in curve} == {50, 200}


def test_outcome_says_what_was_asked(curve):
    line = curve["own vectors", Answers.LABELS, 50].outcome("extraction")
    assert (line.metric, line.knowledge) == (Metric.AGREEMENT, Knowledge.MODEL_QUERIES)
    assert line.given == "50 queries; own vectors; answers: labels"
    assert 1 / CLASSES <= line.chance < line.value
    assert line.ci[0] <= line.value <= line.ci[1]


def test_a_random_model_is_copied_no_better_than_chance():
    rng = np.random.default_rng(3)
    x = unit(rng.normal(size=(700, 8)))

    def noise(rows):
        return log_softmax(np.random.default_rng(4).normal(size=(len(rows), CLASSES)), axis=1)

    for point in Extraction(victim=noise, queries=x[:100], rows=x[100:], counts=(100,)).run(0):
        assert point.agreement.low <= 1 / CLASSES + 0.02


def test_a_model_that_is_not_linear_is_copied_by_the_kernel():
    rng = np.random.default_rng(5)
    x = unit(rng.normal(size=(1500, 4)))

    def even(rows):  # the sign of a product: no linear head knows it
        bent = 40 * rows[:, 0] * rows[:, 1]
        return log_softmax(np.stack([bent, -bent], axis=1), axis=1)

    (point, *_) = Extraction(
        victim=even, queries=x[:700], rows=x[700:], counts=(700,), answers=(Answers.LABELS,)
    ).run(0)
    assert point.surrogate == "kernel"
    assert point.agreement.low > 0.85


def test_kernel_is_the_slow_one():
    rng = np.random.default_rng(6)
    x, told, rows = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), rng.normal(size=(4, 3))
    width = np.median(cdist(x, x) ** 2)

    def kernel(a, b):
        return np.exp(-sum((a - b) ** 2) / width)

    gram = np.array([[kernel(a, b) for b in x] for a in x]) + 0.01 * np.eye(9)
    weights = np.linalg.inv(gram) @ (told - told.mean(axis=0))
    slow = [sum(kernel(r, a) * w for a, w in zip(x, weights, strict=True)) for r in rows]
    assert np.allclose(fit_kernel(x, told)(rows), np.array(slow) + told.mean(axis=0))


def test_the_copy_is_fitted_on_all_queries():
    rng = np.random.default_rng(8)
    head = LinearHead(rng.normal(size=(10, 3)), np.zeros(3))
    x = rng.normal(size=(12, 10))  # 10 of 12 would not determine 11 parameters
    name, copy = copied(x, head(x), Answers.PROBABILITIES)
    assert (name == "kernel") or np.allclose(copy(x), head(x), atol=1e-3)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"queries": np.zeros(3)}, "dimension"),
        ({"queries": np.zeros((0, 2))}, "no_rows"),
        ({"queries": np.full((20, 2), np.inf)}, "not_finite"),
        ({"rows": np.zeros((3, 1))}, "dimension"),
        ({"counts": ()}, "n_queries"),
        ({"counts": (5,)}, "n_queries"),
        ({"counts": (100,)}, "n_queries"),
    ],
)
def test_refusals(change, code):
    fine = {"queries": np.zeros((20, 2)), "rows": np.zeros((3, 2)), "counts": (10,)}
    with pytest.raises(CiphersetError) as refused:
        Extraction(victim=lambda rows: np.zeros((len(rows), 2)), **(fine | change))
    assert refused.value.code == code
