"""Deployed models answer through the gate: by policy, signed, recorded, no more after a stop."""

import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import serving_thread
from onnx import TensorProto, helper, load_model_from_string
from serving_models import graph
from serving_thread import CLASSES, told_assessed, vectors
from sqlalchemy import event

from cipherset.app.access import activation
from cipherset.app.assets.standing import approve, suspend
from cipherset.app.keys import destroy, retire, rotate
from cipherset.app.models import TrainRequest, TrainSpec, predict, train
from cipherset.app.serving.models.answer import (
    MOST_INPUTS,
    Answer,
    Precision,
    Predicted,
    Question,
)
from cipherset.app.serving.models.predict import open_models
from cipherset.app.serving.models.signed import ANSWER_TYPE, Said, verified_statement
from cipherset.app.workspace import hold, open_workspace
from cipherset.core import canonical
from cipherset.core.envelope import fingerprint, public_key_of, sign
from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind, Task, ValueRange
from cipherset.custody.ledger import PAIRS_NOISE_FREE, QUERIES
from cipherset.custody.ledger.budgets import spent
from cipherset.custody.policy import BuiltIn, Policies, builtin
from cipherset.pipeline.train import load_bundle, run_sets, write_bundle


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return serving_thread.vector_owner(tmp_path_factory.mktemp("vectors"))


@pytest.fixture
def changed(owner, tmp_path):
    """A copy to change."""
    return serving_thread.copied(owner, tmp_path / "copy")


@pytest.fixture(scope="module")
def served(owner):
    with hold(owner.session) as session, open_models(session) as models:
        yield session, models


X, LABELS = vectors(40, seed=3)


def refused(work):
    with pytest.raises(CiphersetError) as found:
        work()
    return found.value.code


def labels(answer):
    return [each.label for each in answer.predictions]


def last(session, action="predict", outcome="done"):
    with open_workspace(session) as workspace:
        found = [e for e in workspace.gate.ledger.events() if e.action == action]
    return json.loads([e for e in found if e.outcome == outcome][-1].body)


def said_of(answer, question):
    return Said(
        answer.model,
        answer.precision.value,
        question.inputs(),
        [each.as_json() for each in answer.predictions],
        answer.nonce,
    )


def test_it_answers_as_the_command_does(owner, served):
    session, models = served
    x, _ = vectors()
    found = labels(models.predict(session, "router", Question(vectors=x[:50])))
    assert found == [each.label for each in predict(owner.session, owner.bundle, owner.rows)][:50]


def test_only_labels_are_told_unless_more_is_asked(served):
    session, models = served
    answer = models.predict(session, "router", Question(vectors=X))
    assert {tuple(each.as_json()) for each in answer.predictions} == {("label",)}


def test_the_answer_is_signed_and_tells_its_lineage(owner, served):
    session, models = served
    question = Question(vectors=X)
    answer = models.predict(session, "router", question)
    signer = fingerprint(public_key_of(models.signer))
    statement = verified_statement(answer.signature, said_of(answer, question), fingerprint=signer)
    model = models.models.find(session.home, "router")
    assert statement.lineage.model == model.bundle.digest
    assert statement.lineage.manifest == model.bundle.manifest.trained_on.manifest
    assert statement.lineage.key_id == model.bundle.manifest.key_id
    with open_workspace(session) as workspace:
        assert workspace.gate.ledger.run(statement.lineage.run).kind == "deploy"


@pytest.mark.parametrize("what", ["answer", "request", "model", "signer", "byte", "schema"])
def test_a_statement_does_not_fit_another_request_answer_model_or_signer(served, what):
    session, models = served
    question = Question(vectors=X[:2])
    answer = models.predict(session, "router", question)
    said, envelope, signer = said_of(answer, question), answer.signature, None
    expected = "answer_other"
    if what == "answer":
        said = replace(said, predictions=[{"label": "topic-0"}, {"label": "topic-9"}])
    elif what == "request":
        said = replace(said, inputs=X[2:4].tolist())
    elif what == "model":
        said = replace(said, name="other")
    elif what == "signer":
        signer, expected = "0" * 64, "signer"
    elif what == "byte":
        envelope, expected = envelope.replace("payloadType", "payloadtype"), "envelope_form"
    else:
        payload = canonical.encode({"signer": {"public_key": public_key_of(models.signer)}})
        envelope = sign(payload, ANSWER_TYPE, models.signer).decode()
        expected = "answer_schema"
    assert refused(lambda: verified_statement(envelope, said, fingerprint=signer)) == expected


