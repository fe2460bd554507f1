"""Who is let in, and what the others are told: no more than that they are not."""

import re
from pathlib import Path

import pytest
from console_samples import WHO, of, session_of
from starlette.testclient import TestClient

from cipherset.app.access.init import init
from cipherset.app.workspace import hold
from cipherset.core.errors import PolicyError, UsageError
from cipherset.custody.policy import BuiltIn
from cipherset.interfaces.console.frame import Frame
from cipherset.interfaces.console.static import static_files
from cipherset.interfaces.console.view import TOKEN, View
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services

VERIFY = "/console/audit/verify"
SECRETS = ("tickets.csv", "route support tickets", "grant-", "ticket router", of("export"))


def test_who_is_not_known_sees_a_page_without_anything(team):
    before = len(team.events())
    for path in ("/console", "/console/assets", "/console/audit", "/console/exposure"):
        page = team.get(path, who=None)
        assert page.status_code == 401
        assert page.headers["WWW-Authenticate"]
        assert "form-token" not in page.text
        assert "Pages" not in page.text
        assert not [word for word in SECRETS if word in page.text]
    assert team.events(before) == []


def test_a_scientist_reads_no_trail(team):
    page = team.get("/console/audit", who="sam")
    assert page.status_code == 403
    assert "Not for you" in page.text
    assert "may not do it" in page.text
    assert not [word for word in SECRETS if word in page.text]
    assert team.events()[-1].outcome == "refused"


def test_the_overview_holds_no_event_for_who_may_not_see_any(team):
    page = team.get("/console", who="sam").text
    assert "sam asks for deploy" in page
    assert "refused audit" not in page
    assert "alert of bulk" not in page
    assert "Verify now" not in page
    assert "Refusals and alerts are for auditors" in page


def test_to_leave_events_out_writes_no_refusal(team):
    before = len(team.events())
    team.get("/console", who="sam")
    assert [event.outcome for event in team.events(before)] == ["intended", "done"]


def test_a_form_without_its_word_is_refused(team):
    before = len(team.events())
    for token in ("", "0" * 64, team.token("dora"), "ü"):
        refused = team.post(VERIFY, token=token)
        assert refused.status_code == 403
        assert "form_token" in refused.text
    assert team.events(before) == []


def test_the_word_may_come_in_a_header(team):
    sent = {TOKEN: team.token("eve")}
    assert team.post(VERIFY, token="", headers=sent).status_code == 200


def test_a_form_says_where_it_comes_from(team):
    headers = {"Accept": "text/html", WHO: "eve"}
    data = {"form_token": team.token("eve")}
    refused = team.client.post(VERIFY, data=data, headers=headers)
    assert (refused.status_code, "form_site" in refused.text) == (403, True)
    ours = {**headers, "Origin": "http://127.0.0.1"}
    assert team.client.post(VERIFY, data=data, headers=ours).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "elsewhere.example"},
    ],
    ids=str,
)
def test_pages_of_other_sites_get_nothing(team, headers):
    before = len(team.events())
    assert team.post(VERIFY, headers=headers).status_code in {403, 421}
    told = team.client.get("/console", headers={**team.as_("eve"), **headers})
    assert told.status_code in {403, 421}
    assert team.events(before) == []


def test_what_is_no_form_is_refused(team):
    headers = {**team.as_("eve"), TOKEN: team.token("eve")}
    for body in (b"\xff\xfe", b"a&b", b"&".join(b"n%d=1" % i for i in range(100))):
        refused = team.client.post(VERIFY, content=body, headers=headers)
        assert (refused.status_code, "<code>form</code>" in refused.text) == (422, True)


def test_a_look_changes_nothing(team):
    for path in (VERIFY,):
        assert team.get(path).status_code == 405


def test_the_word_is_each_principals_own(team):
    pages = {who: team.get("/console", who=who).text for who in ("eve", "sam")}
    words = {
        who: re.search(r'name="form-token" content="(\w{64})"', p)[1] for who, p in pages.items()
    }
    assert words["eve"] != words["sam"]
    assert words["eve"] == team.token("eve")


def test_a_failure_of_ours_says_nothing(team, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a row of somebody")

    monkeypatch.setattr("cipherset.interfaces.console.pages.assets.exposure.view_exposure", broken)
    page = team.get("/console/exposure")
    assert page.status_code == 500
    assert "somebody" not in page.text


def test_a_section_that_is_not_for_a_role_is_left_out():
    view = View(session_of(Path("nowhere")), "/console", Frame())

    def refused(code: str):
        raise PolicyError("told", code=code, hint="none")

    assert view.section(lambda: 7) == 7
    assert view.section(lambda: refused("not_allowed")) is None
    with pytest.raises(PolicyError):
        view.section(lambda: refused("budget"))


def test_what_a_page_is_drawn_with_is_there():
    with pytest.raises(UsageError) as caught:
        static_files().address("none.css")
    assert caught.value.code == "static_unknown"


def test_a_report_of_what_was_never_measured_is_not_there(team):
    absent = team.get(f"/console/exports/{of('tickets')}/report")
    assert (absent.status_code, "asset_unknown" in absent.text) == (404, True)


def test_one_person_alone_looks_at_their_own(tmp_path):
    session = session_of(tmp_path / "workspace")
    init(session, BuiltIn.SOLO)
    with hold(session) as held:
        app = build_app(Services(held, ClaimedIdentity("root", lambda: True)))
        here = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
        with TestClient(app, **here) as client:
            page = client.get("/console", headers={"Accept": "text/html"})
            assert "Needs attention" in page.text
            assert "Verify now" in page.text
