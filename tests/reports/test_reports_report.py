"""``cipherset report``: sections over a period, linked to events, signed, in three forms."""

import base64
import json
import shutil
import sqlite3
from html.parser import HTMLParser

import numpy as np
import pytest
import reports_team
import thread_samples
from reports_team import HOSTILE, SINCE

from cipherset.app.reports.run import FILES, REPORT_TYPE
from cipherset.core import canonical
from cipherset.core.envelope import verify
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger.chain import Event, event_hash


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    team = reports_team.team(tmp_path_factory.mktemp("reports"))
    team.printed = team.ok("eve", "report", *SINCE, "--to", team.folder / "report")
    team.report = json.loads((team.folder / "report" / "report.json").read_bytes())
    return team


class Page(HTMLParser):
    """Anchors, links, tags and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.text = set(), [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append(tag)
        self.ids |= {told["id"]} if "id" in told else set()
        self.links += [told["href"]] if "href" in told else []
        assert not {"src", "onclick", "onerror"} & told.keys()

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(made):
    return Page((made.folder / "report" / "report.html").read_text())


def section(made, name):
    return next(each for each in made.report["sections"] if each["id"] == name)


def figures(made, name):
    return {each["name"]: each["value"] for each in section(made, name)["figures"]}


def table(made, name, title):
    return next(each["rows"] for each in section(made, name)["tables"] if each["title"] == title)


def test_the_sections_are_those_that_an_auditor_asks_for(made):
    assert [each["id"] for each in made.report["sections"]] == [
        *("processing", "inventory", "access", "evidence", "exceptions")
    ]
    assert made.printed["figures"]["inventory"] == figures(made, "inventory")


def test_the_inventory_has_what_there_is(made):
    found = figures(made, "inventory")
    assert (found["Datasets"], found["Models"], found["Key versions"]) == (3, 2, 2)
    assert (found["Deployed in the period"], found["Models of unknown origin"]) == (1, 2)
    models = table(made, "inventory", "Models")
    told = {(each["origin"], each["label"]) for each in models}
    assert told == {("unknown origin", "not labeled")}


def test_the_activities_are_those_of_the_record_of_processing(made):
    """The record goes through the events and the runs anew for each export; the report does not."""
    path = made.folder / "art30.json"
    made.ok("eve", "audit", "export", "--format", "art30", "--to", path)
    (slow,) = json.loads(path.read_bytes())["activities"]
    (fast,) = table(made, "processing", "Processing activities")
    assert fast["rows"] == slow["rows"] == 18
    assert fast["sources"] == len(slow["sources"]) == 1
    assert fast["exports"] == len(slow["safeguards"]) == 2
    assert fast["recipients"].split(", ") == slow["recipients"] == ["dora", "svc"]
    assert fast["key"] == f"support ({slow['key_status']})"
    assert fast["data"] == "not looked at"
    assert slow["categories_of_personal_data"] is None
    worst = max(each["reidentification_up_to"] for each in slow["safeguards"])
    stale = sum(not each["measured_with_the_attacks_of_today"] for each in slow["safeguards"])
    assert fast["measured"] == (
        f"up to {100 * worst:.1f} % re-identified (limit 5 %); {stale} by older attacks"
    )


def test_uses_are_counted_by_who_asked(made):
    uses = {each["use"]: each for each in table(made, "processing", "Uses in the period")}
    assert uses.keys() == {"deploy", "predict"}
    told = uses["predict"]
    assert (told["by"], told["times"], told["inputs"]) == ("svc", 2, 5)


def test_the_access_review_has_roles_grants_uses_and_what_nobody_used(made):
    people = {each["name"]: each for each in table(made, "access", "Principals")}
    assert people["kim"]["roles"] == "key-custodian"
    assert people["kim"]["last act"].startswith("key.destroy")
    assert people["amy"]["last act"] == "none in the period"
    (grant,) = table(made, "access", "Grants")
    assert (grant["for"], grant["state"], grant["approved by"]) == ("sci", "live", "ada, rev")
    assert grant["uses"] == 0
    unused = {each["principal"]: each["may"] for each in _unused(made)}
    assert "key.bind: key" in unused["kim"]
    assert "key.rotate" not in unused["kim"]
    (other,) = table(made, "access", "Names that acted and are no principal")
    assert other["name"] == "svc"


def _unused(made):
    return table(made, "access", "Permissions that were not used")


def test_evidence_is_told_with_what_has_none(made):
    found = {each["about"]: each for each in table(made, "evidence", "Findings")}
    verdicts = {each["verdict"]: each["evidence"] for each in found.values()}
    assert verdicts == {"within limit": "fresh", "not protective": "stale"}
    gaps = table(made, "evidence", "Exports and models without fresh evidence")
    assert [each["evidence"].split()[0] for each in gaps] == ["stale:", "never", "stale:"]


def test_exceptions_are_what_somebody_should_have_looked_at(made):
    found = figures(made, "exceptions")
    assert found == {
        "Risks that were accepted": 1,
        "Acts in an emergency": 1,
        "Acts that were refused": 2,
        "Alerts": 1,
        "Acts that failed or have no end": 1,
        "Stale or missing evidence": 3,
    }
    (refused,) = table(made, "exceptions", "Acts that were refused")
    assert (refused["code"], refused["by"], refused["act"]) == ("not_allowed", "sci", "scan")
    (glass,) = table(made, "exceptions", "Acts in an emergency")
    assert (glass["reason"], glass["review"]) == ("it leaked", "not reviewed")


def entries(made):
    for each in made.report["sections"]:
        yield from each["figures"]
        for one in each["tables"]:
            yield from one["rows"]


def test_each_entry_that_counts_something_names_its_events(made):
    for entry in entries(made):
        counts = [value for value in entry.values() if isinstance(value, int)]
        assert entry["events"] or not any(counts), entry
    refused = [e.seq for e in made.events() if (e.action, e.outcome) == ("scan", "refused")]
    (row,) = table(made, "exceptions", "Acts that were refused")
    assert row["events"] == [[refused[0], refused[1]]]


def test_the_hash_of_each_event_in_the_appendix_is_computed_from_the_file_alone(made):
    there = {event.seq: event for event in made.events()}
    appended = made.report["appendix"]
    assert len(appended) > 20
    for told in appended:
        assert event_hash(Event(**told)) == told["hash"] == there[told["seq"]].hash


def test_every_link_of_the_page_leads_to_a_place_on_it(page, made):
    assert {link for link in page.links if not link.startswith("#")} == set()
    assert {link[1:] for link in page.links} <= page.ids
    events = {int(name.removeprefix("event-")) for name in page.ids if name.startswith("event-")}
    assert events == {each["seq"] for each in made.report["appendix"]}
    assert "script" not in page.tags


def test_what_a_name_holds_is_shown_and_not_obeyed(page, made):
    assert HOSTILE in page.text
    raw = (made.folder / "report" / "report.html").read_text()
    assert "<script" not in raw
    assert "<font" not in raw


def test_the_pdf_has_an_outline_and_the_links_of_the_page(page, made):
    raw = (made.folder / "report" / "report.pdf").read_bytes()
    assert raw.startswith(b"%PDF-")
    wanted = [link for link in page.links if link.startswith("#event-")]
    there = raw.count(b"/Subtype /Link")  # one that is folded has a place on each line
    assert len(wanted) <= there < 2 * len(wanted)
    chapters = raw.count(b"/Title (") - 1  # and its own title
    assert chapters == len(made.report["sections"]) + 2


def test_the_files_are_signed_by_the_workspace(made):
    raw = {path.name: path.read_bytes() for path in (made.folder / "report").iterdir()}
    assert raw.keys() == {*FILES, "signed.json"}
    signer = made.printed["checkpoint"]["signer"]
    told = json.loads(verify(raw["signed.json"], REPORT_TYPE, expected_fingerprint=signer).payload)
    assert told["files"] == {name: canonical.digest_bytes(raw[name]) for name in FILES}
    assert told["files"] == made.printed["files"]
    changed = raw["signed.json"].replace(b"DSSE", b"dsse")[:-2] + b"}}"
    with pytest.raises(IntegrityError):
        verify(changed, REPORT_TYPE, expected_fingerprint=signer)


def test_the_checkpoint_beside_it_verifies_the_ledger_and_each_event(made):
    checkpoint = made.folder / "report" / "checkpoint.json"
    assert made.ok("eve", "audit", "verify", "--checkpoint", checkpoint)["valid"]
    seq = made.report["appendix"][-1]["seq"]
    proof = made.folder / "proof.json"
    made.ok("eve", "audit", "prove", seq, "--checkpoint", checkpoint, "--to", proof)
    found = made.ok("eve", "audit", "verify", "--event", proof, "--checkpoint", checkpoint)
    assert found["event"]["hash"] == made.report["appendix"][-1]["hash"]


def test_that_it_was_made_is_written_down(made):
    about = [e for e in made.events() if (e.action, e.subject) == ("audit", "report")]
    begun, done = about[:2]  # other tests make reports after it
    assert json.loads(begun.body)["since"] == "2020-01-01T00:00:00.000000+00:00"
    digest = canonical.digest_bytes((made.folder / "report" / "signed.json").read_bytes())
    assert json.loads(done.body)["sha256"] == digest
    assert begun.seq == made.printed["checkpoint"]["size"]


def test_another_period_has_other_events(made):
    past = ("--since", "2020-01-01", "--until", "2020-02-01")
    found = made.ok("eve", "report", *past, "--to", made.folder / "past")
    assert found["events"] == 0
    assert found["figures"]["exceptions"]["Acts that were refused"] == 0
    assert found["figures"]["inventory"]["Datasets"] == 3  # as it stands today
    printed = reports_team.thread_team.cipherset(
        *("report", *past, "--to", made.folder / "again", "--home", made.home, "--as", "eve")
    )
    assert printed.code == 0
    assert "Exceptions" in printed.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--since", "yesterday"), "since"),
        (("--since", "0001-01-01T00:00:00+23:59"), "since"),
        (("--since", "2026-01-01", "--until", "9999-12-31T23:59:00-23:59"), "since"),
        (("--since", "2026-02-01", "--until", "2026-02-01"), "period"),
        (("--since", "2026-02-02", "--until", "2026-02-01"), "period"),
        (("--since", "9000-01-01"), "period"),
    ],
)
def test_a_period_that_is_none_is_refused(made, words, code):
    done = made.run("eve", "report", *words, "--to", made.folder / "none")
    assert (done.code, done.error["code"]) == (2, code)


def test_only_a_report_is_overwritten(made, tmp_path):
    asked = ("report", *SINCE, "--to")
    target = tmp_path / "report"
    made.ok("eve", *asked, target)
    assert made.run("eve", *asked, target).error["code"] == "target_exists"
    made.ok("eve", *asked, target, "--force")
    other = tmp_path / "mine"
    other.mkdir()
    (other / "diary").write_text("mine")
    assert made.run("eve", *asked, other, "--force").error["code"] == "target_not_ours"
    assert (other / "diary").read_text() == "mine"


def test_only_who_audits_is_given_one(made, tmp_path):
    for who in ("sci", "root", "nobody"):
        assert made.refused(who, "report", *SINCE, "--to", tmp_path / who)["code"] == "not_allowed"
        assert not (tmp_path / who).exists()


def test_of_a_ledger_that_was_changed_there_is_none(made, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    with sqlite3.connect(home / "ledger.sqlite") as database:
        database.execute("UPDATE events SET actor = 'x' WHERE seq = 9")
    database.close()
    words = ("report", *SINCE, "--to", tmp_path / "report", "--home", home, "--as", "eve", "--json")
    done = reports_team.thread_team.cipherset(*words)
    assert (done.code, done.error["code"]) == (5, "ledger_broken")
    assert not (tmp_path / "report").exists()


def test_of_one_persons_workspace_there_is_one_too(tmp_path):
    words = ("--home", tmp_path / "solo", "--as", "ada", "--json")
    done = reports_team.thread_team.cipherset("report", *SINCE, "--to", tmp_path / "r", *words)
    assert done.json["figures"]["access"]["Principals"] == 0


def test_no_row_vector_or_key_is_in_it(made):
    raw = b"".join((made.folder / "report" / name).read_bytes() for name in FILES)
    vectors = [row["vec"] for row in thread_samples.vector_rows()[:50]]
    wrapped = (made.home / "kek").read_bytes()
    words = [b"thread-1", b"topic-1", wrapped.strip(), *(f"{v[0]:.6f}".encode() for v in vectors)]
    words += [np.float32(v[0]).tobytes() + np.float32(v[1]).tobytes() for v in vectors]
    found = [
        form
        for word in words
        for form in (word, base64.b64encode(word), word.hex().encode())
        if form in raw
    ]
    assert found == []
