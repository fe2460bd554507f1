"""Risk and exposure of live workspaces: scores move with what is done, caps are the gate's."""

import shutil
import sys
from functools import partial
from pathlib import Path

import pytest
import sight_thread
from serving_samples import Quiet

from cipherset.app.assess.finding import suite_digest
from cipherset.app.assets.standing import suspend
from cipherset.app.gate import Action
from cipherset.app.gate.exposure import held_pairs
from cipherset.app.keys import rotate
from cipherset.app.serving.pairs import pair_cap, scope_of
from cipherset.app.sight.gather import picture
from cipherset.app.sight.risk.exposure import view_exposure
from cipherset.app.sight.risk.may import roles_that_may
from cipherset.app.sight.risk.pairs import held_by_all
from cipherset.app.sight.risk.run import Supposing, suppose, view_risk
from cipherset.app.state import minimizer_of
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.canonical import digest_bytes
from cipherset.core.labels import Level
from cipherset.custody.ledger import Outcome
from cipherset.custody.ledger.budgets import PAIRS_NOISY, QUERIES, Debit, debit
from cipherset.custody.policy import BuiltIn, Role, builtin
from cipherset.evidence.views.exposure.budgets import NOT_ASSESSED
from cipherset.evidence.views.risk.facts import Evidence
from cipherset.evidence.views.risk.reach import READING, Allowed
from cipherset.evidence.views.risk.sorts import Sensed, Sort
from cipherset.interfaces.environment import look_around

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from thread_team import Team

TEAM = builtin.load(BuiltIn.TEAM)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sight_thread.owner(tmp_path_factory.mktemp("risk"))


@pytest.fixture
def owner(made, tmp_path):
    return sight_thread.copied(made, tmp_path / "copy")


@pytest.fixture(scope="module")
def made_team(tmp_path_factory):
    """A team with an export, on which the scientist has a grant."""
    team = Team(tmp_path_factory.mktemp("team"))
    team.granted_protect()
    assert team.protect().code == 0
    team.granted("sci", "export", team.target)
    return team


@pytest.fixture
def team(made_team, tmp_path):
    copy = object.__new__(Team)
    shutil.copytree(made_team.folder, tmp_path / "team")
    copy.folder = tmp_path / "team"
    copy.home = copy.folder / "workspace"
    copy.source, copy.target = made_team.source, made_team.target
    return copy


def as_(team, name):
    return Session(team.home, name, team.folder, Quiet(), look_around())


def taken(session):
    with open_workspace(session) as workspace:
        return picture(workspace)


def export_of(session):
    (found,) = [run.outputs[0] for run in taken(session).steps if run.kind == "protect"]
    return found


def key_version(session):
    (found,) = taken(session).keys
    return found


def assessed(session, *, reid=0.02, **more):
    """What ``assess`` writes down of the export, by today's suite and of today's minimizer."""
    key = key_version(session)
    with open_workspace(session) as workspace:
        path = minimizer_of(workspace.minimizers, key.key_id, key.version)
        body = {
            "manifest": export_of(session),
            "suite": suite_digest(),
            "minimizer": digest_bytes(path.read_bytes()),
            "verdict": "within limit",
            "reid": reid,
            "limit": 0.05,
            "pair_cap": None,
            "n_star": None,
            "n_star_noise_free": None,
        }
        workspace.gate.ledger.append(
            actor="rev",
            action=Action.ASSESS,
            subject="rows.cipherset",
            outcome=Outcome.DONE,
            body=body | more,
        )


def scores(session):
    return {each.facts.kind: each.score.value for each in view_risk(session).assets} | {
        each.facts.name: each.score.value for each in view_risk(session).assets
    }


def by_id(session):
    return {each.facts.id: each for each in view_risk(session).assets}


def test_every_asset_has_a_score_and_the_same_picture_the_same_score(owner):
    with open_workspace(owner.session):
        pass
    found, again = view_risk(owner.session), view_risk(owner.session)
    assert [each.as_json() for each in found.assets] == [each.as_json() for each in again.assets]
    assert {each.facts.kind for each in found.assets} == {"dataset", "key", "model"}
    told = found.as_json(2)
    assert (len(told["assets"]), told["total"]) == (2, 4)
    assert {"id", "score", "because", "parts", "lower", "evidence", "stale"} <= set(
        told["assets"][0]
    )


