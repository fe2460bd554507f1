"""Each family learns, converts, and answers the same in ONNX as before."""

import numpy as np
import pytest
from train_samples import CLASSES, DIM, Lab, numbers, rows

from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind, Task
from cipherset.pipeline.train import (
    Bundle,
    TrainSpec,
    describe,
    run_labels,
    run_values,
    score_labels,
    score_values,
    to_onnx,
    train_model,
)

KINDS = [ModelKind.LOGISTIC, ModelKind.MLP, ModelKind.BOOSTING]


def bundle(kind: ModelKind, task: Task, onnx_model: bytes) -> Bundle:
    manifest = describe(onnx_model, Lab(task), {"lab_accuracy": 1}, kind=kind)
    return Bundle(manifest, "sha256:" + "0" * 64, onnx_model)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_answers_the_same_in_onnx(kind, classes):
    x, y = rows()
    y = np.where(y == "fine", "good", y) if classes == 2 else y
    model = train_model(x, y, TrainSpec(kind, trees=30), task=Task.CLASSIFICATION, seed=0)
    made = bundle(kind, Task.CLASSIFICATION, to_onnx(model))
    fresh, truth = rows(2000, seed=6)
    codes = run_labels(made, fresh)
    assert np.mean(np.array(CLASSES)[codes] == model.predict(fresh)) > 0.999
    truth = np.where(truth == "fine", "good", truth) if classes == 2 else truth
    scores = score_labels(codes, np.array([CLASSES.index(name) for name in truth]))
    assert scores.accuracy > 0.88
    assert scores.n == 2000


@pytest.mark.parametrize("kind", KINDS)
def test_a_regressor_answers_the_same_in_onnx_to_one_step(kind):
    x, y = numbers()
    model = train_model(x, y, TrainSpec(kind, trees=30), task=Task.REGRESSION, seed=0)
    made = bundle(kind, Task.REGRESSION, to_onnx(model))
    fresh, truth = numbers(2000, seed=6)
    found = run_values(made, fresh)
    bounds = made.manifest.value_range
    step = (bounds.high - bounds.low) / 255
    expected = np.clip(model.predict(fresh), bounds.low, bounds.high)
    assert np.abs(found - expected).max() < 0.6 * step
    assert len(np.unique(found)) <= 256
    assert score_values(found, truth).r2 > 0.8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_the_same_seed_gives_the_same_model(kind, task):
    x, y = rows() if task is Task.CLASSIFICATION else numbers()
    spec = TrainSpec(kind, epochs=5, trees=5)
    made = [to_onnx(train_model(x, y, spec, task=task, seed=3)) for _ in range(2)]
    assert made[0] == made[1]


def test_integer_classes_are_positions():
    x, y = rows()
    codes = np.array([CLASSES.index(name) for name in y])
    model = train_model(x, codes, TrainSpec(), task=Task.CLASSIFICATION, seed=0)
    made = bundle(ModelKind.LOGISTIC, Task.CLASSIFICATION, to_onnx(model))
    assert np.array_equal(run_labels(made, x), model.predict(x))


X, Y = rows(20)


@pytest.mark.parametrize(
    ("x", "y", "task", "code"),
    [
        (X, Y[:-1], Task.CLASSIFICATION, "dimension"),
        (X[0], Y, Task.CLASSIFICATION, "dimension"),
        (X[:0], Y[:0], Task.CLASSIFICATION, "no_rows"),
        (X[:0], np.zeros(0), Task.REGRESSION, "no_rows"),
        (X, np.full(20, "good"), Task.CLASSIFICATION, "one_class"),
        (np.full((20, DIM), np.nan), Y, Task.CLASSIFICATION, "not_finite"),
        (X, np.full(20, np.inf), Task.REGRESSION, "not_finite"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(x, y, task, code):
    with pytest.raises(CiphersetError) as caught:
        train_model(x, y, TrainSpec(), task=task, seed=0)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": ModelKind.EXTERNAL}, "model_kind"),
        ({"hidden": (0,)}, "model_size"),
        ({"epochs": 0}, "model_size"),
        ({"trees": -1}, "model_size"),
        ({"inverse_penalty": 0.0}, "model_size"),
        ({"inverse_penalty": float("nan")}, "model_size"),
    ],
)
def test_what_cannot_be_trained_is_refused(fields, code):
    with pytest.raises(CiphersetError) as caught:
        TrainSpec(**fields)
    assert caught.value.code == code


def test_a_model_that_is_not_fitted_is_not_converted():
    from sklearn.linear_model import Ridge

    with pytest.raises(CiphersetError) as caught:
        to_onnx(Ridge())
    assert caught.value.code == "model_not_fitted"
