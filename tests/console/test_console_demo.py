"""``cipherset demo --console``: every page of it in a real browser, and each thing one can do."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import expect
from programs import first_told
from test_console_alone import opened
from test_console_browser import DEADLINE_MS, MARKUP, RUN, chromium, complaints

from cipherset.app.demo.seeded.seed import seed_demo
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.interfaces.console.mount import frame
from cipherset.interfaces.console.serve import leading_file

__all__ = ["chromium"]
pytestmark = [pytest.mark.soak, pytest.mark.needs("chromium")]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PROGRAM = "from cipherset.interfaces.cli.main import main; main()"
NAVIGATION = [entry.path for group in frame().groups for entry in group.entries]


def come_in(page, address):
    """By keyboard: the one button has the focus."""
    page.goto(address)
    expect(page.get_by_role("button", name="Open the console")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/console")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The command, running: its process, and what it told."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-c", PROGRAM, "demo", "--console", "--to", str(folder / "demo")]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield first_told(process, within_s=1000)
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def inside(chromium, demo):
    """A browser that came in by the printed address, and what it complained of."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    come_in(page, demo["url"])
    url = urlsplit(demo["url"])
    yield page, f"{url.scheme}://{url.netloc}", said
    context.close()


@pytest.mark.parametrize("path", NAVIGATION)
def test_every_page_is_there_and_anybody_can_use_it(inside, path):
    page, base, said = inside
    del said[:]
    answer = page.goto(f"{base}{path}")
    assert answer.status == 200
    page.evaluate(AXE)
    found = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found[theme] = [
            one for one in page.evaluate(RUN) if one.startswith(("serious", "critical"))
        ]
    assert found == {"light": [], "dark": []}
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []


def test_a_file_leads_to_the_button_and_the_button_in(demo, chromium):
    with opened(demo["home"], "--as", "rita") as (_, told), ExitStack() as waiting:
        file = leading_file(told["url"], waiting)
        context = chromium.new_context()
        context.set_default_timeout(DEADLINE_MS)
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        page.wait_for_url(told["url"])
        page.evaluate(AXE)
        assert page.evaluate(RUN) == []
        page.get_by_role("button", name="Open the console").press("Enter")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        page.goto(told["url"])
        expect(page.locator("main")).to_contain_text("was used before")
        assert complaints(said) == []
        context.close()


def test_there_is_something_to_see(inside):
    page, base, _ = inside
    for path, words in {
        "/console/requests": ("deploy", "train.at-gate", "detokenize", "denied by ada"),
        "/console/inventory": ("Meeting notes", "chatgpt.com", "in review"),
        "/console/shadow": ("build-02", "unreviewed"),
        "/console/policies": ("Explain",),
        "/console": ("request", "alert"),
    }.items():
        page.goto(f"{base}{path}")
        for each in words:
            expect(page.locator("main")).to_contain_text(each)


def test_a_refusal_is_explained_by_keyboard(inside):
    page, base, _ = inside
    page.goto(f"{base}/console/policies")
    page.get_by_role("link", name="Explain").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Why sam was refused")).to_be_visible()


@pytest.fixture
def as_(demo, chromium):
    """A page of the demo's console as another of its people, opened as the command says."""

    @contextmanager
    def entered(who):
        with opened(demo["home"], "--as", who) as (_, told):
            context = chromium.new_context()
            context.set_default_timeout(DEADLINE_MS)
            page = context.new_page()
            said = []
            page.on("console", lambda message: said.append(message.text))
            come_in(page, told["url"])
            yield page, told["url"].partition("/console")[0], said
            context.close()

    return entered


def test_what_people_tell_is_text_and_its_review_is_asked_for(as_):
    with as_("eve") as (page, base, said):
        page.goto(f"{base}/console/inventory")
        page.get_by_text("Tell of something").click()
        for label in ("What it is called", "What it is used for", "Who answers for it"):
            page.get_by_label(label).fill(MARKUP)
        page.get_by_role("button", name="Register").press("Enter")
        expect(page.get_by_role("row")).to_have_count(2)
        expect(page.get_by_text("onerror=document").first).to_be_visible()
        page.get_by_text("Ask for review").click()
        page.get_by_label("Who is to approve it").fill("ada")
        page.get_by_label("What they should know").fill(MARKUP)
        page.get_by_role("button", name="Ask").press("Enter")
        page.get_by_role("link", name="is pending").click()
        expect(page.get_by_text("onerror=document").first).to_be_visible()
        assert "gotcha" not in page.title()
        assert complaints(said) == []


def test_a_vote_by_keyboard_alone(as_):
    with as_("rita") as (page, base, said):
        page.goto(f"{base}/console/requests")
        page.get_by_role("link", name="deploy").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Why it may not").focus()
        page.keyboard.type(f"not measured {MARKUP}")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("denied by rita")).to_be_visible()
        expect(page.get_by_text("not measured")).to_be_visible()
        assert "gotcha" not in page.title()
        assert complaints(said) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    with pytest.raises(UsageError) as caught:
        seed_demo(Session(tmp_path, "root", tmp_path, Quiet()), tmp_path)
    assert caught.value.code == "target_exists"