def test_to_measure_lowers_the_export_its_key_and_its_model(owner):
    export = export_of(owner.session)
    before = by_id(owner.session)
    assessed(owner.session)
    after = by_id(owner.session)
    changed = {name for name in before if after[name].score.value < before[name].score.value}
    model = next(name for name, each in before.items() if each.facts.kind == "model")
    assert changed == {export, key_version(owner.session).id, model}
    assert after[export].facts.attack.evidence is Evidence.MEASURED
    assessed(owner.session, reid=0.3, verdict="not protective")
    assert by_id(owner.session)[export].score.value > after[export].score.value


def test_another_suite_or_another_minimizer_makes_it_stale(owner):
    export, key = export_of(owner.session), key_version(owner.session)
    unmeasured = by_id(owner.session)[export].score.value
    assessed(owner.session, suite="sha256:an older one")
    stale = by_id(owner.session)[export]
    assert stale.facts.attack.evidence is Evidence.STALE
    assert stale.score.value == unmeasured
    assessed(owner.session)
    assert by_id(owner.session)[export].facts.attack.evidence is Evidence.MEASURED
    with open_workspace(owner.session) as workspace:
        path = minimizer_of(workspace.minimizers, key.key_id, key.version)
    path.write_bytes(path.read_bytes() + b"\0")
    stale = by_id(owner.session)[export]
    assert "minimizer" in stale.facts.attack.because
    path.unlink()
    assert by_id(owner.session)[export].facts.attack.evidence is Evidence.STALE


def test_queries_that_were_answered_raise_the_model(owner):
    model = next(name for name, each in by_id(owner.session).items() if each.facts.kind == "model")
    (use,) = view_exposure(owner.session).models
    assert use.uses["queries"].is_open  # solo caps none
    with open_workspace(owner.session) as workspace:
        workspace.gate.ledger.transact(lambda work: debit(work, [Debit(QUERIES, model, 9, None)]))
    (use,) = view_exposure(owner.session).models
    assert use.uses["queries"].used == 9


def test_what_would_stop_a_model_stops_it(owner):
    found = next(each for each in view_risk(owner.session).assets if each.facts.kind == "model")
    suspend(owner.session, found.facts.id)
    after = by_id(owner.session)[found.facts.id]
    assert after.facts.standing == "suspended"
    assert after.facts.readers == found.facts.stopped


def test_a_rotated_key_starts_anew(owner):
    rotate(owner.session, "support", provider=None)
    old, new = view_exposure(owner.session, "support").keys
    assert (old.key.version, new.key.version) == (1, 2)
    assert (old.exports, new.exports, new.noisy.used) == (1, 0, 0)


def test_one_person_alone_holds_no_pairs_but_is_said_to_have_all(owner):
    found = view_exposure(owner.session)
    assert (found.alone, found.keys[0].held) == (True, ())


def test_caps_are_those_of_the_gate(owner):
    session = owner.session
    assert view_exposure(session).keys[0].noisy.because == NOT_ASSESSED
    for n_star, n_star_noise_free in ((400, 40), (None, None), (400, None), (13, 9)):
        cap = None if n_star is None else n_star // 4
        assessed(session, n_star=n_star, n_star_noise_free=n_star_noise_free, pair_cap=cap)
        key = key_version(session)
        (use,) = view_exposure(session).keys
        with open_workspace(session) as workspace:
            gate = workspace.gate
            free = gate.ledger.transact(partial(pair_cap, key=key, noisy=False))
            noisy = gate.ledger.transact(partial(pair_cap, key=key, noisy=True))
        assert use.noise_free.cap == free
        assert use.held_cap == noisy
        assert use.noisy.cap == min(noisy if noisy is not None else 256, 256)


def test_what_was_given_is_used_and_left(owner):
    session, scope = owner.session, scope_of(key_version(owner.session))
    assessed(session, n_star=400, pair_cap=100)
    before = by_id(session)[export_of(session)].score.value
    with open_workspace(session) as workspace:
        given = [Debit(PAIRS_NOISY, scope, 60, 100), Debit(PAIRS_NOISY, f"eve:{scope}", 60, 100)]
        workspace.gate.ledger.transact(lambda work: debit(work, given))
    (use,) = view_exposure(session).keys
    assert (use.noisy.used, use.noisy.left, use.by_principal) == (60, 40, {"eve": (60, 0)})
    assert by_id(session)[export_of(session)].score.value > before


def test_rows_by_how_often_they_left(owner):
    assert view_exposure(owner.session).as_json()["rows"] == [{"times": 1, "rows": 400}]


# ---- a team


def test_readers_of_a_team_come_by_role_and_grant(team):
    found = by_id(as_(team, "rev"))
    names = {
        each.facts.name.split()[0]: [reader.name for reader in each.facts.readers]
        for each in found.values()
    }
    assert names == {
        "rows.parquet": ["ada", "amy", "bob"],
        "cipherset": ["sci"],
        "support": ["kim"],
    }


