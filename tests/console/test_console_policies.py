"""Policies explained in the console: why was I refused, and what if."""

import re
from urllib.parse import urlencode

from console_samples import of

PATH = "/console/policies"


def what_if(team, who="eve", **asked):
    return team.get(f"{PATH}?{urlencode(asked)}", who=who)


def test_a_refusal_is_explained(team):
    team.get("/console/audit", who="sam")
    refused = team.events()[-1]
    page = team.get(f"{PATH}?event={refused.seq}").text
    assert "Why sam was refused" in page
    assert "What would allow it" in page
    assert "auditor" in page
    assert f"event={refused.seq}" in team.get(PATH).text


def test_a_refusal_of_another_kind_says_that_policies_allowed_it(team):
    team.get("/console/assets/none")
    refused = team.events()[-1]
    page = team.get(f"{PATH}?event={refused.seq}").text
    assert "asset_unknown" in page
    assert "refused for another reason" in page


def test_what_is_no_refusal(team):
    for number in (1, 2**40):
        page = team.get(f"{PATH}?event={number}")
        assert (page.status_code, "refusal_unknown" in page.text) == (404, True)


def test_events_are_for_auditors(team):
    page = team.get(PATH, who="sam")
    assert page.status_code == 200
    assert "Not for your role" in page.text
    assert team.get(f"{PATH}?event=1", who="sam").status_code == 403


def test_what_if_somebody_did_it(team):
    page = what_if(team, principal="rita", action="assess", asset=of("export")).text
    assert "Allowed" in page
    assert "@measure" in page
    page = what_if(team, principal="sam", action="assess", asset=of("export")).text
    assert "Denied" in page
    assert "reviewer" in page
    page = what_if(team, principal="kim", action="key.rotate", asset="key:support").text
    assert "@keep-keys" in page


def test_what_if_asks_nothing_of_the_gate_for_them(team):
    before = len(team.events())
    what_if(team, principal="rita", action="assess", asset=of("export"))
    assert {event.actor for event in team.events(before)} == {"eve"}


def test_a_purpose_counts(team):
    asked = {"principal": "ivan", "action": "protect", "asset": of("second")}
    other = what_if(team, **asked, purpose="marketing").text
    assert "@other-purpose" in other
    assert "@other-purpose" not in _verdict(what_if(team, **asked, purpose="ticket routing").text)


def test_one_version_of_a_key_is_that_key(team):
    page = team.get("/console/assets?kind=key").text
    key = re.search(r"/console/assets/(sha256:\w{64})", page)[1]
    assert "Allowed" in what_if(team, principal="kim", action="key.rotate", asset=key).text


def test_no_place_on_a_disk_is_looked_at(team):
    for asset in ("/etc/passwd", "../workspace", of("nothing"), "key:none"):
        page = what_if(team, principal="sam", action="assess", asset=asset)
        assert (page.status_code, "asset_unknown" in page.text) == (404, True)


def test_who_is_nobody_has_no_role(team):
    assert "(no role)" in what_if(team, principal="mallory", action="view").text


def _verdict(page: str) -> str:
    """Without the list of every policy."""
    return page.partition("<details")[0]