def test_the_ledger_has_digests_lengths_and_codes_and_nothing_else(served):
    session, models = served
    answer = models.predict(session, "router", Question(vectors=X[:3]))
    body = last(session)
    assert body["lengths"] == ",".join([str(X.shape[1])] * 3)
    assert body["inputs"].split(",") == [
        models.digests.of(repr(x.tolist()).encode()) for x in X[:3]
    ]
    assert body["labels"].split(",") == [label[-1] for label in labels(answer)]
    assert not {"topic-0", str(X[0, 0])} & set(json.dumps(body))


def test_queries_are_counted(served):
    session, models = served
    digest = models.models.find(session.home, "router").bundle.digest

    def used():
        with open_workspace(session) as workspace:
            return workspace.gate.ledger.transact(lambda t: spent(t, QUERIES, digest))

    before = used()
    models.predict(session, "router", Question(vectors=X[:7]))
    assert used() == before + 7


@pytest.mark.parametrize(
    ("name", "question", "code"),
    [
        ("nobody", Question(vectors=X), "model_unknown"),
        ("../router", Question(vectors=X), "model_name"),
        ("router", Question(), "no_inputs"),
        ("router", Question(texts=("a",) * (MOST_INPUTS + 1)), "too_many_inputs"),
        ("router", Question(texts=("hello",)), "value_is_text"),
        ("router", Question(images=(b"a picture",)), "value_is_image"),
        ("router", Question(vectors=X[:, :3]), "dimension"),
        ("router", Question(vectors=X * np.float32("nan")), "not_finite"),
    ],
)
def test_what_is_not_asked_so(served, name, question, code):
    session, models = served
    assert refused(lambda: models.predict(session, name, question)) == code


def test_probabilities_are_not_given_before_the_export_was_assessed(served):
    session, models = served
    for precision in (Precision.ROUNDED, Precision.FULL):
        question = Question(vectors=X[:1], precision=precision)
        assert refused(lambda q=question: models.predict(session, "router", q)) == "not_assessed"
    assert last(session, "predict.scores", "refused")["code"] == "not_assessed"


def queries_of(session, name):
    with open_workspace(session) as workspace, open_models(session) as models:
        about = models.models.find(session.home, name).about
        return workspace.gate.ledger.transact(lambda t: spent(t, QUERIES, about.id))


def test_a_refused_question_for_probabilities_costs_no_query(changed):
    """Not assessed, beyond the cap of pairs: all that it costs is debited together, or nothing."""
    with hold(changed.session) as session, open_models(session) as models:
        full = Question(vectors=X[:5], precision=Precision.FULL)
        before = queries_of(session, "router")
        assert refused(lambda: models.predict(session, "router", full)) == "not_assessed"
        assert queries_of(session, "router") == before
        told_assessed(session, models, n_star=400, n_star_noise_free=4 * 4)
        assert refused(lambda: models.predict(session, "router", full)) == "budget"
        assert queries_of(session, "router") == before
        models.predict(session, "router", replace(full, vectors=X[:4]))
        assert queries_of(session, "router") == before + 4


def test_a_broken_model_is_told_within_the_act(changed):
    """Before it, nobody knows yet who asks; and the refusal is written down."""
    with hold(changed.session) as session, open_models(session) as models:
        (session.home / "models" / "router" / "model.onnx").write_bytes(b"another")
        question = Question(vectors=X[:1])
        assert refused(lambda: models.predict(session, "router", question)) == "bundle_digest"
        assert last(session, "predict", "refused")["code"] == "bundle_digest"


def test_control_7_a_linear_head_is_inverted_from_full_probabilities_alone(changed):
    """The logits of d + 1 classes span the ciphertext; a label is one of them, and no more.

    The pair budget counts what is given, and ends it at a quarter of n*.
    """
    with hold(changed.session) as session, open_models(session) as models:
        cap = 24
        told_assessed(session, models, n_star=400, n_star_noise_free=4 * cap)
        question = Question(vectors=X[:20], precision=Precision.FULL)
        answer = models.predict(session, "router", question)
        found = np.array([each.probabilities for each in answer.predictions])
        model = models.models.find(session.home, "router")
        queries = model.opened.gateway.queries(X[:20], at_gate=False)
        weights, bias = linear_head(model.bundle.onnx)
        # log p_i - log p_0 = (w_i - w_0) c + b_i - b_0: as many equations as classes but one
        logits = np.log(found[:, 1:]) - np.log(found[:, :1])
        design = (weights[1:] - weights[:1]).astype(np.float64)
        guessed = np.linalg.lstsq(design, (logits - (bias[1:] - bias[0])).T, rcond=None)[0].T
        assert np.abs(guessed - queries).max() < 1e-4
        # From the labels alone: no better than what each class looks like on the average.
        plain = models.predict(session, "router", Question(vectors=X[:20]))
        codes = np.array([int(label[-1]) for label in labels(plain)])
        centers = np.stack([queries[codes == c].mean(axis=0) for c in range(CLASSES)])
        assert np.abs(centers[codes] - queries).max() > 0.1
        with open_workspace(session) as workspace:
            key = f"{model.key.key_id} v{model.key.version}"
            used = [
                workspace.gate.ledger.transact(lambda t, s=s: spent(t, PAIRS_NOISE_FREE, s))
                for s in (key, f"ada:{key}")
            ]
        assert used == [20, 20]
        assert refused(lambda: models.predict(session, "router", question)) == "budget"
        rounded = replace(question, vectors=X[:4], precision=Precision.ROUNDED)
        given = models.predict(session, "router", rounded).predictions
        assert all(round(each.probability, 1) == each.probability for each in given)
        assert all(each.probabilities is None for each in given)
        assert refused(lambda: models.predict(session, "router", rounded)) == "budget"


