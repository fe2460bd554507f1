"""Where the lab says no: places, processes that end, rows that are too few or have no classes."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import serving_thread
from lab_models import uploaded
from serving_thread import Owner

from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.keys import create
from cipherset.app.models import TrainRequest, TrainSpec, evaluate, train
from cipherset.app.serving.lab import evaluate as lab
from cipherset.app.serving.lab.evaluate import MOST_AT_ONCE, evaluate_upload
from cipherset.app.serving.lab.jobs import MOST_WAITING, Jobs
from cipherset.app.serving.lab.process import Training, TrainingLimits, refusal_of
from cipherset.app.serving.lab.recipes import SearchSpace
from cipherset.app.serving.lab.splits import Split, check_rows
from cipherset.app.serving.lab.train import Order, train_order
from cipherset.app.serving.lab.trainer import Work, packed
from cipherset.app.serving.lab.upload import read_upload
from cipherset.app.workspace import hold
from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.export import open_cipherset

LINEAR = SearchSpace.model_validate({"models": [{"kind": "logistic"}]})
QUICK = TrainingLimits(cpu_s=60, wall_s=120.0, shadows=4)


def refused(work):
    with pytest.raises(CiphersetError) as found:
        work()
    return found.value.code


def owner_of(folder, labels, *, label="score"):
    """Of vectors whose labels are these numbers, or that have none."""
    owner = Owner(folder)
    folder.mkdir()
    x, _ = serving_thread.vectors(len(labels), seed=1)
    rows = [{"vec": v.tolist(), "score": float(y)} for v, y in zip(x, labels, strict=True)]
    pq.write_table(pa.Table.from_pylist(rows), owner.rows)
    create(owner.session, "support", purpose="", provider=None, only_in=())
    settings = {"minimize": "pca:3", "approximation_factor": 5.0, "accept_risk": "a test"}
    roles = ColumnRoles((), "vec", label)
    protect(
        owner.session,
        ProtectRequest(str(owner.rows), roles, "support", owner.cipherset, **settings),
    )
    return owner


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """An owner of rows with numbers, and a model of them."""
    x, _ = serving_thread.vectors(200, seed=1)
    owner = owner_of(tmp_path_factory.mktemp("numbers") / "folder", 3 * x[:, 0] + x[:, 1])
    train(TrainRequest(owner.cipherset, owner.bundle, TrainSpec(ModelKind.LOGISTIC)))
    return owner


def test_numbers_are_scored_too(numbers):
    parts = [(numbers.bundle / name).read_bytes() for name in ("bundle.json", "model.onnx")]
    digest = open_cipherset(numbers.cipherset).manifest_digest
    found = evaluate_upload(numbers.session, read_upload(*parts), digest).figures
    exact = evaluate(numbers.session, numbers.bundle, str(numbers.cipherset))
    assert found["n"] == exact.n
    assert abs(found["mae"] - exact.mae) < 6 * found["mae_deviation"]
    assert found["r2"] <= 1.0


def test_numbers_are_not_trained_where_membership_cannot_be_measured(numbers):
    order = Order(open_cipherset(numbers.cipherset).manifest_digest, LINEAR)
    with hold(numbers.session) as session:
        assert refused(lambda: train_order(session, order, Training(), QUICK)) == "train_task"


def test_rows_without_labels(tmp_path):
    owner = owner_of(tmp_path / "folder", np.zeros(60), label=None)
    order = Order(open_cipherset(owner.cipherset).manifest_digest, LINEAR)
    with hold(owner.session) as session:
        assert refused(lambda: train_order(session, order, Training(), QUICK)) == "no_label"


def test_few_rows_are_not_scored():
    split = Split(np.zeros((19, 2), dtype=np.float32), np.zeros(19))
    assert refused(lambda: check_rows(split)) == "evaluate_rows"


def test_only_so_many_are_scored_at_once(numbers):
    parts = [(numbers.bundle / name).read_bytes() for name in ("bundle.json", "model.onnx")]
    manifest = json.loads(parts[0])
    digest = manifest["trained_on"]["manifest"]
    bundle = read_upload(*uploaded(numbers, parts[1], note=1.0))
    for _ in range(MOST_AT_ONCE):
        assert lab.PLACES.acquire(timeout=60)
    try:
        assert refused(lambda: evaluate_upload(numbers.session, bundle, digest)) == "busy"
    finally:
        for _ in range(MOST_AT_ONCE):
            lab.PLACES.release()


def test_only_so_many_jobs_wait(tmp_path):
    owner = serving_thread.vector_owner(tmp_path / "vectors")
    order = Order(open_cipherset(owner.cipherset).manifest_digest, LINEAR)
    with hold(owner.session) as session, Jobs(QUICK) as jobs:
        codes = []
        for _ in range(2 * MOST_WAITING):
            try:
                jobs.order(session, order)
            except CiphersetError as error:
                codes.append(error.code)
                break
        assert codes == ["busy"]


def test_a_process_that_ends_without_a_model():
    assert refused(lambda: Training().run(b"", QUICK)) == "training_ended"
    assert refusal_of({"memory": True}).code == "training_limits"


def test_what_the_process_refuses_is_refused_here():
    x, y = np.zeros((40, 3), dtype=np.float32), np.zeros(40, dtype=np.int64)
    work = Work(LINEAR.candidates(), 2, 0, 4, 60, 4_000_000_000)
    assert refused(lambda: Training().run(packed(work, [x, y, x, y]), QUICK)) == "one_class"


def test_a_training_that_was_stopped_does_not_start():
    training = Training()
    training.stop()
    assert refused(lambda: training.run(b"", QUICK)) == "training_canceled"


def test_nothing_of_the_rows_is_told_by_what_holds_them():
    split = Split(np.full((1, 2), 123.25, dtype=np.float32), np.array(["canary"]))
    assert "123.25" not in repr(split)
    assert "canary" not in repr(split)
