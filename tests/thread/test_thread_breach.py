"""What follows from a theft: who is affected, what a thief gets, and a draft that names nobody."""

import pytest
from thread_people import WHO

FACTS = {
    "asset",
    "kind",
    "plain",
    "label",
    "exports",
    "rows",
    "records",
    "people",
    "tenants",
    "upstream",
    "downstream",
    "gains",
    "measures",
    "unreadable",
    "draft",
}


def test_a_stolen_key_bears_on_all_that_was_made_under_it(held):
    told = held.owner.ok("audit", "breach", "key:support", "--tenant", "topic")
    assert set(told) == FACTS
    assert (told["kind"], told["plain"]) == ("key", False)
    assert (told["rows"], told["records"], told["people"], told["tenants"]) == (300, 300, 61, 3)
    assert len(told["exports"]) == 1
    names = {each["name"] for each in told["downstream"]}
    assert any(name.startswith("model") for name in names)
    (gain,) = told["gains"]
    assert gain["having"] == "the cipherset and its key"
    assert (gain["measured"], gain["stale"]) == (True, True)
    assert "The key alone opens nothing" in told["draft"]
    assert any("key rotate" in each for each in told["measures"])


def test_an_export_without_groups_does_not_know_its_people(held):
    told = held.owner.ok("audit", "breach", held.plain)
    assert (told["rows"], told["people"], told["tenants"]) == (300, None, None)
    assert [each["name"] for each in told["upstream"]] == ["rows.parquet"]
    unmeasured = [each for each in told["gains"] if not each["measured"]]
    assert len(unmeasured) == 3
    assert told["draft"].count("NOT MEASURED") == 3
    assert "not known: no column" in told["draft"]


def test_the_latest_finding_says_what_a_thief_gets(held):
    held.owner.ok("assess", held.grouped)
    told = held.owner.ok("audit", "breach", held.grouped)
    measured = {(each["having"], each["metric"]): each for each in told["gains"]}
    one = measured["the cipherset and its key", "reid_rank1"]
    assert one["stale"] is False
    assert one["chance"] <= one["high"] <= 1
    assert measured["the cipherset alone", "reid_rank1"]["measured"]


def test_a_finding_that_is_lost_is_not_measured(held):
    held.owner.ok("assess", held.grouped)
    for path in (held.owner.home / "findings").glob("*/finding.json"):
        path.unlink()
    told = held.owner.ok("audit", "breach", held.grouped)
    assert {each["stale"] for each in told["gains"]} == {True}
    assert "the cipherset alone" in {e["having"] for e in told["gains"] if not e["measured"]}


def test_a_model_bears_on_what_it_was_trained_on(held):
    told = held.owner.ok("audit", "breach", held.bundle)
    assert (told["kind"], told["rows"], told["people"]) == ("model", 300, 61)
    assert {each["having"] for each in told["gains"]} == {
        "the cipherset and a model trained on it",
        "answers of a model trained on it",
    }


def test_a_stolen_source_is_the_rows_themselves(held):
    told = held.owner.ok("audit", "breach", held.source)
    assert told["plain"] is True
    assert len(told["exports"]) == 2
    assert told["records"] == 300
    assert told["rows"] == 600
    assert "The rows themselves are in the hands" in told["draft"]


def test_the_draft_goes_to_a_file_and_names_nobody(held):
    draft = held.owner.folder / "draft.md"
    told = held.owner.ok("audit", "breach", held.grouped, "--to", draft)
    assert draft.read_text() == told["draft"]
    for gap in ("[to be filled in]", "## (a)", "## (b)", "## (c)", "## (d)", "art. 34"):
        assert gap in told["draft"]
    assert WHO not in draft.read_text()
    again = held.owner.run("audit", "breach", held.grouped, "--to", draft)
    assert (again.code, again.error["code"]) == (2, "target_exists")
    assert not any(WHO in event.body for event in held.owner.events())
    (event,) = [e for e in held.owner.events("breach") if e.outcome == "done"]
    assert '"people":61' in event.body


def test_what_cannot_be_opened_is_not_counted_and_said(held):
    held.owner.ok("key", "destroy", "second", "--force", "--yes")
    told = held.owner.ok("audit", "breach", held.source)
    assert len(told["unreadable"]) == 1
    assert "Not counted" in told["draft"]


@pytest.mark.parametrize("who", ["eve", "rev", "ada"])
def test_in_a_team_auditors_reviewers_and_owners_look(held, who):
    held.owner.ok("init", "--policy", "team", "--as", "root")
    roles = {"eve": "auditor", "rev": "reviewer", "ada": "data-owner", "sci": "scientist"}
    for name in (who, "sci"):
        held.owner.ok("principal", "add", name, "--role", roles[name], "--as", "root")
    assert held.owner.run("audit", "breach", held.grouped, "--as", "sci").code == 3
    assert held.owner.ok("audit", "breach", held.grouped, "--as", who)["rows"] == 300