def linear_head(onnx_model):
    """Coefficients (classes, dim) and intercepts of a linear classifier, which the lab knows."""
    node = next(
        n for n in load_model_from_string(onnx_model).graph.node if n.op_type == "LinearClassifier"
    )
    found = {each.name: np.array(each.floats) for each in node.attribute}
    bias = found["intercepts"]
    return found["coefficients"].reshape(len(bias), -1), bias


def test_a_model_without_probabilities_is_not_asked_for_any(changed):
    numbers = train_regression(changed)
    changed.deploy("price", numbers)
    with hold(changed.session) as session, open_models(session) as models:
        told_assessed(session, models, n_star=None, n_star_noise_free=None)
        question = Question(vectors=X[:1], precision=Precision.FULL)
        assert refused(lambda: models.predict(session, "price", question)) == "no_scores"
        assert queries_of(session, "price") == 0
        assert isinstance(
            labels(models.predict(session, "price", Question(vectors=X[:1])))[0], float
        )


def train_regression(owner):
    """A bundle that answers numbers: the same key and width, another task."""
    was = load_bundle(owner.bundle).manifest
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    weights = {"w": np.ones((was.dim, 1), "f4")}
    raw = graph(nodes, [("y", TensorProto.FLOAT, [None, 1])], weights, dim=was.dim)
    manifest = was.model_copy(
        update={
            "task": Task.REGRESSION,
            "classes": (),
            "value_range": ValueRange(low=-2.0, high=2.0),
            "onnx": canonical.digest_bytes(raw),
        }
    )
    target = owner.folder / "price.bundle"
    write_bundle(target, raw, manifest)
    return target


def test_a_model_cannot_make_itself_room_to_print_its_query(changed):
    """Of a set it tells a bit with each label: with 256 of its own the sides of as many planes."""
    was = load_bundle(changed.bundle).manifest
    planes = np.random.default_rng(0).normal(size=(was.dim, 256)).astype("f4")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["p"]),
        helper.make_node("Add", ["p", "half"], ["raised"]),
        helper.make_node("Cast", ["raised"], ["y"], to=TensorProto.INT64),
    ]
    weights = {"w": planes, "half": np.array([0.5], "f4")}
    raw = graph(nodes, [("y", TensorProto.INT64, [None, 256])], weights, dim=was.dim)
    bits = {
        "task": Task.MULTILABEL,
        "classes": tuple(f"bit-{i:03}" for i in range(256)),
        "onnx": canonical.digest_bytes(raw),
    }
    printing = changed.folder / "bits.bundle"
    bundle = write_bundle(printing, raw, was.model_copy(update=bits))
    query = np.random.default_rng(1).normal(size=(1, was.dim))
    assert np.array_equal(run_sets(bundle, query)[0] == 1, (query @ planes)[0] > 0), "it would"
    changed.deploy("bits", printing)
    with hold(changed.session) as session, open_models(session) as models:
        question = Question(vectors=X[:1])
        assert refused(lambda: models.predict(session, "bits", question)) == "bundle_labels"
    rows = changed.folder / "rows.parquet"
    assert refused(lambda: predict(changed.session, printing, str(rows))) == "bundle_labels"


