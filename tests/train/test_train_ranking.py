"""Rows of a group put in order: the figures, by a loop, and what has no order."""

import math
import tracemalloc

import numpy as np
import pytest

from cipherset.core.errors import CiphersetError
from cipherset.pipeline.train import score_ranking

GROUPS = np.repeat(np.arange(12), 5)


def graded(seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Predictions that know something of grades from 0 to 3; one group has one grade only."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=len(GROUPS)).astype(np.float64)
    truth[:5] = 2.0
    return truth + rng.standard_normal(len(truth)), truth


def test_figures_are_those_of_a_loop():
    predicted, truth = graded()
    ndcg, right, pairs = [], 0, 0
    for group in range(1, 12):
        p, t = predicted[group == GROUPS], truth[group == GROUPS]
        told = [t[i] for i in np.argsort(-p)]
        gained = sum(grade / math.log2(place + 2) for place, grade in enumerate(told))
        best = sum(grade / math.log2(place + 2) for place, grade in enumerate(sorted(t)[::-1]))
        ndcg.append(gained / best)
        for i in range(5):
            for j in range(5):
                if t[i] > t[j]:
                    right, pairs = right + (p[i] > p[j]), pairs + 1
    scores = score_ranking(predicted, truth, GROUPS)
    assert scores.ndcg_at_10 == pytest.approx(np.mean(ndcg))
    assert scores.pairwise_accuracy == pytest.approx(right / pairs)
    assert (scores.groups, scores.n) == (11, 60)


def test_only_the_order_counts_and_a_tie_is_half_right():
    predicted, truth = graded()
    scores = score_ranking(predicted, truth, GROUPS)
    stretched = score_ranking(np.exp(predicted) + GROUPS, truth - 7, GROUPS)
    assert stretched.pairwise_accuracy == pytest.approx(scores.pairwise_accuracy)
    assert stretched.ndcg_at_10 == pytest.approx(scores.ndcg_at_10)
    same = score_ranking(np.zeros(60), truth, GROUPS)
    assert same.pairwise_accuracy == pytest.approx(0.5)
    shuffled = np.random.default_rng(0).permutation(60)
    moved = score_ranking(predicted[shuffled], truth[shuffled], GROUPS[shuffled])
    assert moved.ndcg_at_10 == pytest.approx(scores.ndcg_at_10)


def test_where_no_grades_differ_there_is_no_order():
    with pytest.raises(CiphersetError) as refused:
        score_ranking(np.zeros(10), np.ones(10), np.zeros(10, dtype=np.int64))
    assert refused.value.code == "ranking_groups"


@pytest.mark.parametrize("grades", [2, 4, 1000])
@pytest.mark.parametrize("steps", [3, 10**6])
def test_a_group_of_all_rows_is_scored_as_by_pairs(grades, steps):
    rng = np.random.default_rng(3)
    truth = np.minimum(rng.geometric(1.5 / grades, size=1500), grades).astype(np.float64)
    predicted = np.round((truth + grades * rng.standard_normal(1500)) * steps / grades)
    scores = score_ranking(predicted, truth, np.zeros(1500, dtype=np.int64))
    higher = truth[:, None] > truth[None]
    ahead = np.sign(predicted[:, None] - predicted[None])[higher]
    assert scores.pairwise_accuracy == (1 + ahead).sum() / 2 / len(ahead)


def test_work_and_memory_of_a_large_group_grow_like_its_rows(growth):
    rng = np.random.default_rng(3)

    def score(n):
        truth = rng.integers(n, size=n).astype(np.float64)
        score_ranking(truth + rng.standard_normal(n), truth, np.zeros(n, dtype=np.int64))

    assert growth(score, 5_000, 40_000) < 3 * 8
    tracemalloc.start()
    score(40_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000 * 500
