"""Agents send what they saw over TLS, each of its own host: to the inventory, or nowhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from http_samples import error_of, gateway, team_in
from http_server import DEADLINE_S, served

sys.path.append(str(Path(__file__).parents[1] / "discover"))
sys.path.append(str(Path(__file__).parents[1] / "identity"))

from discover_planted import KEY, planted
from identity_server import Authority

from cipherset.app.access.principals import Change, add
from cipherset.app.access.signing import make_signer
from cipherset.app.discovery.scan import DiscoverRequest, discover
from cipherset.app.sight.inventory import see_inventory
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Ledger
from cipherset.evidence.discover.agent import agent_bytes
from cipherset.evidence.discover.code import read_report, scan
from cipherset.interfaces.cli.output import TerminalProgress

HOST = "web-1"
PATH = "/v1/discover"


def session_of(home, actor="eve"):
    return Session(home, actor, home.parent, TerminalProgress())


def team_with_agents(folder):
    """The team, and two hosts of it."""
    home = folder / "workspace"
    team_in(home, make_signer(folder / "cora"))
    for name in (HOST, "web-2"):
        add(session_of(home, "root"), Change(name, ("service",)))
    return home


def events(home):
    with Ledger(f"sqlite:///{home / 'ledger.sqlite'}") as ledger:
        return [event for event in ledger.events() if event.action == "discover"]


class Hosts:
    """A gateway that only verified connections reach, and hosts with an agent."""

    def __init__(self, folder, home, authority, url):
        self.folder, self.home, self.authority, self.url = folder, home, authority, url
        self.agent = folder / "agent.pyz"
        self.agent.write_bytes(agent_bytes())
        self.tree = planted(folder / "tree")
        self.kept = folder / "agent.pyz.unsent.json"

    def certificate(self, name, authority=None):
        pem, key = (authority or self.authority).client(name, common_name=name)
        return ("--cert", pem, "--key", key)

    def run(self, *proof, host=HOST, ca=None):
        """With nothing but the interpreter: no site-packages, no variable of Python's."""
        to = ("--to", self.url + PATH, "--ca", ca or self.authority.file, "--host", host)
        command = [sys.executable, "-I", "-S", self.agent, self.tree, *to, *proof]
        return subprocess.run(
            [str(each) for each in command], capture_output=True, check=False, timeout=DEADLINE_S
        )


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    authority = Authority.made(folder / "authority")
    pem, key = authority.server()
    home = team_with_agents(folder)
    tls = ("--tls-cert", pem, "--tls-key", key, "--client-ca", authority.file)
    with served(home, *map(str, tls)) as (_, told):
        yield Hosts(folder, home, authority, told["url"])


def test_a_report_is_in_the_inventory_with_its_source_and_host(hosts):
    before = len(events(hosts.home))
    done = hosts.run(*hosts.certificate(HOST))
    assert (done.returncode, done.stderr) == (0, b"")
    assert not hosts.kept.exists()
    *_, event = events(hosts.home)[before:]
    assert (event.actor, event.outcome) == (HOST, "done")
    rows = see_inventory(session_of(hosts.home))
    found = [row for row in rows if row.as_json()["sources"] == ["agent"]]
    assert len(found) > 10
    for row in found:
        assert all(place.startswith(f"{HOST}:{hosts.tree}") for place in row.seen.where)
    held = [path for path in hosts.home.rglob("*") if path.is_file()]
    assert [path for path in held if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("name", "host", "said"),
    [
        ("sam", "sam", b"it answered 403 not_allowed"),  # a scientist may not
        ("stranger", "stranger", b"it answered 401 unidentified"),
        ("web-2", HOST, b"it answered 422 report_host"),  # attack: of another's host
    ],
)
def test_who_may_not_is_refused_and_keeps_the_report(hosts, name, host, said):
    before = events(hosts.home)
    done = hosts.run(*hosts.certificate(name), host=host)
    assert done.returncode == 6
    assert said in done.stderr
    assert read_report(hosts.kept.read_bytes()).host == host
    hosts.kept.unlink()
    after = events(hosts.home)[len(before) :]
    assert [each.outcome for each in after if each.outcome == "done"] == []
    assert {each.actor for each in after} <= {name}


def test_no_connection_without_trust_on_both_sides(hosts, tmp_path):
    before = len(events(hosts.home))
    other = Authority.made(tmp_path / "other")
    for proof, ca in (
        (hosts.certificate(HOST), other.file),
        (hosts.certificate(HOST, other), None),
        ((), None),
    ):
        done = hosts.run(*proof, ca=ca)
        assert done.returncode == 6
        assert b"could not be sent" in done.stderr
        assert b"it answered" not in done.stderr
        assert read_report(hosts.kept.read_bytes()).host == HOST
        hosts.kept.unlink()
    assert len(events(hosts.home)) == before


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    with gateway(team_with_agents(tmp_path_factory.mktemp("team"))) as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    tree = planted(tmp_path_factory.mktemp("planted") / "tree")
    return scan([tree], host=HOST).as_json()


def sent(served, report, who=HOST):
    return served.client.post(PATH, json=report, headers=served.as_(who))


def test_the_same_report_as_a_file_is_the_same_assets(team, report, tmp_path):
    first, again = sent(team, report).json(), sent(team, report).json()
    assert (first["findings"], again["findings"]) == (len(report["findings"]),) * 2
    assert first["new"] > again["new"] == 0
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    found = discover(session_of(team.home), DiscoverRequest(reports=(path,)))
    assert {each.is_new for each in found.findings} == {False}
    assert len({each.asset for each in found.findings}) == first["new"]


def test_a_host_reports_of_itself_alone(team, report):
    for told in (report | {"host": "web-2"}, report | {"host": ""}):
        assert error_of(sent(team, told)) == (422, "report_host")
    *_, event = team.events("discover")
    assert (event.actor, event.outcome) == (HOST, "refused")
    assert json.loads(event.body)["code"] == "report_host"


def test_alone_whoever_asks_may_report_of_any_host(solo, report):
    assert solo.client.post(PATH, json=report).status_code == 200
    refused = solo.client.post(PATH, json=report | {"host": ""})
    assert error_of(refused) == (422, "report_host")


def test_what_is_no_report_changes_nothing(team, report):
    before = team.events()
    (finding, *_) = report["findings"]
    for wrong in (
        {},
        report | {"more": 1},
        report | {"schema": "cipherset/discovery/2"},
        report | {"n_files": -1},
        report | {"findings": [finding | {"what": "a\nb"}]},
        report | {"findings": [finding | {"kind": "other"}]},
        report | {"findings": {}},
    ):
        assert error_of(sent(team, wrong)) == (422, "discover_report")
    assert error_of(sent(team, [report])) == (422, "request_form")
    assert team.events() == before


def test_a_report_without_end_is_not_read(team, report):
    before = team.events()
    (finding, *_) = report["findings"]
    huge = report | {"findings": [finding] * 30_000}
    assert error_of(sent(team, huge)) == (413, "body_too_large")
    assert team.events() == before


def test_a_service_that_nobody_verified_does_not_report(team, report, tmp_path):
    """From the command line a name is only claimed."""
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    with pytest.raises(PolicyError) as caught:
        discover(session_of(team.home, HOST), DiscoverRequest(reports=(path,)))
    assert caught.value.code == "not_allowed"
