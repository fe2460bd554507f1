"""A deployed model that tells several labels of each row: bounded, and told as a list."""

import json

import numpy as np
import pytest
import serving_thread
from onnx import TensorProto, helper
from serving_models import GIGABYTE, NAMES, graph

from cipherset.app.serving.lab.evaluate import evaluate_upload
from cipherset.app.serving.models.answer import Precision, Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.serving.models.sandbox.keeper import ModelWorker
from cipherset.app.serving.models.sandbox.worker import Job
from cipherset.app.serving.probing.measure import measure_copies
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import Task
from cipherset.pipeline.train import check_model, load_bundle

X = np.random.default_rng(1).normal(size=(20, 4)).astype("f4")


def answering(weights: np.ndarray) -> ModelWorker:
    """Of a model whose answer is ``x @ weights``, cut to whole numbers."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Cast", ["z"], ["labels"], to=TensorProto.INT64),
    ]
    outputs = [("labels", TensorProto.INT64, [None, weights.shape[1]])]
    raw = graph(nodes, outputs, {"w": weights.astype("f4")})
    checked = check_model(raw, dim=4, task=Task.MULTILABEL)
    told = Job(checked.input, checked.output, None, 4, NAMES, GIGABYTE, several=True)
    return ModelWorker(told, checked.onnx)


def test_zeros_and_ones_are_an_answer():
    worker = answering(np.zeros((4, 3)))
    try:
        assert worker.run(X).labels.tolist() == [[0, 0, 0]] * len(X)
    finally:
        worker.close()


@pytest.mark.parametrize("weights", [1e6 * np.eye(4, 3), np.zeros((4, 4))])
def test_what_a_model_sees_is_none_and_neither_are_more_labels_than_it_has(weights):
    worker = answering(weights)
    try:
        with pytest.raises(CiphersetError) as refused:
            worker.run(X)
    finally:
        worker.close()
    assert refused.value.code == "model_output"


def test_a_model_of_sets_is_served(tmp_path):
    owner = serving_thread.set_owner(tmp_path / "owner")
    x, labels = serving_thread.vectors(60, seed=3)
    with hold(owner.session) as session, open_models(session) as models:
        answer = models.predict(session, "router", Question(vectors=x))
        with pytest.raises(CiphersetError) as refused:
            models.predict(session, "router", Question(vectors=x, precision=Precision.ROUNDED))
        serving_thread.told_assessed(session, models, n_star=None, n_star_noise_free=None)
    assert refused.value.code in {"no_scores", "not_allowed", "budget"}
    told = answer.as_json()["predictions"]
    assert answer.classes == ("steep", "topic-0", "topic-1", "topic-2")
    right = [f"topic-{label}" in each["label"] for each, label in zip(told, labels, strict=True)]
    assert np.mean(right) > 0.8
    with open_workspace(owner.session) as workspace:
        events = list(workspace.gate.ledger.events())
    done = [e for e in events if e.action == "predict" and e.outcome == "done"]
    assert set(json.loads(done[-1].body)["labels"]) <= set("0123+,none")


def test_figures_with_noise_are_not_told_of_sets(tmp_path):
    owner = serving_thread.set_owner(tmp_path / "owner")
    bundle = load_bundle(owner.bundle)
    with pytest.raises(CiphersetError) as refused:
        evaluate_upload(owner.session, bundle, bundle.manifest.trained_on.manifest)
    assert refused.value.code == "task"
    assert "several labels" in refused.value.message


@pytest.mark.extra
def test_copies_of_a_model_of_sets_are_not_measured(tmp_path):
    owner = serving_thread.set_owner(tmp_path / "owner")
    with pytest.raises(CiphersetError) as refused:
        measure_copies(owner.session, owner.bundle)
    assert refused.value.code == "few_to_copy"
