"""Requests in the console: what one binds, who may vote, and a vote with its reason."""

import re
import sqlite3
from dataclasses import replace

import pytest
from console_samples import console, of, session_of, team_with

from cipherset.app import keys
from cipherset.app.access import grants
from cipherset.app.access.grants import Wish
from cipherset.app.access.principals import Change, add
from cipherset.app.access.signing import make_signer
from cipherset.app.workspace import open_workspace
from cipherset.custody.ledger.access import find_principal, put_principal
from cipherset.custody.policy import Action

SAYS = {"reason": "seen by both of us"}


@pytest.fixture
def fresh(tmp_path):
    home = tmp_path / "workspace"
    team_with(home)
    with console(home) as served:
        yield served


def ids(team) -> dict[str, str]:
    """Each request by its action."""
    page = team.get("/console/requests").text
    return {act: one for one, act in re.findall(r'requests/(grant-\w+)">([a-z.-]+)<', page)}


def test_those_that_wait_come_first(fresh):
    for who in ("dora", "rita"):
        fresh.post(f"/console/requests/{ids(fresh)['export']}/approve", who=who, fields=SAYS)
    page = fresh.get("/console/requests").text
    assert page.index(">deploy</a>") < page.index(">export</a>")
    assert "pending (1)" in page
    assert "live (1)" in page
    live = fresh.get("/console/requests?state=live").text
    assert ">export</a>" in live
    assert ">deploy</a>" not in live
    assert "Nobody asked" in fresh.get("/console/requests?state=void").text


def test_one_says_what_a_voter_must_know(team):
    page = team.get(f"/console/requests/{ids(team)['deploy']}", who="dora").text
    for told in ("route support tickets", "for the pilot", "sam", "data-owner", "reviewer"):
        assert told in page
    assert page.count("the same") == 2  # the policies and our code
    assert "compared at its use" in page
    assert f'href="/console/assets/{of("model")}"' in page
    assert "Nobody has voted yet" in page


def test_a_vote_is_signed_and_stays_with_its_reason(fresh):
    path = f"/console/requests/{ids(fresh)['export']}"
    first = fresh.post(f"{path}/approve", who="dora", fields=SAYS)
    assert first.status_code == 200
    assert str(first.url).endswith(path)
    assert "seen by both of us" in first.text
    assert "approve</span> dora" in first.text
    second = fresh.post(f"{path}/approve", who="rita", fields={"reason": "tested"})
    assert "approved by dora, rita, until" in second.text
    ended = fresh.post(f"{path}/revoke", who="rita", fields={"reason": "the pilot is over"})
    assert "revoked by rita" in ended.text
    assert "Your vote" not in ended.text
    told = [(e.actor, e.action, e.outcome) for e in fresh.events() if e.action.startswith("grant.")]
    assert told[-6:] == [
        ("dora", "grant.approve", "intended"),
        ("dora", "grant.approve", "done"),
        ("rita", "grant.approve", "intended"),
        ("rita", "grant.approve", "done"),
        ("rita", "grant.revoke", "intended"),
        ("rita", "grant.revoke", "done"),
    ]


def test_one_denial_ends_it(fresh):
    path = f"/console/requests/{ids(fresh)['export']}"
    assert "denied by rita" in fresh.post(f"{path}/deny", who="rita", fields=SAYS).text


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 2001])
def test_a_vote_says_why(team, reason):
    path = f"/console/requests/{ids(team)['deploy']}"
    refused = team.post(f"{path}/approve", who="dora", fields={"reason": reason})
    assert (refused.status_code, "vote_reason" in refused.text) == (400, True)
    assert "Nobody has voted yet" in team.get(path).text


@pytest.mark.parametrize("who", ["sam", "eve", "kim"])
def test_who_may_not_vote_is_shown_no_form_and_refused(team, who):
    path = f"/console/requests/{ids(team)['deploy']}"
    assert "Your vote" not in team.get(path, who=who).text
    refused = team.post(f"{path}/approve", who=who, fields=SAYS)
    assert (refused.status_code, "not_allowed" in refused.text) == (403, True)
    assert team.events()[-1].outcome == "refused"


def test_a_request_that_is_not_there(team):
    missing = team.get("/console/requests/grant-000000000000")
    assert (missing.status_code, "grant_unknown" in missing.text) == (404, True)


def test_a_key_that_was_rotated_since_shows(fresh):
    wish = Wish(Action.KEY_DESTROY, ("key:support",), "the pilot is over")
    root = session_of(fresh.home)
    asked = grants.request(replace(root, actor="kim"), wish)
    page = f"/console/requests/{asked.request.id}"
    assert "another" not in fresh.get(page).text
    keys.rotate(replace(root, actor="kim"), "support", provider=None)
    assert ">another</span>" in fresh.get(page).text


def test_who_has_a_key_of_their_own_is_told_the_command(fresh, tmp_path):
    key = make_signer(tmp_path / "cora")
    root = session_of(fresh.home)
    add(root, Change("cora", ("reviewer",)))

    def own(work):
        stored = find_principal(work.connection, "cora")
        put_principal(work, replace(stored, public_key=key), actor="root")

    with open_workspace(root) as workspace:
        workspace.gate.ledger.transact(own)
    path = f"/console/requests/{ids(fresh)['deploy']}"
    page = fresh.get(path, who="cora").text
    assert "<textarea" not in page
    assert f"cipherset grant approve {path.rpartition('/')[2]} --as cora" in page
    refused = fresh.post(f"{path}/approve", who="cora", fields=SAYS)
    assert "vote_unsigned" in refused.text


def test_a_vote_that_was_changed_is_said_so(fresh):

    path = f"/console/requests/{ids(fresh)['deploy']}"
    fresh.post(f"{path}/approve", who="dora", fields=SAYS)
    with sqlite3.connect(fresh.home / "ledger.sqlite") as rows:
        rows.execute("UPDATE votes SET envelope = replace(envelope, '\"sig\"', '\"gis\"')")
    page = fresh.get(path).text
    assert "does not verify" in page
    assert "seen by both of us" not in page
