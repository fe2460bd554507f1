"""Uploaded models on sealed rows: figures that are useful, and what models that lie get of them."""

import json
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import serving_thread
from lab_models import always, but_for, spoiled_by, uploaded

from cipherset.app.models import evaluate
from cipherset.app.serving.lab.apart import codes_apart
from cipherset.app.serving.lab.evaluate import (
    SANDBOX,
    Sandbox,
    budget_of,
    evaluate_upload,
    sandboxed,
)
from cipherset.app.serving.lab.figures import DEVIATIONS, score_classes
from cipherset.app.serving.lab.splits import find_export, open_export, sealed_split
from cipherset.app.serving.lab.upload import MOST_UPLOAD_BYTES, read_upload
from cipherset.app.serving.models.sandbox.process import PROGRAM
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import Task, ValueRange
from cipherset.custody.ledger.budgets import EVALUATIONS, all_spent
from cipherset.custody.policy.limits import Budgets
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import load_bundle


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return serving_thread.vector_owner(tmp_path_factory.mktemp("vectors"))


@pytest.fixture
def owner(made, tmp_path):
    """A copy, with budgets of its own."""
    return serving_thread.copied(made, tmp_path / "copy")


@pytest.fixture(scope="module")
def digest(made):
    return open_cipherset(made.cipherset).manifest_digest


@pytest.fixture(scope="module")
def split(made, digest):
    """What only the gate sees: the noise-free test rows."""
    with open_workspace(made.session) as workspace:
        export = find_export(workspace, digest)
        with workspace.gate.act("view", "a test", {}):
            return sealed_split(open_export(workspace, export), "test", at_gate=False)


def ask(owner, parts, digest):
    return evaluate_upload(owner.session, read_upload(*parts), digest)


def refused(work):
    with pytest.raises(CiphersetError) as found:
        work()
    return found.value.code


def used(owner):
    with open_workspace(owner.session) as workspace:
        found = workspace.gate.ledger.transact(all_spent)
    return {one.scope: one.used for one in found if one.kind == EVALUATIONS}


def honest(owner):
    bundle = load_bundle(owner.bundle)
    return (owner.bundle / "bundle.json").read_bytes(), bundle.onnx


def test_the_figures_are_those_of_the_command_with_noise(owner, digest):
    exact = evaluate(owner.session, owner.bundle, str(owner.cipherset))
    found = ask(owner, honest(owner), digest).figures
    assert found["n"] == exact.n
    for name in ("accuracy", "macro_f1"):
        deviation = found[f"{name}_deviation"]
        assert 0 < deviation < 1
        assert abs(found[name] - getattr(exact, name)) < 6 * deviation


def test_the_same_bundle_gets_the_same_answer_and_costs_nothing(owner, digest):
    first = ask(owner, honest(owner), digest)
    spent = used(owner)
    again = ask(replace_actor(owner, "bob"), honest(owner), digest)
    assert (first.is_stored, again.is_stored) == (False, True)
    assert again.figures == first.figures
    assert used(owner) == spent
    assert set(spent.values()) == {1}


def replace_actor(owner, name):
    return replace(owner, actor=name)


def test_each_principal_has_a_budget_and_all_together_too(owner, digest):
    """Another byte in bundle.json is another bundle: it draws noise anew, and is counted."""
    caps, onnx = Budgets(), always(0, dim=2)
    with open_workspace(owner.session) as workspace:
        budget = find_budget(workspace, digest, "ada")
        with workspace.gate.act("view", "a test", {}) as act:
            for _ in range(caps.evaluations_each - 1):
                budget.spend(act)
    parts = uploaded(owner, onnx)
    assert ask(owner, parts, digest).left == 0
    assert refused(lambda: ask(owner, uploaded(owner, onnx, note=1.0), digest)) == "budget"
    assert ask(owner, parts, digest).is_stored
    bob = replace_actor(owner, "bob")
    assert ask(bob, uploaded(bob, onnx, note=2.0), digest).left == caps.evaluations_each - 1
    assert used(owner)[budget.source] == caps.evaluations_each + 1


