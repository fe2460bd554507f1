"""Each page: what is on it, what the gate wrote of it, and what it tells the browser."""

import re

import pytest
from console_samples import console, crowd, of, team_with

EXPORT, TICKETS = of("export"), of("tickets")
PAGES = (
    "/console",
    "/console/assets",
    f"/console/assets/{EXPORT}",
    "/console/exports",
    f"/console/exports/{EXPORT}",
    "/console/exposure",
    "/console/audit",
    "/console/inventory",
    "/console/policies",
    "/console/requests",
    "/console/shadow",
    "/console/risk",
    "/console/lineage",
    f"/console/lineage?asset={EXPORT}",
    "/console/threats",
    "/console/red-team",
    "/console/frontier",
)
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_one_that_a_browser_can_trust(team, path):
    page = team.get(path)
    assert page.status_code == 200
    told = dict(
        part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";")
    )
    assert told == POLICY
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_in_a_page_runs_or_comes_from_elsewhere(team, path):
    page = team.get(path).text
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page)
    assert all('src="/console/static/' in tag for tag in re.findall(r"<script[^>]*>", page))
    assert not re.findall(r'(?:src|href|action)="(?!/console|#)', page)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_its_landmarks(team, path):
    page = team.get(path).text
    assert '<html lang="en">' in page
    assert page.count("<main") == page.count("<h1") == 1
    assert '<a class="skip" href="#main">' in page
    assert page.count("<table") == page.count("<caption")
    assert 'aria-current="page"' in page


@pytest.mark.parametrize("path", PAGES)
def test_each_look_is_an_act(team, path):
    before = len(team.events())
    team.get(path)
    events = team.events(before)
    assert {event.actor for event in events} == {"eve"}
    assert [event.outcome for event in events][-1] == "done"
    assert {event.action for event in events} <= {"view", "audit"}


def test_the_overview_says_what_waits(team):
    page = team.get("/console").text
    assert "sam asks for deploy, for route support tickets" in page
    assert "waits for 1 data-owner and 2 reviewer" in page
    assert "was assessed by an older suite of attacks" in page
    assert "are nearly spent" in page
    assert "2 assets hold rows that are to be gone" in page
    assert "sam was refused audit 3 times" in page
    assert "alert of bulk: somebody, predict" in page


def test_assets_are_found_by_words_and_filtered(team):
    page = team.get("/console/assets?words=TICKETS.CSV").text
    assert "1 asset of 7" in page
    assert "tickets.csv" in page
    assert "reviews.jsonl" not in page
    page = team.get("/console/assets?kind=dataset&level=restricted").text
    assert "2 assets of 7" in page
    assert "No asset is like that" in team.get("/console/assets?words=nothing").text
    assert "reviews.jsonl" in team.get("/console/assets?stale=1").text


def test_an_asset_tells_where_it_came_from(team):
    page = team.get(f"/console/assets/{EXPORT}").text
    assert f'href="/console/assets/{TICKETS}">tickets.csv' in page
    assert f'href="/console/assets/{of("model")}">ticket router' in page
    assert "restricted; PII; from customer" in page
    assert "within limit" in page


def test_exports_are_listed_by_their_evidence(team):
    page = team.get("/console/exports").text
    assert "within limit" in page
    assert "2.1\u202f%" in page
    page = team.get("/console/exports?evidence=stale").text
    assert f"/console/exports/{EXPORT}" not in page
    assert f"/console/exports/{of('second')}" in page


def test_an_export_shows_every_line_of_its_finding(team):
    page = team.get(f"/console/exports/{EXPORT}").text
    assert "centroid matching" in page
    assert "0.0040 – 0.0280" in page
    assert "planted pairs" in page
    assert "attackers with better public text" in page
    assert "/report" in page


def test_a_report_is_shown_where_it_can_do_nothing(team):
    report = team.get(f"/console/exports/{EXPORT}/report")
    assert "<title>report</title>" in report.text
    policy = report.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.endswith("sandbox")
    assert team.get(f"/console/exports/{of('second')}/report").status_code >= 400


def test_a_finding_that_is_gone_is_said_to_be_lost(team):
    page = team.get(f"/console/exports/{of('second')}").text
    assert "The finding is missing or was changed" in page


def test_gauges_show_what_is_given_away(team):
    page = team.get("/console/exposure").text
    assert re.search(r'<meter[^>]*value="0.88"', page)
    assert "88 of 100" in page
    assert ">nobody<" in page
    assert "queries" in page


def test_the_trail_leaves_looks_out_and_filters(team):
    page = team.get("/console/audit?action=alert").text
    assert "somebody" in page
    assert page.count("<tr>") == 2
    assert ">view<" not in team.get("/console/audit").text
    assert ">view<" in team.get("/console/audit?looks=1").text


def test_the_trail_goes_back_page_by_page_and_loses_nothing(team):
    seen, path = [], "/console/audit?looks=1"
    before = len(team.events())
    while path:
        page = team.get(path).text
        seen += map(int, re.findall(r'<th scope="row" class="number">(\d+)</th>', page))
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen[0] > before
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 1
    assert len(seen) == seen[0]


@pytest.mark.parametrize(
    "since", ["yesterday", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:00-23:59"]
)
def test_a_date_that_is_none_is_said_so(team, since):
    page = team.get(f"/console/audit?since={since}")
    assert page.status_code == 400
    assert "is no date and no time" in page.text


def test_the_ledger_is_verified_live(team):
    part = team.post("/console/audit/verify", fields={"part": "1"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "The ledger holds" in part.text
    whole = team.post("/console/audit/verify")
    assert "<html" in whole.text
    assert "The ledger holds" in whole.text
    assert "Last verified" in team.get("/console").text


def test_a_page_that_is_not_there_is_a_page(team):
    for path in ("/console/none", "/console/assets/sha256:00", f"/console/exports/{TICKETS}"):
        page = team.get(path)
        assert page.status_code == 404
        assert "<html" in page.text
    told = team.client.get("/console/none", headers={"Accept": "*/*"})
    assert told.json()["error"]["code"] == "route_unknown"


def test_what_pages_are_drawn_with_is_kept_for_ever(team):
    page = team.get("/console").text
    for address in set(re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page)):
        found = team.client.get(address)
        assert found.status_code == 200
        assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert b"://" not in found.content.replace(b"http://www.w3.org/2000/svg", b"")
        another = address.replace(address.split("/")[3], "0" * 16)
        assert team.client.get(another).status_code == 404


def test_the_console_begins_without_a_slash(team):
    assert team.get("/console/").headers["Location"] == "/console"


def test_a_long_list_comes_in_pages_and_loses_nothing(tmp_path):
    team_with(tmp_path / "workspace")
    crowd(tmp_path / "workspace", 130)
    seen = []
    with console(tmp_path / "workspace") as served:
        for number in (1, 2, 3):
            page = served.get(f"/console/assets?page={number}").text
            assert f"Page {number} of 3" in page
            seen += re.findall(r">(rows-\d{5}.parquet)</a>", page)
        assert "Page 3 of 3" in served.get("/console/assets?page=9").text
    assert len(seen) == len(set(seen)) == 130
