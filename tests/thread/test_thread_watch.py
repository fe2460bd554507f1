"""The ledger is watched: alerts are written once, and stop what policy says they stop."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from thread_samples import Owner

from cipherset.custody.ledger import Ledger, Outcome
from cipherset.custody.policy.limits import Alerts
from cipherset.evidence.watch import AlertKind

MODEL = "sha256:" + "5" * 64
BODY = {"kind": "model", "asset": MODEL, "policy": "solo"}
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=43)


class Past:
    """A ledger whose events lie in the past, written in order; made before the workspace is."""

    def __init__(self, owner):
        self.home = owner.home
        self.home.mkdir(parents=True)
        self.now = START
        self.ledger = Ledger(f"sqlite:///{self.home / 'ledger.sqlite'}", clock=lambda: self.now)

    def act(self, day, hour, *, outcome=Outcome.INTENDED, action="predict", rows=10, who="sam"):
        self.now = START + timedelta(days=day, hours=hour)
        self.ledger.append(
            actor=who, action=action, subject="router", outcome=outcome, body=BODY | {"rows": rows}
        )

    def work(self, first, last):
        for day in range(first, last):
            for hour in (9, 13):
                self.act(day, hour)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ledger.close()


@pytest.fixture
def quiet(tmp_path):
    return Owner(tmp_path)


@pytest.fixture(scope="session")
def burst_once(tmp_path_factory):
    """Sam works as ever, and one day hands 5,000 rows to the model within an hour."""
    made = Owner(tmp_path_factory.mktemp("burst"))
    with Past(made) as past:
        past.work(0, 40)
        past.act(40, 11, rows=5000)
        past.work(41, 43)
    return made


@pytest.fixture
def burst(burst_once, tmp_path):
    shutil.copytree(burst_once.folder, tmp_path / "burst")
    return Owner(tmp_path / "burst")


def test_honest_work_raises_no_alert(quiet):
    with Past(quiet) as past:
        past.work(0, 42)
    assert quiet.ok("audit", "watch", "--fail") == {"alerts": [], "new": 0}


def test_an_alert_is_an_event_and_is_told_once(burst):
    done = burst.run("audit", "watch", "--fail")
    assert done.code == 3
    (told,) = done.json["alerts"]
    assert (told["kind"], told["principal"], told["action"]) == ("bulk", "sam", "predict")
    assert (told["found"], told["usual"], told["stopped"], told["new"]) == (5000, 10, [], True)
    again = burst.ok("audit", "watch", "--fail")
    assert again["new"] == 0
    assert [each | {"new": True} for each in again["alerts"]] == [told]
    (event,) = burst.events("alert")
    assert (event.subject, event.outcome) == ("sam", "done")
    assert json.loads(event.body)["id"] == told["id"]


def test_only_what_lasted_until_after_a_time(burst):
    later = (START + timedelta(days=42)).date().isoformat()
    assert burst.ok("audit", "watch", "--since", later)["alerts"] == []
    assert burst.events("alert") == []
    assert burst.run("audit", "watch", "--since", "never").error["code"] == "since"


def test_rows_that_only_the_outcome_tells_count(quiet):
    with Past(quiet) as past:
        past.work(0, 40)
        past.act(40, 11, rows=0)
        past.act(40, 11.1, rows=5000, outcome=Outcome.DONE)
    (told,) = quiet.ok("audit", "watch")["alerts"]
    assert (told["kind"], told["found"]) == ("bulk", 5000)


def test_refusals_are_probing(quiet):
    with Past(quiet) as past:
        past.work(0, 40)
        for part in range(12):
            past.act(40, 11 + part / 20, outcome=Outcome.REFUSED, action="detokenize")
    found = quiet.ok("audit", "watch")["alerts"]
    assert {each["kind"] for each in found} == {"probing"}


def test_a_burst_without_a_grant_suspends_what_was_used(burst):
    """Where team's limits hold: the model cannot be used until somebody approves it again."""
    burst.ok("init", "--policy", "team", "--as", "root")
    for name, role in (("eve", "auditor"), ("ada", "data-owner")):
        burst.ok("principal", "add", name, "--role", role, "--as", "root")
    (told,) = burst.ok("audit", "watch", "--as", "eve")["alerts"]
    assert told["stopped"] == [MODEL]
    stands = {each["asset"]: each["status"] for each in burst.ok("asset", "list")["assets"]}
    assert stands[MODEL] == "suspended"
    (started,) = [e for e in burst.events("run.start") if e.actor == "watch"]
    assert json.loads(started.body)["inputs"] == [MODEL]
    assert burst.ok("audit", "verify")["valid"]


def test_only_auditors_watch_in_a_team(burst):
    burst.ok("init", "--policy", "team", "--as", "root")
    assert burst.run("audit", "watch", "--as", "sam").error["code"] == "not_allowed"
    assert burst.events("alert") == []


def test_probing_revokes_the_grants_of_who_probes(quiet):
    with Past(quiet) as past:
        past.work(0, 40)
    quiet.ok("init", "--policy", "team", "--as", "root")
    for name, role in (
        ("eve", "auditor"),
        ("ada", "data-owner"),
        ("rev", "reviewer"),
        ("sam", "scientist"),
        ("kim", "key-custodian"),
        ("dora", "deployer"),
    ):
        quiet.ok("principal", "add", name, "--role", role, "--as", "root")
    quiet.ok("key", "create", "support", "--as", "kim")
    asked = quiet.ok(
        "grant", "request", "key.retire", "key:support", "--for", "a test", "--as", "sam"
    )
    for name in ("ada", "rev"):
        asked = quiet.ok("grant", "approve", asked["grant"], "--as", name)
    assert asked["status"] == "live"
    for _ in range(12):
        assert quiet.run("key", "create", "mine", "--as", "sam").code == 3
    alerts = quiet.ok("audit", "watch", "--as", "eve")["alerts"]
    # At some hours of the day that is unusual too.
    (told,) = [each for each in alerts if each["kind"] == "probing"]
    assert told["stopped"] == [asked["grant"]]
    (grant,) = quiet.ok("grant", "list", "--as", "eve")["grants"]
    assert (grant["status"], grant["reason"]) == ("revoked", "revoked by watch")


def test_the_limits_know_every_kind_of_alert():
    kinds = get_args(get_args(Alerts.model_fields["suspend"].annotation)[0])
    assert set(kinds) == {kind.value for kind in AlertKind}
