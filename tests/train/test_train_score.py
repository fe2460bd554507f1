"""Scores against the ten-line loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.pipeline.train import score_labels, score_values

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(PAIRS)
def test_label_scores_are_those_of_a_loop(pairs):
    predicted, truth = (np.array(column) for column in zip(*pairs, strict=True))
    f1 = []
    for label in set(truth.tolist()):
        hit = sum(p == label == t for p, t in pairs)
        said, had = sum(p == label for p, _ in pairs), sum(t == label for _, t in pairs)
        f1.append(2 * hit / (said + had))
    scores = score_labels(predicted, truth)
    assert scores.accuracy == pytest.approx(sum(p == t for p, t in pairs) / len(pairs))
    assert scores.macro_f1 == pytest.approx(sum(f1) / len(f1))
    assert scores.n == len(pairs)


@given(PAIRS)
def test_value_scores_are_those_of_a_loop(pairs):
    predicted, truth = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    mean = sum(truth) / len(truth)
    rest = sum((t - p) ** 2 for p, t in zip(predicted, truth, strict=True))
    total = sum((t - mean) ** 2 for t in truth)
    scores = score_values(predicted, truth)
    assert scores.r2 == pytest.approx(1 - rest / total if np.ptp(truth) else 0.0)
    assert scores.mae == pytest.approx(sum(abs(predicted - truth)) / len(truth))


@pytest.mark.parametrize("score", [score_labels, score_values])
@pytest.mark.parametrize("shapes", [((0,), (0,)), ((3,), (2,)), ((3, 1), (3, 1))])
def test_there_is_one_prediction_for_each_row(score, shapes):
    with pytest.raises(InputError) as caught:
        score(np.zeros(shapes[0]), np.zeros(shapes[1]))
    assert caught.value.code == "row_count"
