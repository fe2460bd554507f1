"""Every page for everybody: what a role may see is there, and nothing of what it may not."""

import re

import pytest
from console_samples import TEAM, console, of, session_of, team_with

from cipherset.app.discovery.egress import EgressRequest, discover_egress
from cipherset.interfaces.console.mount import frame

NAVIGATION = [entry.path for group in frame().groups for entry in group.entries]
AUDITORS = {"/console/audit"}
# Somebody whom the connection vouches for, and who has no role; and the administrator.
PEOPLE = (*TEAM, "root", "nobody")
PERSON = "planted-desk-77"
LOG = f"""time,user,host,bytes_up
2026-11-16T09:00:00Z,{PERSON},chatgpt.com,1200
"""
# Of the workspace: what was asked for, what is there, who did it, and its digests.
OURS = (
    *("tickets.csv", "reviews.jsonl", "route support tickets", "for the pilot", "ticket router"),
    *("ticket routing", "chat/small", "grant-", "ChatGPT", PERSON, "dora", "rita", "ivan", "kim"),
    *(of(name)[7:19] for name in ("export", "tickets", "model", "service")),
)


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    home = tmp_path_factory.mktemp("roles") / "workspace"
    team_with(home)
    log = home.parent / "proxy.csv"
    log.write_text(LOG)
    discover_egress(session_of(home, "eve"), EgressRequest(logs=(log,)))
    with console(home) as served:
        yield served


def may(who: str, path: str) -> bool:
    """Whoever has a role sees what there is; events are for auditors."""
    return who == "eve" or (who != "nobody" and path not in AUDITORS)


def told_of(page: str, who: str) -> list[str]:
    """What of the workspace is on a page, beside the name of the one who looks."""
    return [word for word in OURS if word != who and word in page]


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("path", NAVIGATION)
def test_each_page_is_for_whom_it_is(team, path, who):
    before = len(team.events())
    page = team.get(path, who=who)
    last = team.events(before)[-1]
    assert last.actor == who
    if may(who, path):
        assert (page.status_code, last.outcome) == (200, "done")
    else:
        assert (page.status_code, last.outcome) == (403, "refused")
        assert told_of(page.text, who) == []
        assert "Not for you" in page.text


def test_all_of_ours_would_be_found(team):
    """The test above looks for words that pages do show to those who may see them."""
    every = "".join(team.get(path).text for path in NAVIGATION)
    requests = set(re.findall(r'href="(/console/requests/[^"]+)"', every))
    every += "".join(team.get(path).text for path in requests)
    assert [word for word in OURS if word not in every] == []


@pytest.mark.parametrize("path", NAVIGATION)
def test_who_used_what_is_for_auditors_on_every_page(team, path):
    assert (PERSON in team.get(path).text) == (path == "/console/shadow")
    for who in set(PEOPLE) - {"eve"}:
        assert PERSON not in team.get(path, who=who).text


@pytest.mark.parametrize("who", PEOPLE)
def test_a_request_is_for_who_has_a_role_and_the_vote_for_who_may_give_it(team, who):
    found = set(re.findall(r'href="(/console/requests/[^"]+)"', team.get("/console/requests").text))
    assert len(found) == 2
    for path in sorted(found):
        page = team.get(path, who=who)
        assert page.status_code == (403 if who == "nobody" else 200)
        assert ("Your vote" in page.text) == (who in {"dora", "rita"})
        if who == "nobody":
            assert told_of(page.text, who) == []


@pytest.mark.parametrize("path", ["/console", "/console/policies"])
def test_refusals_and_alerts_are_for_auditors(team, path):
    team.get("/console/audit", who="ivan")
    for who in PEOPLE:
        page = team.get(path, who=who).text
        assert ("refused audit" in page or "audit of events" in page) == (who == "eve")