def find_budget(workspace, digest, actor):
    with workspace.gate.act("view", "a test", {}):
        gateway = open_export(workspace, find_export(workspace, digest))
        return replace(budget_of(workspace, gateway), actor=actor)


# ---- differencing


def test_the_models_of_the_attack_do_differ_on_that_one_row(made, split):
    """Else the attack would be broken, and not stopped."""
    truth = np.unique(split.labels, return_inverse=True)[1]
    target = int(np.flatnonzero(truth == 1)[0])
    with (
        lab_worker(made, always(0, dim=2)) as plain,
        lab_worker(made, but_for(split.x[target], 0, 1)) as crafted,
    ):
        first, second = codes_apart(plain, split.x), codes_apart(crafted, split.x)
    assert np.flatnonzero(first != second).tolist() == [target]


def lab_worker(made, onnx):
    return closing(sandboxed(read_upload(*uploaded(made, onnx)), SANDBOX))


def guesses(truth, target, tell, *, tries):
    """How often the one row is read off the figures of two models, told by ``tell``.

    ``told_of``: with the row changed or not, as a coin says; guessed by which is larger.
    """
    rng = np.random.default_rng(0)
    base = np.zeros(len(truth), dtype=np.int64)
    hit = base.copy()
    hit[target] = truth[target]
    right = 0
    for seed in range(tries):
        is_hit = bool(rng.integers(2))
        first, second = tell(base, seed), tell(hit if is_hit else base, seed + tries)
        guess = second > first if second != first else bool(rng.integers(2))
        right += guess == is_hit
    return right / tries


def seeded(seed):
    rng = np.random.default_rng(seed)
    return lambda n: int(rng.integers(n))


def test_differencing_gets_next_to_nothing_and_breaks_what_is_weaker(split):
    """Two models that differ on one row: exact figures give it away, and so do rounded ones.

    With noise, the best guess is right with Phi(1 / (2 * sqrt(2) * deviations)), .514 here.
    """
    truth = np.unique(split.labels, return_inverse=True)[1]
    target = int(np.flatnonzero(truth == 1)[0])

    def figure(answers):
        return score_classes(answers, truth).figures["accuracy"]

    def exact(answers, _):
        return figure(answers).value

    def noisy(answers, seed):
        return figure(answers).told(seeded(seed))

    assert guesses(truth, target, exact, tries=100) > 0.7
    assert guesses(truth, target, noisy, tries=600) < 0.58


def test_rounding_alone_is_crossed_by_one_row(split):
    """A model is built so that one row decides to which side its accuracy is rounded."""
    truth = np.unique(split.labels, return_inverse=True)[1]
    n = len(truth)
    # Right on just so many known rows that one more crosses the half of a step of .05.
    edge = next(k for k in range(1, n) if round(20 * k / n) != round(20 * (k - 1) / n))
    answers = np.where(np.arange(n) < edge - 1, truth, -1)
    crossed = answers.copy()
    crossed[edge - 1] = truth[edge - 1]
    exact = [score_classes(told, truth).figures["accuracy"].value for told in (answers, crossed)]
    assert round(20 * exact[0]) != round(20 * exact[1])
    deviation = score_classes(answers, truth).figures["accuracy"].deviation
    assert deviation > DEVIATIONS * abs(exact[1] - exact[0])


def test_a_model_that_mixes_rows_sees_one_at_a_time(made, split):
    """Asked for together they are run apart: one row cannot change the answers to all."""
    target = 7
    with lab_worker(made, spoiled_by(split.x[target])) as worker:
        together = worker.run(split.x).labels
        apart = codes_apart(worker, split.x)
    assert np.flatnonzero(together == 1).tolist() == [target]
    assert np.array_equal(together, apart)


