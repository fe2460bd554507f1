"""Trained at the gate over jobs: what comes out, what it costs, and what is not released."""

import json
import time

import numpy as np
import pytest
import serving_thread

from cipherset.app.models import evaluate
from cipherset.app.serving.lab.jobs import Jobs, JobState
from cipherset.app.serving.lab.process import Training, TrainingLimits
from cipherset.app.serving.lab.recipes import MOST_CANDIDATES, SearchSpace
from cipherset.app.serving.lab.train import Order, ask_for, train_order
from cipherset.app.serving.lab.trainer import Rows, Work, best, membership, scorer, trained
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles
from cipherset.custody.ledger.budgets import EVALUATIONS, QUERIES, all_spent
from cipherset.custody.ledger.records import runs_of
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import TrainSpec, train_classifier, write_bundle

QUICK = TrainingLimits(cpu_s=120, wall_s=300.0, shadows=8)
LINEAR = SearchSpace.model_validate(
    {"models": [{"kind": "logistic", "inverse_penalty": [0.001, 1.0]}]}
)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return serving_thread.vector_owner(tmp_path_factory.mktemp("vectors"))


@pytest.fixture(scope="module")
def digest(owner):
    return open_cipherset(owner.cipherset).manifest_digest


@pytest.fixture(scope="module")
def held(owner):
    with hold(owner.session) as session:
        yield session


@pytest.fixture(scope="module")
def made(held, digest):
    """One job, done."""
    with Jobs(QUICK) as jobs:
        job = jobs.order(held, Order(digest, LINEAR))
        done = ended(jobs, held, job.id)
        assert done["state"] == "done", done
        yield done, jobs.fetch(held, job.id)


def ended(jobs, session, job_id):
    end = time.monotonic() + 300
    while time.monotonic() < end:
        found = jobs.look(session, job_id)
        if found["state"] not in {"waiting", "running"}:
            return found
        time.sleep(0.05)
    raise TimeoutError


def refused(work):
    with pytest.raises(CiphersetError) as found:
        work()
    return found.value.code


def used(session, kind):
    with open_workspace(session) as workspace:
        found = workspace.gate.ledger.transact(all_spent)
    return {one.scope: one.used for one in found if one.kind == kind}


def test_the_model_is_bound_to_the_key_and_right(owner, made, tmp_path):
    told, trained_ = made
    bundle = write_bundle(tmp_path / "gate.bundle", trained_.bundle.onnx, trained_.bundle.manifest)
    assert bundle.digest == told["bundle"]
    assert (bundle.manifest.at_gate, bundle.manifest.dim) == (True, serving_thread.DIM)
    exact = evaluate(owner.session, tmp_path / "gate.bundle", str(owner.cipherset))
    figures = told["figures"]
    assert abs(figures["accuracy"] - exact.accuracy) < 6 * figures["accuracy_deviation"]
    assert exact.accuracy > 0.7


def test_what_it_gives_away_was_measured(held, made):
    told, _ = made
    found = told["membership"]
    assert found["metric"] == "tpr_at_fpr_0.01"
    assert found["ci"][0] <= found["value"] <= found["ci"][1]
    assert found["ci"][0] <= found["limit"]
    with open_workspace(held) as workspace:
        events = [e for e in workspace.gate.ledger.events() if e.action == "train.at-gate"]
    bodies = [json.loads(e.body) for e in events if e.outcome == "done"]
    (body,) = [each for each in bodies if each.get("bundle") == told["bundle"]]
    assert body["membership_low"] == found["ci"][0]


def test_each_candidate_is_a_question_and_the_figures_an_evaluation(held, made, digest):
    assert used(held, QUERIES)[digest] >= 2
    assert max(used(held, EVALUATIONS).values()) >= 1


def test_the_model_is_in_the_ledger_as_made_of_the_export(held, made, digest):
    bundle = made[0]["bundle"]
    with open_workspace(held) as workspace:
        assert workspace.gate.ledger.asset(bundle).kind == "model"
        (run,) = workspace.gate.ledger.transact(lambda t: runs_of(t.connection, bundle))
    assert (run.kind, run.inputs, run.outputs) == ("train", (digest,), (bundle,))


# ---- what is not released


