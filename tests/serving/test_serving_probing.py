"""Attack scripts against a served model: stopped, slowed, capped and told of; people are let be."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import serving_thread
from serving_thread import CLASSES, DIM, vectors

from cipherset.app.access.activation import activate_set
from cipherset.app.serving.models.answer import Precision, Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.serving.probing import measure
from cipherset.app.serving.probing.measure import measure_copies
from cipherset.app.serving.probing.watching import SLOW_PER_MINUTE
from cipherset.app.watching.watch import watch
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.custody.ledger import QUERIES
from cipherset.custody.ledger.budgets import spent
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.evidence.attack.model.answers import Answers

CENTERS = np.random.default_rng(99).normal(size=(CLASSES, DIM))
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return serving_thread.vector_owner(tmp_path_factory.mktemp("vectors"))


@pytest.fixture
def served(owner, tmp_path):
    """A copy of the owner's, and its models with nobody watched yet; the clock stands still."""
    changed = serving_thread.copied(owner, tmp_path / "copy")
    with hold(changed.session) as session, open_models(session) as models:
        yield session, replace(models, clock=lambda: NOON)


@pytest.fixture(scope="module")
def measured(owner):
    """The curve of the owner's model, as the owner's ledger has it from now on."""
    return measure_copies(owner.session, owner.bundle)


