"""The inventory and the map of shadow AI in the console."""

from urllib.parse import quote

import pytest
from console_samples import console, of, session_of, team_with

from cipherset.app.discovery.answers import answer_from
from cipherset.app.discovery.egress import EgressRequest, discover_egress
from cipherset.app.discovery.review import ask_for_review
from cipherset.app.discovery.scan import DiscoverRequest, discover
from cipherset.core.errors import InputError, UsageError
from cipherset.evidence.views.desk.shadow import shadow_map, without_names

PATH = "/console/inventory"
NOTES = {
    "name": "Meeting notes",
    "purpose": "minutes",
    "owner": "sales",
    "endpoints": "https://notes.example\nother.example",
    "data": "speech\n\n",
    "people": "12",
}
LOG = """time,user,host,bytes_up
2026-11-16T09:00:00Z,desk-04,chatgpt.com,1200
2026-11-17T09:00:00Z,desk-04,chatgpt.com,800
2026-11-17T09:05:00Z,build-02,api.openai.com,99000
"""


@pytest.fixture
def fresh(tmp_path):
    home = tmp_path / "workspace"
    team_with(home)
    with console(home) as served:
        yield served


def look(team, text=LOG):
    log = team.home.parent / "proxy.csv"
    log.write_text(text)
    return discover_egress(session_of(team.home, "eve"), EgressRequest(logs=(log,)))


def test_filters(team):
    page = team.get(PATH).text
    assert "ticket router" in page
    assert "1 asset of" in team.get(f"{PATH}?status=approved&search=&kind=").text
    assert "ticket router" in team.get(f"{PATH}?status=approved").text
    assert "Nothing in the inventory" in team.get(f"{PATH}?search=none+such").text
    assert "chat/small" not in team.get(f"{PATH}?kind=model").text
    assert team.get(f"{PATH}?status=odd").status_code == 422


def test_what_was_not_read_is_said(fresh, tmp_path):
    assert "not read" not in fresh.get(PATH).text
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "code.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    discover(session_of(fresh.home, "eve"), DiscoverRequest((tmp_path / "tree",)))
    assert "1 file not read by the last looks" in fresh.get(PATH).text


def test_what_is_told_is_in_it(fresh):
    told = fresh.post(f"{PATH}/register", fields=NOTES)
    assert told.status_code == 200
    for word in ("Meeting notes", "https://notes.example, other.example", "questionnaire", "sales"):
        assert word in told.text
    again = fresh.post(f"{PATH}/register", fields={**NOTES, "owner": "support"})
    assert "1 asset of" in again.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("owner", " "),
        ("people", "many"),
        ("people", "-1"),
        ("kind", "person"),
        ("endpoints", "https://me:secret@notes.example"),
        ("data", "x" * 201),
    ],
)
def test_an_answer_of_another_form(team, field, value):
    before = len(team.events())
    refused = team.post(f"{PATH}/register", fields={**NOTES, field: value})
    assert (refused.status_code, "<code>answers</code>" in refused.text) == (422, True)
    assert "secret" not in refused.text
    assert team.events(before) == []
    with pytest.raises(InputError, match=f"the form does not hold answers: {field}"):
        answer_from({**NOTES, field: value})


def test_only_auditors_tell(team):
    refused = team.post(f"{PATH}/register", who="sam", fields=NOTES)
    assert (refused.status_code, "not_allowed" in refused.text) == (403, True)


def test_a_review_is_asked_for_once(fresh):
    path = f"{PATH}/{of('service')}/review"
    asked = fresh.post(path, who="sam", fields={"approver": "dora", "note": "for chats"})
    assert "in review" in asked.text
    assert 'href="/console/requests/grant-' in asked.text
    again = fresh.post(path, who="sam", fields={"approver": "dora"})
    assert (again.status_code, "review_known" in again.text) == (400, True)
    with pytest.raises(UsageError, match="in review already"):
        ask_for_review(session_of(fresh.home, "sam"), of("service"), "", approver=None)
    # Who may not ask is told the same of both, and it is written down.
    for asset in (of("service"), of("reviews")):
        refused = fresh.post(f"{PATH}/{asset}/review", who="nobody")
        assert (refused.status_code, "not_allowed" in refused.text) == (403, True)
        assert fresh.events()[-1].action == "grant.request"


def test_an_approver_who_is_not_there(team):
    refused = team.post(f"{PATH}/{of('service')}/review", who="sam", fields={"approver": "zoe"})
    assert "principal_unknown" in refused.text


def test_shadow_is_numbers_for_all_and_names_for_auditors(fresh):
    assert "No log was looked at yet" in fresh.get("/console/shadow").text
    look(fresh)
    look(fresh)
    auditor, scientist = (fresh.get("/console/shadow", who=who).text for who in ("eve", "sam"))
    for page in (auditor, scientist):
        assert "ChatGPT" in page
        assert "99\u202f000" in page
        assert "2\u202f000" in page  # once, though the log was looked at twice
        assert "unreviewed" in page
    assert "desk-04" in auditor
    assert 'class="number heat-' in auditor
    assert "desk-04" not in scientist
    assert "build-02" not in scientist
    assert "who used them is for auditors" in scientist


def test_names_are_an_act_of_their_own(team):
    look(team)
    before = len(team.events())
    team.get("/console/shadow")
    told = [(e.action, e.subject, e.outcome) for e in team.events(before)]
    assert ("audit", "sightings", "done") in told


def test_a_service_in_review_shows_so(team):
    asset = look(team).used[0].asset
    team.post(f"{PATH}/{quote(asset)}/review", who="sam", fields={"approver": "dora"})
    assert "in review" in team.get("/console/shadow").text


def use(who, count, *, where="log", service="s", asset="a", sent=None):
    told = {"kind": "shadow-ai", "where": where, "what": service, "principal": who, "count": count}
    told |= {"bytes_up": sent, "first_seen": None, "last_seen": None, "vendor": "v", "is": "chat"}
    return told | {"asset": asset, "service": service, "host": None}


def test_the_same_log_counts_once_and_others_add_up():
    looks = [[use("x", 3, sent=10)], [use("x", 5, sent=20), use("x", 7, where="other")]]
    (line,) = shadow_map(looks, {}).lines
    assert (line.count, line.bytes_up, line.principals) == (12, 20, 1)


def test_heat_is_by_the_logarithm():
    looks = [[use("x", 1), use("y", 1000), use("z", 30), use(None, 2)]]
    found = shadow_map(looks, {})
    heat = {who: cell.heat for who, cell in found.lines[0].cells.items()}
    assert heat == {"x": 1, "y": 4, "z": 2, "not named": 1}
    assert found.principals == ("y", "z", "not named", "x")
    bare = without_names(found)
    assert (bare.principals, dict(bare.lines[0].cells)) == ((), {})


def test_rows_that_were_sent():
    sent = use("x", 2) | {"kind": "rows-sent", "rows": 14, "level": "restricted"}
    found = shadow_map([[sent]], {})
    assert [(each.rows, each.bodies, each.principal) for each in found.sent] == [(14, 2, "x")]
    assert without_names(found).sent[0].principal is None
    assert found.lines == ()