def test_a_row_that_a_model_fails_on_is_wrong_and_no_more(owner, made, split, digest):
    """Else the refusal would tell of one row what no figure tells."""
    onnx = but_for(split.x[7], 0, 99)
    with lab_worker(made, onnx) as worker:
        codes = codes_apart(worker, split.x)
    assert codes[7] == -1 and (np.delete(codes, 7) == 0).all()
    assert ask(owner, uploaded(owner, onnx), digest).figures["n"] == len(split.labels)


def test_a_model_that_never_works_is_refused_before_it_costs(owner, digest):
    for onnx, code in ((always(99, dim=2), "model_output"), (b"PK\x03\x04", "model_format")):
        assert refused(lambda o=onnx: ask(owner, uploaded(owner, o), digest)) == code
    assert used(owner) == {}


DIES = """
import os, sys
sys.path.insert(0, sys.argv[1])
from cipherset.app.serving.models.sandbox import worker
answer = worker._answer
worker._answer = lambda *given, **more: os._exit(1) if given[2].any() else answer(*given, **more)
worker.main()
"""


def test_a_model_that_ends_its_worker_on_a_row_costs_all_that_is_left(owner, digest):
    """There is no such graph that we know of; here the worker ends itself, but not on zeros."""
    program = (sys.executable, "-I", "-c", DIES, PROGRAM[-1])
    bundle = read_upload(*honest(owner))
    asked = evaluate_upload, owner.session, bundle, digest, Sandbox(program=program)
    assert refused(partial(*asked)) == "model_crashed"
    assert max(used(owner).values()) == Budgets().evaluations_each
    assert refused(lambda: ask(owner, honest(owner), digest)) == "budget"


# ---- what is not asked so


def test_what_is_not_asked_so(owner, digest):
    onnx = always(0, dim=2)
    other = "sha256:" + "0" * 64
    trained_on = {"cipherset_id": "0" * 32, "manifest": other}
    asked = [
        (uploaded(owner, onnx), other, "cipherset_unknown"),
        (uploaded(owner, onnx, trained_on=trained_on), digest, "other_cipherset"),
        (uploaded(owner, onnx, key_check="00" * 16), digest, "other_key"),
        (uploaded(owner, always(0, dim=5), dim=5), digest, "other_cipherset"),
        (uploaded(owner, onnx, at_gate=True), digest, "other_cipherset"),
        (
            uploaded(
                owner, onnx, task=Task.REGRESSION, classes=(), value_range=ValueRange(low=0, high=1)
            ),
            digest,
            "task",
        ),
    ]
    for parts, named, code in asked:
        assert refused(lambda p=parts, d=named: ask(owner, p, d)) == code, code
    assert used(owner) == {}


def test_an_upload_is_what_it_says_or_is_not_read(owner):
    manifest, onnx = honest(owner)
    assert refused(lambda: read_upload(manifest, onnx + b"\0")) == "bundle_digest"
    assert refused(lambda: read_upload(manifest, b"\0" * (MOST_UPLOAD_BYTES + 1))) == "upload_size"
    assert refused(lambda: read_upload(b"{}", onnx)) == "bundle_schema"


def test_the_ledger_has_the_figures_and_the_digests(owner, digest):
    found = ask(owner, honest(owner), digest)
    with open_workspace(owner.session) as workspace:
        events = [e for e in workspace.gate.ledger.events() if e.action == "evaluate"]
    body = json.loads(events[-1].body)
    assert (events[-1].outcome, body["cipherset"]) == ("done", digest)
    assert json.loads(body["told"]) == found.figures


def test_rows_are_counted_in_whatever_source_they_stand(owner, digest):
    """Differencing by overlapping sets: the same rows as part of another file."""
    with open_workspace(owner.session) as workspace:
        here = find_budget(workspace, digest, "ada")
        elsewhere = replace(here, source="hmac-sha256:" + "0" * 64, rows=here.rows[:3])
        with workspace.gate.act("view", "a test", {}) as act:
            for actor in ("ada", "bob"):
                for _ in range(Budgets().evaluations_each):
                    replace(elsewhere, actor=actor).spend(act)
    assert refused(lambda: ask(owner, honest(owner), digest)) == "budget"
