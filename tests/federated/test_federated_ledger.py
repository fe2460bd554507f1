"""Each step that an owner seals is an act at its gate: paid for, written down, or not done."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from federated_samples import NAMES, identities, roster

from cipherset.app.federated import Agreement, Contribution, Owner, enroll, train_together
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import BackendError, CiphersetError
from cipherset.core.values import Guarantee
from cipherset.custody.ledger.budgets import EPSILON, ROUNDS, all_spent
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.federated import Member

CLASSES = ("topic-0", "topic-1", "topic-2")
KEPT = Guarantee(3.0, 1e-6)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr("cipherset.app.federated.agreement.MOST_STEPS", 4)
    monkeypatch.setattr("cipherset.app.federated.agreement.steps_for", lambda _: 4)


def session(exporter, actor="ada"):
    return Session(exporter.home, actor, exporter.folder, TerminalProgress())


def cipherset_of(exporter):
    return open_cipherset(exporter.folder / "rows.cipherset")


def agreed(exporter, guarantee=KEPT, *, repeats=1, name="first"):
    x, _ = cipherset_of(exporter).to_numpy("train")
    return Agreement(
        roster(),
        CLASSES,
        x.shape[1],
        4 * len(x),
        2,
        guarantee,
        row_norm=float(np.linalg.norm(x, axis=1).max()),
        repeats=repeats,
        name=name,
        purpose="routing",
        absent=1,
    )


def enrolled(exporter, agreement):
    path = exporter.folder / "rows.cipherset"
    return enroll(session(exporter), path, "north", identities()["north"], agreement)


def others(exporter, agreement, kind=Owner):
    """The rest of the members, who try it out."""
    x, y = cipherset_of(exporter).to_numpy("train")
    rows = Contribution(x, y.tolist())
    return [kind(name, identities()[name], rows, agreement) for name in NAMES[1:]]


def step(owner, agreement, at=0):
    """One round by hand, as far as the owner's part of it."""
    round_id = bytes([at]) * 16
    own = owner.join(round_id)
    announced = [own] + [
        Member(name, identities()[name], round_id).announce() for name in NAMES[1:]
    ]
    return owner.update(np.zeros(agreement.shape), announced)


def bodies(exporter, outcome):
    return [
        json.loads(event.body)
        for event in exporter.events("train.together")
        if event.outcome == outcome
    ]


def used(exporter, kind):
    with open_workspace(session(exporter)) as workspace:
        found = workspace.gate.ledger.transact(all_spent)
    return [one.used for one in found if one.kind == kind]


def refused(work, *given):
    with pytest.raises(CiphersetError) as caught:
        work(*given)
    return caught.value.code


def test_each_step_is_an_act_with_its_facts(exporter):
    agreement = agreed(exporter)
    train_together([enrolled(exporter, agreement), *others(exporter, agreement)], agreement)
    intended, done = bodies(exporter, "intended"), bodies(exporter, "done")
    assert len(intended) == len(done) == agreement.steps == 4
    assert len({body["round"] for body in intended}) == 4
    for body in intended:
        assert body["asset"] == cipherset_of(exporter).manifest_digest
        assert body["cipherset_id"] == cipherset_of(exporter).manifest.cipherset_id
        assert body["agreement"] == agreement.digest
        assert (body["members"], body["honest"], body["purpose"]) == (4, 2, "routing")
        assert (body["epsilon"], body["delta"]) == (3.0, 1e-6)
    assert [body["steps_sealed"] for body in done] == [1, 2, 3, 4]
    assert [body["epsilon_spent"] for body in done] == [3.0, 0.0, 0.0, 0.0]


def test_nothing_of_the_rows_is_in_the_events(exporter):
    agreement = agreed(exporter)
    masked = step(enrolled(exporter, agreement), agreement)
    x, _ = cipherset_of(exporter).to_numpy("train")
    told = "".join(event.body for event in exporter.events("train.together"))
    assert not any(f"{value:.6g}" in told for value in x.ravel().tolist())
    assert not any(str(value) in told for value in masked.values.tolist())


def test_the_epsilon_is_spent_with_the_first_step_for_the_source_and_each_row(exporter):
    agreement = agreed(exporter)
    for at in range(2):
        step(enrolled(exporter, agreement), agreement, at)
    assert used(exporter, EPSILON) == [3_000_000]
    assert used(exporter, ROUNDS) == [2]
    with closing(sqlite3.connect(exporter.home / "ledger.sqlite")) as database:
        rows = database.execute("SELECT used FROM row_uses WHERE kind = 'epsilon'").fetchall()
    x, _ = cipherset_of(exporter).to_numpy("train")
    assert rows == [(3_000_000,)] * len(x)


def test_for_announcements_that_are_forged_nothing_is_paid_or_written(exporter):
    agreement = agreed(exporter)
    owner = enrolled(exporter, agreement)
    own = owner.join(bytes(16))
    rest = [Member(name, identities()["north"], bytes(16)).announce() for name in NAMES[1:]]
    forged = (np.zeros(agreement.shape), [own, *rest])
    assert refused(owner.update, *forged) == "round_message"
    assert owner.left == agreement.releases
    assert exporter.events("train.together") == []