def test_another_deployment_is_served_at_the_next_request(changed):
    with hold(changed.session) as session, open_models(session) as models:
        models.predict(session, "router", Question(vectors=X[:1]))
        first = models.models.find(session.home, "router")
        worker = first.opened.worker
        again = changed.folder / "again.bundle"
        train(TrainRequest(changed.cipherset, again, TrainSpec(ModelKind.LOGISTIC), seed=1))
        changed.deploy("router", again)
        models.predict(session, "router", Question(vectors=X[:1]))
        second = models.models.find(session.home, "router")
        assert second.bundle.digest != first.bundle.digest
        assert worker.pid is None
        assert models.models.names(session.home) == ["router"]


def test_a_model_that_is_gone_is_unknown_at_the_next_request(changed):
    with hold(changed.session) as session, open_models(session) as models:
        models.predict(session, "router", Question(vectors=X[:1]))
        shutil.rmtree(changed.folder / "home" / "models" / "router")
        assert refused(lambda: models.predict(session, "router", Question(vectors=X))) == (
            "model_unknown"
        )


def test_what_is_suspended_answers_nobody_until_it_is_approved_again(changed):
    with hold(changed.session) as session, open_models(session) as models:
        ask = lambda: models.predict(session, "router", Question(vectors=X[:1]))  # noqa: E731
        ask()
        digest = models.models.find(session.home, "router").bundle.digest
        suspend(changed.session, digest)
        assert refused(ask) == "not_allowed"
        approve(changed.session, digest)
        ask()


KEYS_STOP = (
    '@id("all") @why("anything") permit (principal, action, resource);'
    '@id("stop") @why("it is suspended") forbid (principal, action == Action::"key.use", resource)'
    'when { resource.status == Standing::"suspended" };'
)


def test_a_key_that_is_suspended_opens_nothing_though_it_did_before(changed):
    with hold(changed.session) as session, open_models(session) as models:
        ask = lambda: models.predict(session, "router", Question(vectors=X[:1]))  # noqa: E731
        own = Policies.load({"own.cedar": KEYS_STOP}, builtin.limits(BuiltIn.SOLO))
        session.held.ledger.transact(lambda work: activation.hold(work, own, author="ada"))
        ask()
        ask()
        suspend(changed.session, "key:support")
        assert refused(ask) == "not_allowed"
        assert last(session, "key.use", "refused")["code"] == "not_allowed"
        approve(changed.session, "key:support")
        ask()


def test_a_prediction_takes_two_transactions_and_looks_nothing_up_again(changed):
    with hold(changed.session) as session, open_models(session) as models:
        ask = lambda: models.predict(session, "router", Question(vectors=X[:1]))  # noqa: E731
        ask()
        ask()
        begun, said = [], []
        engine = session.held.ledger._writes
        event.listen(engine, "begin", begun.append)
        event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))
        ask()
        assert len(begun) == 2
        assert [each.split()[0] for each in said] == ["UPDATE", "INSERT", "INSERT"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (lambda s: (rotate(s, "support", provider=None), retire(s, "support", 1)), "key_retired"),
        (lambda s: destroy(s, "support", 1, force=True), "key_destroyed"),
    ],
    ids=["retired", "destroyed"],
)
def test_a_key_that_may_not_be_used_any_more_answers_nothing_and_is_given_up(changed, how, code):
    with hold(changed.session) as session, open_models(session) as models:
        ask = lambda: models.predict(session, "router", Question(vectors=X[:1]))  # noqa: E731
        ask()
        worker = models.models.find(session.home, "router").opened.worker
        how(changed.session)
        assert refused(ask) == code
        assert worker.pid is None
        assert last(session, outcome="refused")["code"] == code


def test_many_threads_get_their_own_answers(served):
    session, models = served
    expected = labels(models.predict(session, "router", Question(vectors=X)))
    found = [None] * len(X)

    def ask(at):
        found[at] = labels(models.predict(session, "router", Question(vectors=X[at : at + 1])))[0]

    threads = [threading.Thread(target=ask, args=(at,), daemon=True) for at in range(len(X))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()
    assert found == expected


def test_if_the_ledger_cannot_be_written_nothing_is_answered(changed):
    with hold(changed.session) as session, open_models(session) as models:
        models.predict(session, "router", Question(vectors=X[:1]))
        session.held.ledger.close()
        path = changed.folder / "home" / "ledger.sqlite"
        path.chmod(0o400)
        path.rename(path.with_suffix(".gone"))
        path.mkdir()
        assert refused(lambda: models.predict(session, "router", Question(vectors=X))) == (
            "ledger_unwritable"
        )
        path.rmdir()
        path.with_suffix(".gone").rename(path)


def test_no_repr_shows_what_was_asked_or_answered():
    question = Question(texts=("canary",))
    answer = Answer("router", Precision.LABEL, (Predicted("canary"),), (), "00", "canary")
    assert "canary" not in repr(question) + repr(answer)