def random_vectors(n, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def ask(models, session, x, *, actor="ada", step=16, precision=Precision.LABEL):
    """How many were answered, and the code of the refusal that ended it."""
    asker = replace(session, actor=actor)
    for start in range(0, len(x), step):
        question = Question(vectors=x[start : start + step], precision=precision)
        try:
            models.predict(asker, "router", question)
        except CiphersetError as error:
            return start, error.code
    return len(x), None


def bisections(models, session, n, *, actor):
    """Asks its way down to the boundary between two rows, again and again."""
    known, _ = vectors(200, seed=8)
    rng, asker = np.random.default_rng(8), replace(session, actor=actor)

    def label(x):
        question = Question(vectors=x[None].astype(np.float32))
        return models.predict(asker, "router", question).predictions[0].label

    for at in range(n // 8):
        low, high = known[rng.permutation(200)[:2]]
        try:
            start = label(low)
            for _ in range(7):
                middle = (low + high) / np.linalg.norm(low + high)
                low, high = (middle, high) if label(middle) == start else (low, middle)
        except CiphersetError as error:
            return 8 * at, error.code
    return n, None


def test_random_questions_are_slowed_and_then_refused(served):
    session, models = served
    n, code = ask(models, session, random_vectors(400))
    assert (n, code) == (64, "budget")
    later = replace(models, clock=lambda: NOON + timedelta(minutes=1))
    slow = random_vectors(400, seed=1)
    found = []
    for at in range(0, 400, SLOW_PER_MINUTE):
        later = replace(models, clock=lambda at=at: NOON + timedelta(minutes=1 + at))
        found.append(ask(later, session, slow[at : at + SLOW_PER_MINUTE], step=SLOW_PER_MINUTE))
        if found[-1][1] is not None:
            break
    assert found[-1] == (0, "probing")
    assert sum(n for n, _ in found) < 64
    again = replace(later, clock=lambda at=at: NOON + timedelta(minutes=2 + at))
    assert ask(again, session, slow[:1])[1] == "probing"


def test_a_batch_that_gives_itself_away_is_not_answered(served):
    session, models = served
    assert ask(models, session, random_vectors(256), step=256) == (0, "probing")


def test_walking_the_boundary_is_stopped(served):
    session, models = served
    n, code = bisections(models, session, 400, actor="ada")
    assert n <= 128
    assert code in {"budget", "probing"}


def test_small_changes_of_a_few_rows_are_stopped(served):
    session, models = served
    rng = np.random.default_rng(4)
    few = np.repeat(vectors(50, seed=4)[0], 8, axis=0)
    near = (few + 0.02 * rng.normal(size=few.shape)).astype(np.float32)
    n, code = ask(models, session, near)
    assert n <= 128
    assert code in {"budget", "probing"}


def test_callers_who_share_a_script_are_slowed(served):
    session, models = served
    script = random_vectors(40 * 20, seed=2)
    answered = [
        ask(models, session, script[at : at + 40], actor=f"eve-{at}", step=20)
        for at in range(0, 800, 40)
    ]
    assert sum(n for n, _ in answered) <= 160
    assert answered[-1] == (0, "budget")


@pytest.mark.parametrize("step", [7, 256])
def test_people_are_let_alone(served, step):
    """But for one in hundreds, whom chance makes look unusual: the yardstick is drawn anew."""
    session, models = served
    people = {"ada": 21, "bob": 22, "cyn": 23}
    answered = [
        ask(models, session, vectors(256, seed=seed)[0], actor=name, step=step)
        for name, seed in people.items()
    ]
    assert answered.count((256, None)) >= 2
    told = {each.principal for each in watch(session)}
    assert len(told & people.keys()) <= 1


def test_one_question_over_and_over_is_let_alone(served):
    session, models = served
    assert ask(models, session, np.repeat(random_vectors(1), 300, axis=0), step=50) == (300, None)


def test_an_alert_is_written_and_revokes_by_policy(served):
    session, models = served
    ask(models, session, random_vectors(64))
    alert, *_ = [each for each in watch(session) if each.kind == "probing"]
    assert (alert.principal, alert.action) == ("ada", "predict")
    assert alert.found > alert.usual == 1.0
    with open_workspace(session) as workspace:
        bodies = [json.loads(event.body) for event in workspace.gate.ledger.events()]
    assert "0." not in json.dumps([body for body in bodies if body.get("code") == "probing"])


def limited(session, tmp_path, limit, more=""):
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (folder / name).write_text(text)
    limits = f"max_agreement = {limit}\n" + builtin.limits(BuiltIn.SOLO) + more
    (folder / "limits.toml").write_text(limits)
    activate_set(session, str(folder))


def test_a_limit_of_agreement_without_a_curve_answers_nothing(served, tmp_path):
    session, models = served
    limited(session, tmp_path, 0.9)
    assert ask(models, session, vectors(16, seed=5)[0]) == (0, "budget")


def test_the_curve_rises_with_the_queries_and_with_what_is_told(measured):
    ends = {}
    for answers in Answers:
        curve = [p for p in measured.points if p.answers is answers and p.source == "own vectors"]
        ends[answers] = curve[0].agreement.value, curve[-1].agreement.value
        assert ends[answers][1] > 0.9
    for answers in (Answers.LABELS, Answers.ROUNDED):
        assert ends[answers][1] > ends[answers][0] + 0.1
    # Ten probabilities tell nearly all there is.
    assert ends[Answers.PROBABILITIES][0] > ends[Answers.LABELS][0] + 0.1
    assert {each["answers"] for each in measured.as_json()["agreement"]} == set(Precision)


def test_who_asks_what_is_allowed_gets_no_copy_above_the_limit(owner, measured, tmp_path):
    """The budget by the curve: a caller ends at a quarter, all of them below the limit."""
    changed = serving_thread.copied(owner, tmp_path / "copy")
    limit = 0.93
    with hold(changed.session) as session, open_models(session) as models:
        limited(session, tmp_path, limit)
        curve = measured.curve(Answers.LABELS)
        reached = min(p.n_queries for p in curve if p.agreement >= limit)
        together = max(p.n_queries for p in curve if p.n_queries < reached)
        x, _ = vectors(400, seed=31)
        n, code = ask(models, session, x, step=1)
        assert (n, code) == (min(reached // 4, together), "budget")
        callers = [ask(models, session, x[:100], actor=f"eve-{at}", step=1)[0] for at in range(6)]
        assert n + sum(callers) == together
        digest = models.models.find(session.home, "router").bundle.digest
        with open_workspace(session) as workspace:
            used = workspace.gate.ledger.transact(lambda t: spent(t, QUERIES, f"ada:{digest}"))
        assert used == n


def test_a_budget_of_the_policy_goes_before_the_curve(owner, measured, tmp_path):
    changed = serving_thread.copied(owner, tmp_path / "copy")
    with hold(changed.session) as session, open_models(session) as models:
        limited(session, tmp_path, 0.93, "\n[budgets]\nqueries = 250\n")
        assert ask(models, session, vectors(400, seed=31)[0], step=50) == (250, "budget")


def test_a_model_with_too_few_rows_is_not_measured(owner, monkeypatch):
    monkeypatch.setattr(measure, "FEWEST_ROWS", 10_000)
    with pytest.raises(CiphersetError) as caught:
        measure_copies(owner.session, owner.bundle)
    assert caught.value.code == "few_to_copy"
