"""``view threats`` on a team's workspace: live objects in, paths out, and the look written down."""

import json

import pytest
import sight_team

from cipherset.app.assess.finding import suite_digest
from cipherset.app.redteam.line import EXCESS, Line
from cipherset.app.sight.guards import guards
from cipherset.app.sight.tried import tried
from cipherset.custody.ledger import Ledger, Outcome, Run, RunStatus
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.evidence.views.threats import attackers

SUITE = "sha256:today"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sight_team.made(tmp_path_factory.mktemp("team"))


@pytest.fixture
def team(made, tmp_path):
    return sight_team.copied(made, tmp_path / "copy")


def seen(team):
    return {each["id"]: each for each in team.ok("eve", "view", "threats")["paths"]}


def export_of(team):
    with Ledger(f"sqlite:///{team.home / 'ledger.sqlite'}") as ledger:
        (run,) = [run for run in ledger.runs() if run.kind == "protect" and run.outputs]
        return run.outputs[0]


def assessed(team, cap, **facts):
    """What an assessment of the export writes of its cap; None where pairs do not bind."""
    with Ledger(f"sqlite:///{team.home / 'ledger.sqlite'}") as ledger:
        body = {"manifest": export_of(team), "pair_cap": cap, "reid": 0.01, "suite": suite_digest()}
        told = {"actor": "rev", "action": "assess", "subject": "rows.cipherset"}
        ledger.append(
            **told, outcome=Outcome.DONE, body={"verdict": "within limit", **body, **facts}
        )


def test_a_grant_that_shows_both_sides_adds_exactly_that_path_with_its_pairs(team):
    assessed(team, None)
    before = seen(team)
    grant = team.granted("ada", "export", team.target, by=("amy", "rev"))
    after = seen(team)
    (new,) = after.keys() - before.keys()
    assert {id: after[id] for id in before} == before
    path = after[new]
    assert (path["attacker"], path["who"], path["pairs"]) == ("reads-both-sides", "ada", 400)
    assert path["steps"][2]["id"] == grant
    assert path["state"] == "mitigated"
    team.ok("rev", "grant", "revoke", grant)
    assert seen(team) == before


def test_the_paths_are_those_of_what_is_there(team):
    found = seen(team).values()
    there = {each["attacker"] for each in found}
    assert {"thief-of-file", "thief-of-file-and-key", "lab", "poisoner"} <= there
    assert not any(each["attacker"].startswith("caller") for each in found)
    insiders = {each["attacker"] for each in found if each["asset_kind"] == "workspace"}
    assert insiders == {
        f"insider-{role}" for role in ("data-owner", "ingester", "key-custodian", "administrator")
    }
    key = next(each for each in found if each["attacker"] == "thief-of-file-and-key")
    assert key["says"].startswith("mitigated by measurement when it was made: with file and key")


def test_a_finding_that_is_gone_measures_nothing(team):
    assessed(team, None, finding="0" * 32)
    assert {each["state"] for each in seen(team).values()} == {"mitigated", "not measured"}


def test_a_real_finding_measures_each_attacker_that_it_tried(team):
    team.ok("rev", "assess", team.target)
    (run,) = [e.seq for e in team.events() if (e.action, e.outcome) == ("assess", "done")]
    found = {each["attacker"]: each for each in seen(team).values()}
    for attacker in ("thief-of-file", "lab", "thief-of-file-and-key"):
        measured = found[attacker]["measured"]
        assert measured["run"] == str(run)
        assert measured["ci"][0] <= measured["value"] <= measured["ci"][1]
        assert found[attacker]["says"].startswith(f"measured by Run {run}: ")
    path = next((team.home / "findings").rglob("finding.json"))
    path.write_bytes(path.read_bytes().replace(b"payloadType", b"payloadtype"))
    assert not any(each["measured"] for each in seen(team).values())


