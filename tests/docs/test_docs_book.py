"""The book builds without a warning, its links lead somewhere, and it loads nothing of others."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docs_blocks import ROOT

import cipherset

# What a browser fetches by itself when it shows a page; <a> is followed by people only.
LOADED = {("img", "src"), ("script", "src"), ("iframe", "src"), ("link", "href"), ("source", "src")}


class Page(HTMLParser):
    """The links, loads and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.ids: set[str] = set()
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        self.loads |= {found[name] for of, name in LOADED if of == tag and found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.add(found["href"])
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]


def test_each_public_name_is_in_the_interface_of_the_book():
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert [name for name in cipherset.__all__ if not re.search(rf"\b{name}\b", page)] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": ":".join(sys.path),
            "NO_MKDOCS_2_WARNING": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


@pytest.mark.extra
def test_every_page_of_docs_is_in_the_book(site):
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    sources = {path for path in sources if path.name != "template.md"}
    assert {path for path in sources if not (site / path.with_suffix(".html")).exists()} == set()
    assert "approximation_factor" in (site / "reference" / "api.html").read_text(encoding="utf-8")


@pytest.mark.extra
def test_no_link_of_the_book_is_dead(site, pages):
    dead = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links | page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            leads = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            leads = leads / "index.html" if leads.is_dir() else leads
            anchor = unquote(parts.fragment)
            known = pages[leads].ids if leads in pages else set()
            if not leads.exists() or (anchor and leads in pages and anchor not in known):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []


@pytest.mark.extra
def test_the_book_loads_nothing_from_elsewhere(site, pages):
    foreign = [
        f"{path.relative_to(site)}: {load}"
        for path, page in pages.items()
        for load in page.loads
        if urlsplit(load).scheme or urlsplit(load).netloc
    ]
    assert foreign == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", styles) == []
    # What the theme's script would fetch in old browsers, the policy of each page forbids.
    assert {path.name for path, page in pages.items() if "'self'" not in page.policy} == set()
    assert not any("http" in page.policy for page in pages.values())