def scattered(n, *, seed, classes=4, dim=24):
    """Rows whose labels say nothing of them: what fits them has them by heart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Rows(x.astype(np.float32), rng.integers(classes, size=n))


def work(spec, *, shadows=8):
    return Work((spec,), 4, 0, shadows, 60, 4_000_000_000)


BY_HEART = TrainSpec(ModelKind.BOOSTING, trees=60)
SMALL = TrainSpec(ModelKind.LOGISTIC, inverse_penalty=0.01)


def measured(spec):
    train, test = scattered(300, seed=1), scattered(150, seed=2)
    model = train_classifier(train.x, train.y, spec, seed=0)
    return membership(work(spec), spec, scorer(model, 4), train, test)[1]


def test_a_model_that_has_its_rows_by_heart_is_told_and_a_small_one_is_not():
    assert measured(BY_HEART).low > 0.1
    assert measured(SMALL).low < 0.05


def test_a_model_that_has_its_rows_by_heart_is_not_released(tmp_path):
    owner = scattered_owner(tmp_path / "scattered")
    digest = open_cipherset(owner.cipherset).manifest_digest
    space = SearchSpace.model_validate({"models": [{"kind": "boosting", "trees": [60]}]})
    with hold(owner.session) as session:
        run = refused(lambda: train_order(session, Order(digest, space), Training(), QUICK))
        assert run == "membership"
        with open_workspace(session) as workspace:
            last = list(workspace.gate.ledger.events())[-1]
    body = json.loads(last.body)
    assert (last.outcome, body["code"]) == ("refused", "membership")
    assert body["membership_low"] > body["membership_limit"]
    assert "bundle" not in body


def scattered_owner(folder):
    rows = scattered(1200, seed=5, classes=3, dim=serving_thread.DIM)
    table = [
        {"vec": x.tolist(), "topic": f"topic-{y}"} for x, y in zip(rows.x, rows.y, strict=True)
    ]
    owner = serving_thread.Owner(folder)
    return serving_thread._made(owner, table, ColumnRoles((), "vec", "topic"), None)


def test_the_best_candidate_is_taken():
    train = scattered(200, seed=3)
    told = np.argmax(train.x[:, :4], axis=1)
    weak, strong = (TrainSpec(ModelKind.LOGISTIC, inverse_penalty=c) for c in (1e-4, 100.0))
    asked = Work((weak, strong), 4, 0, 4, 60, 1)
    assert best(asked, Rows(train.x, told)) == 1


def test_rows_of_one_class_are_not_trained_on():
    rows = scattered(40, seed=4)
    alone = Rows(rows.x, np.zeros(40, dtype=np.int64))
    assert refused(lambda: trained(work(SMALL), alone, alone)) == "one_class"


# ---- what is not asked so, and what ends early


def test_a_search_space_is_declared_and_bounded():
    many = {"models": [{"kind": "mlp", "hidden": [[4]] * 9, "epochs": [1] * 9}]}
    assert MOST_CANDIDATES < 81
    assert refused(SearchSpace.model_validate(many).candidates) == "candidates"


def test_an_export_that_is_not_there(held):
    order = Order("sha256:" + "0" * 64, LINEAR)
    assert refused(lambda: ask_for(held, order)) == "cipherset_unknown"
    assert refused(lambda: train_order(held, order, Training(), QUICK)) == "cipherset_unknown"


def test_a_job_is_canceled_before_and_while_it_runs(held, digest):
    long = SearchSpace.model_validate(
        {"models": [{"kind": "mlp", "hidden": [[512, 512]] * 8, "epochs": [200]}]}
    )
    with Jobs(QUICK) as jobs:
        first, second = (jobs.order(held, Order(digest, long)) for _ in range(2))
        assert refused(lambda: jobs.fetch(held, first.id)) == "job_unfinished"
        assert jobs.cancel(held, second.id)["state"] == JobState.CANCELED
        jobs.cancel(held, first.id)
        assert ended(jobs, held, first.id)["state"] == JobState.CANCELED
        assert refused(lambda: jobs.look(held, "0" * 16)) == "job_unknown"


def test_a_job_that_takes_too_much_ends(held, digest):
    long = SearchSpace.model_validate(
        {"models": [{"kind": "mlp", "hidden": [[512, 512]] * 8, "epochs": [200]}]}
    )
    for limits in (TrainingLimits(cpu_s=1, wall_s=600.0), TrainingLimits(wall_s=0.1)):
        order = Order(digest, long)
        code = refused(lambda o=order, m=limits: train_order(held, o, Training(), m))
        assert code == "training_limits"