@pytest.mark.parametrize("form", ["markdown", "threat-dragon", "pytm"])
def test_it_is_written_and_printed_in_forms_of_other_tools(team, form):
    target = team.folder / "model"
    asked = ("view", "threats", "--format", form)
    team.ok("eve", *asked, "--to", target)
    text = target.read_text()
    assert text.startswith("# Threat model") if form == "markdown" else json.loads(text)
    assert team.run("eve", *asked, "--to", target).error["code"] == "target_exists"
    team.ok("eve", *asked, "--to", target, "--force")
    absent = team.run("eve", *asked, "--to", team.folder / "no" / "where")
    assert absent.error["code"] == "target_parent"


def test_to_look_takes_a_role_and_is_written_down(team):
    assert team.refused("mallory", "view", "threats")["code"] == "not_allowed"
    team.ok("sci", "view", "threats")
    last = team.events()[-2:]
    assert [(e.actor, e.action, e.subject, e.outcome) for e in last] == [
        ("sci", "view", "threats", "intended"),
        ("sci", "view", "threats", "done"),
    ]


def test_the_shipped_policies_stand_against_whom_they_say():
    team, solo = guards(builtin.load(BuiltIn.TEAM)), guards(builtin.load(BuiltIn.SOLO))
    callers = {each.name for each in team[attackers.EXTRACTION.id]}
    assert callers == {"queries", "serve-scores", "alerts"}
    assert [each.name for each in team[attackers.ON_PATH.id]] == ["serve"]
    assert "never" not in team["insider-data-owner"][0].says
    assert "scientist" in team["insider-data-owner"][0].says
    assert not any(name.startswith("insider") for name in solo)
    assert attackers.ON_PATH.id not in solo


def ran(number, *lines, status=RunStatus.DONE):
    told = {"finding_id": "f", "lines": list(lines)}
    then = f"2026-11-0{number}T00:00:00.000000+00:00"
    return Run(f"run-{number}", "redteam", "rev", then, then, status, told, (), ())


def line(**other):
    told = {"attack": "K6 copied", "against": "model", "metric": "agreement", "limit": None}
    return {**told, "value": 1, "ci": [0, 1], "n": 3, **other}


def test_lines_as_the_red_team_writes_them_are_understood():
    told = {"name": "export:rows", "value": 0.02, "ci": (0.0, 0.1), "n": 9, "bound": "b"}
    lines = [
        Line(attack="K4 nearest candidate", against="sealed", metric=EXCESS, limit=0.2, **told),
        Line(attack="jailbreak prompts", against="guards", metric="let_through", **told),
        Line(attack="K6 membership", against="model", metric="tpr_at_fpr_0.01", **told),
    ]
    found = tried([ran(1, *(json.loads(json.dumps(each.as_json())) for each in lines))], SUITE)
    assert len(found) == 3
    for each, attacker in zip(
        found, (attackers.FILE_AND_KEY, attackers.PROMPTER, attackers.MEMBERSHIP), strict=True
    ):
        assert each.knowledge in attacker.knowledge
        assert each.metric in attacker.metrics


def test_the_red_team_measures_by_its_last_run():
    prompts = line(attack="jailbreak prompts", against="guard", metric="let_through", limit=0.1)
    steps = (
        ran(1, line(value=0.2), prompts),
        ran(2, line(value=0.3), line(against=3), "no line"),
        ran(3, line(value=0.4), status=RunStatus.FAILED),
    )
    found = {each.about: each for each in tried(steps, SUITE)}
    assert found.keys() == {"model", attackers.GUARD}
    assert (found["model"].value, found["model"].run) == (0.3, "run-2")
    assert found["model"].knowledge == "K6"
    assert found[attackers.GUARD].knowledge == attackers.PROMPTS


def test_what_another_suite_of_the_red_team_got_is_stale():
    old = ran(1, line())
    old.parameters["suite"] = "sha256:older"
    now = ran(2, line(against="other"))
    now.parameters["suite"] = SUITE
    assert {each.about: each.is_fresh for each in tried([old, now], SUITE)} == {
        "model": False,
        "other": True,
    }
