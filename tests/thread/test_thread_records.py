"""Records that a law asks for, and what is kept too long: from the ledger, naming no subject."""

import json
import shutil
import sqlite3

import pytest
from thread_people import WHO

from cipherset.custody.policy import BuiltIn, builtin

LIMITS = "\n[retention]\ndataset_days = 30\nmodel_days = 60\nevents_days = 200\n"


@pytest.fixture
def limited(held, tmp_path):
    """With limits of retention of its own, and everything recorded as if 40 days ago."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (folder / name).write_text(text)
    (folder / "limits.toml").write_text(builtin.limits(BuiltIn.SOLO) + LIMITS)
    held.owner.ok("policy", "activate", folder)
    with sqlite3.connect(held.owner.home / "ledger.sqlite") as database:
        database.execute("UPDATE assets SET created = date('now', '-40 days') || 'T00:00:00+00:00'")
    database.close()
    return held


def test_nothing_is_due_where_no_limit_says_so(held):
    told = held.owner.ok("audit", "retention")
    assert (told["due"], told["applied"], told["events_days_at_least"]) == ([], False, 183)


def test_what_is_due_is_listed_and_stays(limited):
    told = limited.owner.ok("audit", "retention")
    assert {each["kind"] for each in told["due"]} == {"dataset"}
    assert len(told["due"]) == 2
    assert told["events_days_at_least"] == 200
    assert len(list((limited.owner.home / "exports").iterdir())) == 2


def test_applied_it_goes_and_is_retired(limited):
    answer = limited.owner.home / "jobs" / "of-a-stopped-run" / "00000000.answer"
    answer.parent.mkdir(parents=True)
    answer.touch()
    before = {each["asset"] for each in limited.owner.ok("audit", "retention")["due"]}
    assert answer.exists()
    told = limited.owner.ok("audit", "retention", "--apply")
    assert (told["applied"], {each["asset"] for each in told["due"]}) == (True, before)
    assert list((limited.owner.home / "exports").iterdir()) == []
    assert list((limited.owner.home / "jobs").iterdir()) == []
    assert limited.owner.ok("audit", "retention", "--apply")["due"] == []
    retired = {
        e["asset"] for e in limited.owner.ok("asset", "list")["assets"] if e["status"] == "retired"
    }
    assert retired == before
    assert limited.owner.run("evaluate", limited.bundle, limited.grouped).code == 5
    assert limited.owner.ok("audit", "verify")["valid"]


def test_a_deployed_model_goes_too(limited):
    with sqlite3.connect(limited.owner.home / "ledger.sqlite") as database:
        database.execute("UPDATE assets SET created = '2020-01-01T00:00:00+00:00'")
    database.close()
    (limited.owner.home / "models" / "other").mkdir()
    told = limited.owner.ok("audit", "retention", "--apply")
    assert {each["kind"] for each in told["due"]} == {"dataset", "model"}
    assert [path.name for path in (limited.owner.home / "models").iterdir()] == ["other"]


def test_to_remove_takes_a_grant_in_a_team(held):
    held.owner.ok("init", "--policy", "team", "--as", "root")
    for name, role in (("eve", "auditor"), ("ada", "data-owner"), ("rev", "reviewer")):
        held.owner.ok("principal", "add", name, "--role", role, "--as", "root")
    assert held.owner.ok("audit", "retention", "--as", "eve")["due"] == []
    assert held.owner.run("audit", "retention", "--apply", "--as", "eve").code == 3
    refused = held.owner.run("audit", "retention", "--apply", "--as", "ada")
    assert refused.error["code"] == "not_allowed"


def test_the_limits_keep_events_for_half_a_year(tmp_path):
    from cipherset.core.errors import InputError
    from cipherset.custody.policy.limits import read_limits

    with pytest.raises(InputError) as caught:
        read_limits(builtin.limits(BuiltIn.SOLO) + LIMITS.replace("200", "182"))
    assert caught.value.code == "policy_limits"
    assert "events_days" in caught.value.message


def record(held, form):
    target = held.owner.folder / f"{form}.json"
    told = held.owner.ok("audit", "export", "--format", form, "--to", target)
    assert WHO not in target.read_text()
    return told, json.loads(target.read_bytes())


def test_the_record_of_processing_has_what_article_30_asks_for(held):
    held.owner.ok("scan", held.source, "--trust", "customer")
    held.owner.ok("evaluate", held.bundle, held.grouped)
    told, found = record(held, "art30")
    assert told["events"] == 2
    assert {"controller", "activities", "time_limits", "organizational_measures"} <= set(found)
    (one,) = [each for each in found["activities"] if each["recipients"]]
    assert one["rows"] == 300
    assert one["categories_of_personal_data"]["level"]
    (safeguard,) = one["safeguards"]
    assert (safeguard["reidentification_up_to"], safeguard["verdict"]) == (None, None)
    assert len(one["sources"]) == 1


def test_the_safeguards_are_those_that_were_measured(held):
    held.owner.ok("assess", held.grouped)
    _, found = record(held, "art30")
    measured = [
        each for one in found["activities"] for each in one["safeguards"] if each["verdict"]
    ]
    assert len(measured) == 1
    assert measured[0]["measured_with_the_attacks_of_today"] is True
    assert 0 <= measured[0]["reidentification_up_to"] <= 1


def test_the_log_of_use_has_periods_and_reference_data(held):
    held.owner.ok("predict", held.bundle, held.source)
    told, found = record(held, "art12")
    assert told["events"] == len(found["uses"]) == 2
    deployed, predicted = found["uses"]
    assert (deployed["use"], predicted["use"]) == ("deploy", "predict")
    assert predicted["inputs_answered"] == 300
    assert predicted["period"]["began"] <= predicted["period"]["ended"]
    assert predicted["outcome"] == "done"
    assert len(predicted["reference_data"]) == 2
    assert predicted["verified_by"] == []


def test_who_approved_the_use_is_named(held):
    held.owner.ok("init", "--policy", "team", "--as", "root")
    people = {"ada": "data-owner", "rev": "reviewer", "sci": "scientist", "eve": "auditor"}
    for name, role in people.items():
        held.owner.ok("principal", "add", name, "--role", role, "--as", "root")
    asked = held.owner.ok(
        "grant", "request", "predict", held.bundle, "--for", "a look", "--as", "sci"
    )
    for voter in ("ada", "rev"):
        held.owner.ok("grant", "approve", asked["grant"], "--as", voter)
    held.owner.ok("predict", held.bundle, held.source, "--as", "sci")
    target = held.owner.folder / "log.json"
    held.owner.ok("audit", "export", "--format", "art12", "--to", target, "--as", "eve")
    used = json.loads(target.read_bytes())["uses"][-1]
    assert (used["by"], used["verified_by"]) == ("sci", ["ada", "rev"])


def test_a_use_whose_process_died_has_no_end(held):
    from cipherset.app.records.uses import uses

    events = [e for e in held.owner.events() if e.action == "deploy" and e.outcome == "intended"]
    (use,) = uses(events)
    assert (use.ended, use.outcome) == (None, None)
    shutil.rmtree(held.owner.folder)
