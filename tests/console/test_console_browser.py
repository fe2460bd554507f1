"""The pages in a real browser: nothing is blocked, anybody can use them, and the islands work."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import pytest
from console_samples import WHO, Names, listening, of, team_with
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.needs("chromium")
# axe-core, MPL-2.0, is injected by the driver, past the page's own policy; it is not ours to ship.
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DEADLINE_MS = 60_000
PAGES = {
    "overview": "/console",
    "assets": "/console/assets",
    "asset": f"/console/assets/{of('export')}",
    "exports": "/console/exports",
    "export": f"/console/exports/{of('export')}",
    "lost": f"/console/exports/{of('second')}",
    "exposure": "/console/exposure",
    "audit": "/console/audit?looks=1",
    "risk": "/console/risk?top=50",
    "supposed": f"/console/risk?who=ivan&action=export&asset={of('export')}",
    "lineage": f"/console/lineage?asset={of('export')}",
    "threats": "/console/threats",
    "red team": "/console/red-team",
    "frontiers": "/console/frontier",
    "verified": "/console/audit",
    "missing": "/console/none",
}
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .map((one) => `${one.impact}: ${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`)"""
MARKUP = "'\"><script>document.title='gotcha'</script><img src=x onerror=document.title='gotcha'>"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("browser") / "workspace"
    team_with(home, Names(source=f"tickets {MARKUP}", grant_purpose=MARKUP, model=MARKUP))
    with listening(home) as found:
        yield found


@pytest.fixture(scope="module")
def chromium():
    expect.set_options(timeout=DEADLINE_MS)
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=list(QUIET), timeout=5 * DEADLINE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium, address):
    """A page of somebody's, and what their browser complained of."""

    @contextmanager
    def opened(who: str = "eve", **options) -> Iterator[tuple[Page, list[str]]]:
        context = chromium.new_context(
            base_url=address,
            extra_http_headers={WHO: who},
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(DEADLINE_MS)
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page, said
        context.close()

    return opened


def complaints(said: list[str]) -> list[str]:
    """What was blocked or failed, beside answers that are refusals on purpose."""
    return [one for one in said if "the server responded with a status of 4" not in one]


def test_no_page_has_a_serious_finding_in_either_theme(browse):
    with browse() as (page, said):
        found = {}
        for name, path in PAGES.items():
            page.goto(path)
            if name == "verified":
                page.get_by_role("button", name="Verify now").click()
                page.get_by_text("The ledger holds").wait_for()
            page.evaluate(AXE)
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                found[name, theme] = page.evaluate(RUN)
    serious = {
        name: [one for one in those if one.startswith(("serious", "critical"))]
        for name, those in found.items()
    }
    assert {name: those for name, those in serious.items() if those} == {}
    assert complaints(said) == []


def test_no_page_is_wider_than_its_screen(browse):
    with browse() as (page, _):
        wide = {}
        for name, path in PAGES.items():
            page.goto(path)
            for width in (320, 390, 768):
                page.set_viewport_size({"width": width, "height": 800})
                wide[name, width] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in wide.items() if found > name[1]} == {}


def test_markup_that_was_planted_does_not_run(browse):
    with browse() as (page, said):
        for path in PAGES.values():
            page.goto(path)
            assert "gotcha" not in page.title().split()
        page.goto("/console/assets")
        expect(page.get_by_text("onerror=document").first).to_be_visible()
    assert complaints(said) == []


def test_the_ledger_is_verified_in_place(browse):
    with browse() as (page, said):
        page.goto("/console/audit")
        result = page.locator("#verify-result")
        assert result.get_attribute("aria-live") == "polite"
        page.get_by_role("button", name="Verify now").click()
        expect(result).to_contain_text("The ledger holds")
        assert page.url.endswith("/console/audit")
    assert said == []


def test_it_is_verified_without_scripts_too(browse):
    with browse(java_script_enabled=False) as (page, _):
        page.goto("/console/audit")
        page.get_by_role("button", name="Verify now").click()
        expect(page.get_by_text("The ledger holds.")).to_be_visible()
        assert page.url.endswith("/console/audit/verify")


def test_the_theme_is_remembered(browse):
    with browse(color_scheme="light") as (page, said):
        page.goto("/console")
        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        page.get_by_role("button", name="Switch to the dark theme").click()
        dark = page.evaluate(paper)
        page.goto("/console/assets")
        assert light != dark == page.evaluate(paper)
        expect(page.get_by_role("button", name="Switch to the light theme")).to_be_visible()
    assert said == []


def test_the_keyboard_is_enough(browse):
    with browse() as (page, _):
        page.goto("/console")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.goto("/console/assets")
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("chat/small")
        page.keyboard.press("Enter")
        expect(page.get_by_role("row")).to_have_count(2)
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        for _ in range(12):  # whatever has the focus shows it, and it goes on from there
            page.keyboard.press("Tab")
            assert page.evaluate(outline) != "none"


def test_who_may_not_is_told_so_in_words(browse):
    with browse(who="sam") as (page, said):
        page.goto("/console/audit")
        expect(page.get_by_role("heading", name="Not for you")).to_be_visible()
        page.get_by_role("link", name="To the overview").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert complaints(said) == []
