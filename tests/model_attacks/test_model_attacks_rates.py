"""True positives at few false ones, the area, and how a rate of none is told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from cipherset.core.errors import CiphersetError
from cipherset.evidence.attack.model.rates import area_under_roc, rate, tpr_at_fpr


def slow_tpr(scores, members, false_rate):
    """The best threshold among all that are allowed."""
    inside, outside = scores[members], scores[~members]
    thresholds = [*scores, np.inf]
    allowed = [t for t in thresholds if sum(outside >= t) <= false_rate * len(outside)]
    return max(sum(inside >= t) / len(inside) for t in allowed)


@given(st.integers(0, 2**32), st.integers(2, 60), st.sampled_from([0.0, 0.01, 0.1, 0.5]))
@settings(deadline=None)
def test_rate_is_that_of_the_best_threshold(seed, n, false_rate):
    rng = np.random.default_rng(seed)
    scores = rng.integers(6, size=n).astype(float)  # ties are likely
    members = np.arange(n) < rng.integers(1, n)
    assert tpr_at_fpr(scores, members, false_rate, n=(n, n)).value == pytest.approx(
        slow_tpr(scores, members, false_rate)
    )


def test_known_rates():
    members = np.arange(200) < 100
    scores = np.where(members, 1.0, 0.0)
    assert tpr_at_fpr(scores, members, 0.01, n=(100, 100)).value == 1.0
    assert tpr_at_fpr(-scores, members, 0.01, n=(100, 100)).value == 0.0
    assert tpr_at_fpr(np.zeros(200), members, 0.01, n=(100, 100)).value == 0.0
    scores[100] = 1.0  # the one false positive that 1 % of 100 allows
    assert tpr_at_fpr(scores, members, 0.01, n=(100, 100)).value == 1.0
    assert tpr_at_fpr(scores, members, 0.001, n=(100, 100)).value == 0.0


def test_all_false_positives_allowed_is_no_index_error():
    members = np.array([True, False])
    assert tpr_at_fpr(np.array([0.0, 1.0]), members, 0.99, n=(1, 1)).value == 0.0


@given(st.integers(0, 2**32), st.integers(2, 60))
@settings(deadline=None)
def test_area_is_that_of_the_library(seed, n):
    rng = np.random.default_rng(seed)
    scores, members = rng.integers(6, size=n).astype(float), np.arange(n) < rng.integers(1, n)
    found = area_under_roc(scores, members, n=n)
    assert found.value == pytest.approx(roc_auc_score(members, scores))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_interval_of_the_area_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    members = np.arange(200) < 100
    covered = 0
    for _ in range(300):
        found = area_under_roc(rng.normal(size=200), members, n=100)
        covered += found.low <= 0.5 <= found.high
    assert covered / 300 == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("false_rate", [0.01, 0.05])
def test_interval_of_the_rate_covers_as_often_as_it_says(false_rate):
    """At chance the true rate is the false one, also where the threshold rests on two rows."""
    rng = np.random.default_rng(1)
    members = np.arange(400) < 200
    covered = 0
    for _ in range(200):
        found = tpr_at_fpr(rng.normal(size=400), members, false_rate, n=(200, 200))
        covered += found.low <= false_rate <= found.high
    assert covered / 200 >= 0.95


def test_none_of_n_is_told_as_a_bound():
    assert rate(0.0, 150).text == "<= 0.02"
    assert rate(0.0, 2).text == "<= 1"
    assert rate(0.5, 100).text == "0.500 (0.398 to 0.602)"


@pytest.mark.parametrize("members", [[True, True], [False, False]])
@pytest.mark.parametrize("measured", [lambda s, m: tpr_at_fpr(s, m, 0.1, n=(1, 1)),
                                      lambda s, m: area_under_roc(s, m, n=1)])  # fmt: skip
def test_one_side_only_is_refused(members, measured):
    with pytest.raises(CiphersetError) as refused:
        measured(np.zeros(2), np.array(members))
    assert refused.value.code == "no_rows"