def counted_by_gate(session, scope):
    names = ("bob", "sci", "ada", "rev", "nobody")
    with open_workspace(session) as workspace:
        gate = workspace.gate
        found = {
            name: gate.ledger.transact(partial(held_pairs, gate=gate, name=name, key=scope))
            for name in names
        }
    return {name: pairs for name, pairs in found.items() if pairs}


def test_static_pairs_are_those_that_the_gate_counts(team):
    session = as_(team, "rev")
    scope = scope_of(key_version(session))
    assessed(session)  # pairs do not bind, so the gate lets somebody hold them
    assert held_by_all(taken(session)) == ()
    assert counted_by_gate(session, scope) == {}
    for name in ("bob", "ada"):
        team.granted(name, "export", team.target, by=("amy", "rev"))
        held = {each.principal: each.pairs for each in held_by_all(taken(session))}
        assert held == counted_by_gate(session, scope)
        assert held[name] == 400
    (use,) = view_exposure(session).keys
    assert (use.pooled, use.coalition) == (400, 400)


def test_if_a_role_were_given_the_pairs_are_told_and_it_would_be_refused(team):
    session = as_(team, "rev")
    before = scores(session)
    found = suppose(session, Supposing("sci", role=Role.DATA_OWNER))
    assert [each.facts.name for each in found.assets] == ["rows.parquet"]
    (moved,) = found.assets
    assert moved.before == before["rows.parquet"] < moved.after
    (pairs,) = found.pairs
    assert (pairs.held.principal, pairs.held.pairs, pairs.before) == ("sci", 400, 0)
    assert pairs.is_refused
    team.granted("root", "principal.change", "principal:sci=data-owner")
    told = team.refused("root", "principal", "change", "sci", "--role", "data-owner")
    assert told["code"] == "exposure_join"
    assert scores(session) == before


def test_if_a_grant_were_given_and_then_it_is(team):
    session = as_(team, "rev")
    what = Supposing("dora", action=Action.EXPORT, asset=str(team.target))
    found = suppose(session, what)
    assert found.pairs == ()
    (moved,) = found.assets
    assert moved.before < moved.after
    team.granted("dora", "export", team.target)
    assert scores(session)[moved.facts.name] == moved.after
    none = suppose(session, Supposing("dora", action=Action.ASSESS, asset=str(team.target)))
    assert none.as_json()["assets"] == []


def test_a_grant_that_was_taken_back_lowers_it_as_was_said(team):
    session = as_(team, "rev")
    grant = team.granted("dora", "export", team.target)
    found = next(
        each for each in view_risk(session).assets if each.facts.name.startswith("cipherset")
    )
    told = {each["command"]: each["score"] for each in found.as_json()["lower"]}
    team.ok("rev", "grant", "revoke", grant)
    after = by_id(session)[found.facts.id].score.value
    assert told[f"cipherset grant revoke {grant}"] == after


def test_a_label_raises_and_lowers(team):
    session = as_(team, "rev")
    before = scores(session)
    team.ok("ada", "scan", team.source)
    after = scores(session)
    assert after["rows.parquet"] < before["rows.parquet"]
    assert after["support"] < before["support"]


def test_roles_that_may_are_those_of_the_teams_table():
    classes = [
        Sensed(sort, level, standing)
        for sort in Sort
        for level in (Level.PUBLIC, Level.RESTRICTED)
        for standing in ("proposed", "approved", "suspended")
    ]
    found = roles_that_may(TEAM, classes)
    low, high = (
        {
            each.sort: found[each].roles
            for each in classes
            if (each.level, each.standing) == (level, "approved")
        }
        for level in (Level.PUBLIC, Level.RESTRICTED)
    )
    assert low[Sort.PLAIN] == {"data-owner", "ingester"}
    assert low[Sort.SEALED] == {"ingester"}
    assert low[Sort.INDEX] == {"data-owner", "ingester", "service"}
    assert low[Sort.KEY] == {"key-custodian", "service"}
    assert low[Sort.MODEL] == {"prompt-administrator", "scientist", "service"}
    assert low[Sort.SERVICE] == {"prompt-administrator", "scientist", "service"}
    assert high[Sort.MODEL] == {"prompt-administrator", "service"}
    assert found[Sensed(Sort.MODEL, Level.PUBLIC, "suspended")] == Allowed(by_grant=False)
    assert found[Sensed(Sort.MODEL, Level.RESTRICTED, "proposed")] == Allowed()


def test_what_counts_as_reading_are_actions_of_the_gate():
    known = {action.value for action in Action}
    assert {action for actions in READING.values() for action in actions} <= known