def test_without_a_guarantee_rounds_are_counted_and_no_epsilon(exporter):
    agreement = agreed(exporter, None)
    step(enrolled(exporter, agreement), agreement)
    assert (used(exporter, EPSILON), used(exporter, ROUNDS)) == ([], [1])
    (body,) = bodies(exporter, "done")
    assert (body["epsilon_spent"], body["steps_sealed"]) == (0.0, 1)


class Leaving(Owner):
    """The last of them is gone at the third round."""

    rounds = 0

    def update(self, weights, announced):
        self.rounds += 1
        if self.name == NAMES[-1] and self.rounds == 3:
            raise BackendError("gone", code="federated_gone", hint="")
        return super().update(weights, announced)


def test_a_round_run_again_is_paid_again(exporter):
    agreement = agreed(exporter)
    those = [enrolled(exporter, agreement), *others(exporter, agreement, Leaving)]
    train_together(those, agreement)
    assert used(exporter, ROUNDS) == [agreement.steps + 1]
    assert [body["members"] for body in bodies(exporter, "intended")] == [4, 4, 4, 3, 3]


def test_whoever_starts_anew_has_what_is_left_and_no_more(exporter):
    """Each step by an owner that reads its account for the first time, as another process would."""
    agreement = agreed(exporter, repeats=0)
    left = []
    for at in range(agreement.releases):
        owner = enrolled(exporter, agreement)
        left.append(owner.left)
        step(owner, agreement, at)
    assert left == [4, 3, 2, 1]
    assert refused(enrolled(exporter, agreement).join, bytes(16)) == "round_spent"


def test_of_two_that_have_joined_the_last_round_one_seals(exporter):
    agreement = agreed(exporter, repeats=0)
    for at in range(agreement.releases - 1):
        step(enrolled(exporter, agreement), agreement, at)
    first, second = (enrolled(exporter, agreement) for _ in range(2))
    own = second.join(bytes(16))
    step(first, agreement, 9)
    rest = [Member(name, identities()[name], bytes(16)).announce() for name in NAMES[1:]]
    code = refused(second.update, np.zeros(agreement.shape), [own, *rest])
    assert code == "budget"
    assert [body["code"] for body in bodies(exporter, "refused")][-1] == "budget"
    assert used(exporter, ROUNDS) == [agreement.releases]


def test_an_epsilon_that_is_spent_is_refused_and_written_down(exporter):
    folder = exporter.folder / "own"
    folder.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (folder / name).write_text(text)
    limits = "\n[budgets]\nepsilon = 5.0\n"
    (folder / "limits.toml").write_text(builtin.limits(BuiltIn.SOLO) + limits)
    exporter.ok("policy", "activate", folder)
    first, second = agreed(exporter), agreed(exporter, name="second")
    step(enrolled(exporter, first), first)
    assert refused(step, enrolled(exporter, second), second) == "budget"
    assert used(exporter, EPSILON) == [3_000_000]
    assert used(exporter, ROUNDS) == [1]  # what was refused is not counted either
    step(enrolled(exporter, first), first, 1)
    assert [body["code"] for body in bodies(exporter, "refused")] == ["budget", "budget"]


def test_what_is_not_allowed_is_not_sealed(exporter):
    exporter.ok("policy", "activate", "team")
    agreement = agreed(exporter)
    assert refused(step, enrolled(exporter, agreement), agreement) == "not_allowed"
    assert used(exporter, ROUNDS) == []
    (event,) = exporter.events("train.together")
    assert (event.actor, event.outcome) == ("ada", "refused")


def test_nothing_is_sealed_where_the_intent_cannot_be_written(exporter):
    agreement = agreed(exporter)
    owner = enrolled(exporter, agreement)
    with closing(sqlite3.connect(exporter.home / "ledger.sqlite")) as other:
        other.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'stop'); END"
        )
        other.commit()
    computed = []

    def words(n):
        computed.append(n)
        return np.zeros(n, dtype=np.uint64)

    owner._words = words
    assert refused(step, owner, agreement) == "ledger_unwritable"
    assert computed == []
    assert used(exporter, ROUNDS) == []


def test_the_key_must_be_there_for_the_first_step(exporter):
    """By it the rows are known that the epsilon is of."""
    exporter.ok("key", "destroy", "support", "--yes", "--force")
    agreement = agreed(exporter)
    assert refused(step, enrolled(exporter, agreement), agreement) == "key_destroyed"
    assert used(exporter, EPSILON) == []


def test_an_export_of_another_workspace_is_refused(exporter, tmp_path):
    agreement = agreed(exporter)
    elsewhere = replace(session(exporter), home=tmp_path / "elsewhere")
    path = exporter.folder / "rows.cipherset"
    given = (elsewhere, path, "north", identities()["north"], agreement)
    assert refused(enroll, *given) == "signer"


def test_who_is_not_in_the_agreement_does_not_wait_for_rounds(exporter):
    agreement, path = agreed(exporter), exporter.folder / "rows.cipherset"
    for name, key in (("west-4711", "north"), ("north", "east")):
        given = (session(exporter), path, name, identities()[key], agreement)
        assert refused(enroll, *given) == "round_member"


@pytest.mark.parametrize("changed", [{"name": "x"}, {"honest": 3}, {"guarantee": None}])
def test_the_digest_is_of_all_that_was_agreed_on(exporter, changed):
    agreement = agreed(exporter)
    assert replace(agreement).digest == agreement.digest
    assert replace(agreement, **changed).digest != agreement.digest
