"""The documents point at things that are there and name every command there is."""

import re
import runpy


def test_links_lead_somewhere(root):
    lost = [
        f"{page.relative_to(root)}: {target}"
        for page in _pages(root)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert lost == []


def test_each_page_is_on_the_index(root):
    """Decisions are listed by their folder."""
    index = (root / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {page.relative_to(root / "docs").as_posix() for page in (root / "docs").rglob("*.md")}
    pages = {page for page in pages if not page.startswith("adr/")}
    assert pages - set(re.findall(r"\]\(([^)#]+)", index)) - {"index.md"} == set()


def test_each_command_is_in_the_docs(root):
    commands = runpy.run_path(str(root / "src/cipherset/interfaces/cli/main.py"))["COMMANDS"]
    written = [page for page in _pages(root) if page.parent.name != "reference"]  # by hand
    told = "".join(page.read_text(encoding="utf-8") for page in written)
    assert [name for name in commands if f"cipherset {name}" not in told] == []


def _pages(root):
    return [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
