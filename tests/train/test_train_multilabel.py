"""Models that answer a set of labels: fitted, in ONNX, bounded in what they tell, and scored."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto
from sklearn.linear_model import LogisticRegression
from train_samples import DIM, Lab, bundle_of, graph, node

from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind, Task
from cipherset.core.sets import (
    balanced_hits,
    indicators,
    labels_of,
    names_in,
    prior_odds,
    set_of_cell,
    set_text,
    thresholds,
)
from cipherset.pipeline.train import (
    Bundle,
    TrainSpec,
    describe,
    run_labels,
    run_sets,
    score_sets,
    to_onnx,
    train_model,
)
from cipherset.pipeline.train.multilabel import logistic

NAMES = ("cold", "late", "lost")


def rows(n: int = 600, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and 0 or 1 for each of three labels; the last is rare."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, DIM)).astype(np.float32)
    scores = x[:, :3] + 0.3 * rng.standard_normal((n, 3))
    return x, (scores > np.array([0.0, 0.5, 1.3])).astype(np.int8)


def made(kind: ModelKind, *, balanced: bool = True) -> tuple[Bundle, object]:
    spec = TrainSpec(kind, balanced=balanced, hidden=(16,), epochs=5)
    model = train_model(*rows(), spec, task=Task.MULTILABEL, seed=0)
    onnx_model = to_onnx(model)
    manifest = describe(onnx_model, Lab(Task.MULTILABEL), {}, kind=kind)
    return Bundle(manifest, "sha256:" + "0" * 64, onnx_model), model


@pytest.mark.parametrize(
    ("kind", "balanced"),
    [(ModelKind.LOGISTIC, False), (ModelKind.LOGISTIC, True), (ModelKind.MLP, True)],
)
def test_a_model_answers_the_same_in_onnx_and_is_good(kind, balanced):
    bundle, model = made(kind, balanced=balanced)
    fresh, truth = rows(500, seed=4)
    answered = run_sets(bundle, fresh)
    assert answered.shape == truth.shape
    assert np.mean(answered == model.predict(fresh)) > 0.999
    scores = score_sets(answered, truth.astype(np.int64), NAMES)
    assert scores.balanced_accuracy > 0.85
    assert scores.micro_f1 > 0.75


def test_the_same_seed_gives_the_same_model():
    assert made(ModelKind.LOGISTIC)[0].onnx == made(ModelKind.LOGISTIC)[0].onnx


def test_all_labels_at_once_are_what_scikit_learn_fits_one_by_one():
    x, y = rows()
    together = logistic(x.astype(np.float64), y, inverse_penalty=0.5)
    for label in range(3):
        alone = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(x, y[:, label])
        matrix, offset = together.layers[0]
        np.testing.assert_allclose(matrix[:, label], alone.coef_[0], atol=2e-2)
        assert abs(offset[label] - alone.intercept_[0]) < 2e-2


def test_noise_does_not_keep_a_balanced_model_from_answering_queries_without():
    """Thresholds of the best F1 on noisy rows tell every label of nearly every row."""
    x, y = rows(4000)
    noisy = x + 6 * np.random.default_rng(1).standard_normal(x.shape)
    fresh, truth = rows(1000, seed=4)
    told = {}
    for balanced in (False, True):
        spec = TrainSpec(ModelKind.LOGISTIC, balanced=balanced)
        model = train_model(noisy, y, spec, task=Task.MULTILABEL, seed=0)
        told[balanced] = balanced_hits(model.predict(fresh), truth).mean()
    assert told[True] > 0.8
    assert told[False] < 0.7


@pytest.mark.parametrize("kind", [ModelKind.LOGISTIC, ModelKind.MLP])
def test_one_label_is_a_set_too(kind):
    """A lab may be handed such an export, whoever made it."""
    x, y = rows(300)
    spec = TrainSpec(kind, balanced=True, hidden=(8,))
    model = train_model(x, y[:, :1], spec, task=Task.MULTILABEL, seed=0)
    assert np.mean(model.predict(x) == y[:, :1]) > 0.8


def test_a_label_that_all_rows_have_or_none_is_no_trouble():
    x, y = rows(200)
    y[:, 0], y[:, 2] = 1, 0
    spec = TrainSpec(ModelKind.LOGISTIC, balanced=True)
    model = train_model(x, y, spec, task=Task.MULTILABEL, seed=0)
    assert np.isfinite(model.scores(x)).all()
    scores = score_sets(model.predict(x).astype(np.int64), y.astype(np.int64), NAMES)
    assert scores.balanced_accuracy > 0.8
    assert scores.labels["cold"] is None
    assert scores.labels["lost"] is None
    assert scores.labels["late"] > 0.8


def test_one_row_is_enough_to_fit_and_no_row_is_not():
    x, y = rows(1)
    for balanced in (False, True):
        spec = TrainSpec(ModelKind.LOGISTIC, balanced=balanced)
        assert train_model(x, y, spec, task=Task.MULTILABEL, seed=0).predict(x).shape == (1, 3)


@pytest.mark.parametrize(
    ("x", "y", "spec", "code"),
    [
        (np.zeros((0, 2)), np.zeros((0, 3)), TrainSpec(), "no_rows"),
        (np.zeros((2, 2)), np.zeros(2), TrainSpec(), "dimension"),
        (np.full((2, 2), np.nan), np.zeros((2, 3)), TrainSpec(), "not_finite"),
        (np.zeros((2, 2)), np.zeros((2, 3)), TrainSpec(ModelKind.BOOSTING), "model_kind"),
    ],
)
def test_what_cannot_be_trained_is_refused(x, y, spec, code):
    with pytest.raises(CiphersetError) as refused:
        train_model(x, y, spec, task=Task.MULTILABEL, seed=0)
    assert refused.value.code == code


def _looking(weights: np.ndarray, output: tuple[int, list[object]]) -> Bundle:
    """A model that tells what it sees, cast to whole numbers."""
    nodes = [node("MatMul", ["x", "w"], "z"), node("Cast", ["z"], to=TensorProto.INT64)]
    model = graph(nodes, output=output, constants={"w": weights.astype(np.float32)})
    return bundle_of(model.SerializeToString(), Task.MULTILABEL)


def test_a_model_that_prints_its_vector_tells_nothing():
    looking = _looking(1000 * np.eye(DIM, 3), (TensorProto.INT64, ["n", 3]))
    with pytest.raises(CiphersetError) as refused:
        run_sets(looking, rows(3)[0])
    assert refused.value.code == "model_output"


def test_a_model_of_more_labels_than_it_has_tells_nothing():
    wide = _looking(np.zeros((DIM, DIM)), (TensorProto.INT64, ["n", DIM]))
    with pytest.raises(CiphersetError) as refused:
        run_sets(wide, rows(3)[0])
    assert refused.value.code == "model_output"


def test_no_rows_are_answered_with_none_and_one_task_is_not_another():
    bundle, _ = made(ModelKind.LOGISTIC)
    assert run_sets(bundle, np.zeros((0, DIM), np.float32)).shape == (0, 3)
    with pytest.raises(CiphersetError) as refused:
        run_labels(bundle, rows(3)[0])
    assert refused.value.code == "task"


def test_scores_are_those_of_a_loop():
    _, truth = rows(200)
    predicted = rows(200, seed=9)[1].astype(np.int64)
    scores = score_sets(predicted, truth.astype(np.int64), NAMES)
    f1, balanced = [], []
    for label in range(3):
        p, t = predicted[:, label], truth[:, label]
        hit = int(((p == 1) & (t == 1)).sum())
        f1.append(2 * hit / (int(p.sum()) + int(t.sum())))
        balanced.append((p[t == 1].mean() + 1 - p[t == 0].mean()) / 2)
    assert scores.macro_f1 == pytest.approx(np.mean(f1))
    assert scores.balanced_accuracy == pytest.approx(np.mean(balanced))
    hits = int((predicted * truth).sum())
    assert scores.micro_f1 == pytest.approx(2 * hits / int(predicted.sum() + truth.sum()))
    assert scores.n == 200


def test_there_are_as_many_answers_as_truths():
    with pytest.raises(CiphersetError) as refused:
        score_sets(np.zeros((2, 3), np.int64), np.zeros((2, 2), np.int64), NAMES)
    assert refused.value.code == "row_count"


@given(
    st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 2.0]), min_size=1, max_size=12),
    st.data(),
)
def test_thresholds_are_the_best_of_all(scores, data):
    truth = data.draw(st.lists(st.integers(0, 1), min_size=len(scores), max_size=len(scores)))
    found = thresholds(np.array(scores)[:, None], np.array(truth, dtype=np.int8)[:, None])[0]

    def f1(at: float) -> float:
        told = [score > at for score in scores]
        hits = sum(1 for is_told, is_in in zip(told, truth, strict=True) if is_told and is_in)
        return 2 * hits / max(sum(told) + sum(truth), 1)

    tried = [-2.0, *(score - 0.1 for score in scores), 3.0]
    assert f1(found) == pytest.approx(max(map(f1, tried)))
    if not any(truth):
        assert found > max(scores)


def test_guessing_is_worth_a_half():
    truth = rows(500)[1]
    for guess in (np.zeros_like(truth), np.ones_like(truth)):
        assert balanced_hits(guess, truth).mean() == pytest.approx(0.5)
    assert balanced_hits(truth, truth).mean() == pytest.approx(1.0)
    same = np.ones((4, 2), np.int8)
    assert balanced_hits(same, same).tolist() == [0.5] * 4


def test_prior_odds_are_finite():
    truth = np.array([[1, 0, 1], [1, 0, 0]], dtype=np.int8)
    assert np.exp(prior_odds(truth)) == pytest.approx([3.0, 1 / 3, 1.0])


@given(st.sets(st.text(string.printable + "äß語", min_size=1, max_size=4), max_size=4))
def test_a_set_is_read_as_it_was_written(labels):
    assert labels_of(set_text(labels)) == tuple(sorted(labels))
    assert names_in([set_text(labels), "[]"]) == tuple(sorted(labels))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", "[]"),
        (" ; ", "[]"),
        ("late;cold; late", '["cold", "late"]'),
        ('["late", "cold; or so"]', '["cold; or so", "late"]'),
        ("[urgent];late", '["[urgent]", "late"]'),
        ("[1, 2]", None),
        ('["late", null]', None),
        ('["\\ud800"]', None),
    ],
)
def test_cells_hold_lists_or_texts_between_separators(cell, expected):
    assert set_of_cell(cell, ";") == expected


def test_indicators_leave_out_what_is_not_named():
    found = indicators([("late", "else"), ()], NAMES)
    assert found.tolist() == [[0, 1, 0], [0, 0, 0]]
