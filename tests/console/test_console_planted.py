"""Markup in every field that a principal can write into: shown as text, wherever it is shown."""

import csv
import re
from dataclasses import fields
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from console_samples import Names, console, of, session_of, team_with

from cipherset.app.discovery.egress import EgressRequest, discover_egress

PLANTED = "\"'></title><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"
PAGES = (
    "/console",
    "/console/assets",
    f"/console/assets/{of('tickets')}",
    f"/console/assets/{of('export')}",
    f"/console/assets/{of('model')}",
    "/console/exports",
    f"/console/exports/{of('export')}",
    "/console/exposure",
    "/console/audit",
    "/console/audit?looks=1",
    "/console/risk?top=50",
    "/console/lineage",
    f"/console/lineage?asset={of('export')}",
    "/console/threats",
    "/console/red-team",
    "/console/frontier",
    "/console/shadow",
    "/console/requests",
    "/console/policies",
    "/console/inventory",
)
# What people write elsewhere than in ``Names``, and the page that must show it.
WRITTEN = {
    "user": "/console/shadow",
    "tool": "/console/inventory",
    "use": "/console/inventory",
    "payer": "/console/inventory",
    "actor": "/console/policies",
}
REQUESTS = "/console/requests"
ASKED = (
    f"/console/assets?words={quote(PLANTED)}",
    f"/console/assets?kind={quote(PLANTED)}&level={quote(PLANTED)}&standing={quote(PLANTED)}",
    f"/console/audit?action={quote(PLANTED)}&actor={quote(PLANTED)}&subject={quote(PLANTED)}",
    f"/console/audit?since={quote(PLANTED)}",
    f"/console/assets/{quote(PLANTED, safe='')}",
    f"/console/exports?evidence={quote(PLANTED)}",
    f"/console/inventory?search={quote(PLANTED)}&kind={quote(PLANTED)}",
    f"/console/policies?principal={quote(PLANTED)}&action=view&purpose={quote(PLANTED)}",
    f"/console/policies?action=view&asset={quote(PLANTED)}",
    f"/console/requests/{quote(PLANTED, safe='')}",
    f"/console/risk?who={quote(PLANTED)}&asset={quote(PLANTED)}&action=export",
    f"/console/risk?who={quote(PLANTED)}&role={quote(PLANTED)}",
    f"/console/lineage?asset={quote(PLANTED)}",
    f"/console/threats?attacker={quote(PLANTED)}&state={quote(PLANTED)}",
    f"/console/frontier/{quote(PLANTED, safe='')}",
    f"/console/{quote(PLANTED, safe='')}",
)


class Tags(HTMLParser):
    """The tags of a page, and each attribute that none of ours would have."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = []
        self.strange = []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "script":
            self.scripts.append(found.get("src", ""))
        if tag == "img" and not found["src"].startswith("/console/static/"):
            self.strange.append((tag, attributes))
        self.strange += [(tag, name) for name in found if name.startswith("on") or name == "style"]


def check(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert tags.strange == []
    assert len(tags.scripts) == 2
    assert all(src.startswith("/console/static/") for src in tags.scripts)
    assert "<script>alert" not in page
    assert "}49" not in page


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    home = tmp_path_factory.mktemp("planted") / "workspace"
    marked = {each.name: f"{each.name} {PLANTED}" for each in fields(Names)}
    team_with(home, Names(**marked))
    with console(home) as served:
        write(served)
        yield served


def write(served):
    """The rest of what others may write anything into."""
    log = served.home.parent / "proxy.csv"
    with log.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "user", "host", "bytes_up"))
        rows.writerow(("2026-11-16T09:00:00Z", f"user {PLANTED}", "chatgpt.com", "1200"))
    discover_egress(session_of(served.home, "eve"), EgressRequest(logs=(log,)))
    told = {"name": f"tool {PLANTED}", "purpose": f"use {PLANTED}", "owner": f"payer {PLANTED}"}
    assert served.post("/console/inventory/register", fields=told).status_code == 200
    assert served.get("/console/audit", who=f"actor {PLANTED}").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_what_is_in_the_ledger_is_text(planted, path):
    page = planted.get(path)
    assert page.status_code == 200
    check(page.text)


def test_each_request_is_text(planted):
    found = set(re.findall(r'href="(/console/requests/[^"]+)"', planted.get(REQUESTS).text))
    pages = [planted.get(path).text for path in found]
    assert len(pages) == 2
    for page in pages:
        check(page)
    assert any("note &#34;" in page for page in pages)


def test_a_refusal_explained_is_text(planted):
    (event,) = [e for e in planted.events() if e.actor.startswith("actor ")]
    page = planted.get(f"/console/policies?event={event.seq}").text
    check(page)
    assert "Why actor &#34;" in page


@pytest.mark.parametrize(("written", "path"), WRITTEN.items())
def test_what_is_written_elsewhere_is_shown_as_text(planted, written, path):
    assert f"{written} &#34;" in planted.get(path).text


def test_all_of_it_is_shown_somewhere(planted):
    told = "".join(planted.get(path).text for path in PAGES)
    missing = [each.name for each in fields(Names) if f"{each.name} &#34;" not in told]
    assert missing == ["note"]  # of a request: on its own page
    assert ESCAPED in told


@pytest.mark.parametrize("path", ASKED)
def test_what_is_asked_for_is_text(planted, path):
    check(planted.get(path).text)


def test_a_name_is_text(planted):
    page = planted.get("/console", who="<b>x</b>")
    assert page.status_code == 403
    check(page.text)
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text
