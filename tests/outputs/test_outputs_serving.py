"""The filter from what a workspace keeps, and replies that wait for a person."""

import json

import pytest

from cipherset.app.access.init import init
from cipherset.app.audit.emergency import emergencies
from cipherset.app.gate import About, Action
from cipherset.app.keys import create
from cipherset.app.records.use import log_of_use
from cipherset.app.reports.run import ReportRequest, report
from cipherset.app.serving.outputs.compose import CheckedDetector, Guarded, open_filter
from cipherset.app.serving.outputs.review import (
    FOLDER,
    Settled,
    hold_reply,
    open_reply,
    settle,
    waiting,
)
from cipherset.app.training.run import PlantRequest, index_rows, plant_canaries
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, PolicyError, UsageError
from cipherset.custody.policy import BuiltIn, Kind
from cipherset.guard.outputs import BLOCKED, Finders, OutputFilter, OutputRules
from cipherset.interfaces.cli.output import TerminalProgress

ROW = "my parcel to oslo is nine days late and kilroy cannot tell me where it is"
SERVICE = About(Kind.SERVICE, canonical.digest("a service"), "a service")
RULES = """
[copies]
least_bits = 1.0
[topics]
deny = ["PROJECTS"]
[topics.terms]
PROJECTS = ["Project Heron"]
"""


@pytest.fixture(scope="module")
def ada(tmp_path_factory):
    root = tmp_path_factory.mktemp("outputs")
    ada = Session(root / "home", "ada", root, TerminalProgress())
    create(ada, "tickets", purpose="answer tickets", provider=None)
    source = root / "tickets.jsonl"
    source.write_text("".join(json.dumps({"body": text}) + "\n" for text in (ROW, "short one")))
    index_rows(ada, "tickets-2026", "tickets", str(source), ("body",))
    index_rows(ada, "bare", "tickets", str(source), ("body",))
    plant_canaries(ada, PlantRequest("tickets-2026", "tickets", root / "canaries.jsonl", n=3))
    return ada


@pytest.fixture(scope="module")
def output_filter(ada):
    guarded = (Guarded("tickets-2026", "tickets"), Guarded("bare", "tickets"))
    return open_filter(ada, OutputRules.from_toml(RULES), guarded)


def test_rows_canaries_values_and_topics_of_the_workspace(ada, output_filter):
    planted = json.loads((ada.cache / "canaries.jsonl").read_text().splitlines()[0])["text"]
    secret = planted.rpartition(" ")[2]
    for text, released in (
        (f"Well: {ROW.upper()}.", f"Well: {BLOCKED}"),
        (f"It is {secret}.", f"It is {BLOCKED}"),
        ("Write to anna.berg@example.com.", "Write to [EMAIL]."),
        ("So Project Heron it is.", f"So {BLOCKED}"),
        ("All is well.", "All is well."),
    ):
        assert output_filter.apply(text).text == released
    shown = repr(output_filter)
    assert not any(word in shown for word in ("kilroy", secret, "Heron"))


def test_a_data_set_without_an_index_is_refused(ada):
    with pytest.raises(IntegrityError) as caught:
        open_filter(ada, OutputRules(), (Guarded("others", "tickets"),))
    assert caught.value.code == "sealed_missing"


class Throwing:
    name, version, entities = "throwing", "1", frozenset({"EMAIL"})

    def detect(self, texts):
        if any("kilroy" in text for text in texts):
            raise ValueError("kilroy was in it")
        return [[] for _ in texts]


def test_what_a_detector_cannot_look_at_does_not_leave():
    detector = CheckedDetector(Throwing())
    assert (detector.name, detector.version) == ("throwing", "1")
    assert detector.entities == {"EMAIL", "UNREADABLE"}
    for toml in ("", '[personal]\nremedy = "pass"'):
        finders = Finders(detectors=(detector,))
        guarded = OutputFilter(finders, OutputRules.from_toml(toml))
        assert guarded.apply("kilroy was here").text == "[UNREADABLE]"
        assert guarded.apply("all is well").text == "all is well"
    topics = OutputFilter(Finders(topics=(detector,)), OutputRules.from_toml(RULES))
    assert topics.apply("kilroy was here").text == BLOCKED
    assert OutputFilter(Finders(topics=(detector,))).apply("kilroy").text == "kilroy"


def held(session, output_filter):
    rules = OutputRules.from_toml('[copies]\nremedy = "review"')
    text = f"Well: {ROW}, he said. {ROW}"
    verdict = OutputFilter(output_filter.finders, rules).apply(text).verdict
    assert verdict.is_for_review
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.QUERY, "a service", {}, about=SERVICE) as act,
    ):
        return text, hold_reply(workspace, act, text, verdict)


def test_a_held_reply_waits_is_looked_at_and_settled(ada, output_filter):
    text, review_id = held(ada, output_filter)
    assert review_id in waiting(ada)
    kept = open_reply(ada, review_id)
    assert (kept.text, kept.found) == (text, ((6, 6 + len(ROW), "bare"),))
    assert "kilroy" not in repr(kept)
    assert b"kilroy" not in (ada.home / FOLDER / review_id).read_bytes()
    settle(ada, review_id, Settled.HARMFUL)
    assert review_id not in waiting(ada)
    with open_workspace(ada) as workspace:
        events = list(workspace.gate.ledger.events())
    assert any(f'"review":"{review_id}"' in event.body for event in events)
    assert any('"settled":"harmful"' in event.body for event in events)
    assert not any("kilroy" in event.body for event in events)


def test_records_and_reports_know_that_it_is_no_review_of_an_emergency(
    ada, output_filter, tmp_path
):
    _, review_id = held(ada, output_filter)
    settle(ada, review_id, Settled.HARMLESS)
    assert emergencies(ada) == []
    with open_workspace(ada) as workspace:
        assert log_of_use(workspace)["uses"]
    request = ReportRequest(tmp_path / "report", "2026-01-01")
    assert report(ada, request).as_json()["events"] > 0


def test_only_what_waits_is_opened(ada, output_filter):
    for name in ("0" * 32, "../keys", ""):
        with pytest.raises(UsageError) as caught:
            open_reply(ada, name)
        assert caught.value.code == "review_unknown"
        with pytest.raises(UsageError):
            settle(ada, name, Settled.HARMLESS)
    _, review_id = held(ada, output_filter)
    path = ada.home / FOLDER / review_id
    raw = bytearray(path.read_bytes())
    raw[40] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IntegrityError) as caught:
        open_reply(ada, review_id)
    assert caught.value.code == "unseal"


def test_whoever_may_not_review_sees_nothing(tmp_path):
    mallory = Session(tmp_path / "team", "mallory", tmp_path, TerminalProgress())
    init(Session(tmp_path / "team", "ada", tmp_path, TerminalProgress()), BuiltIn.TEAM)
    for look in (waiting, lambda session: open_reply(session, "0" * 32)):
        with pytest.raises(PolicyError):
            look(mallory)
    with pytest.raises(PolicyError):
        settle(mallory, "0" * 32, Settled.HARMLESS)
