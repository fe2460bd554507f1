"""What mkdocs.yml hooks in: one table of contents, links that leave docs/, and no foreign host.

- Navigation is docs/index.md: each of its headings in bold is a part, each in italics a part of
  that, and each page linked below stands there. Decisions are listed by their folder.
- README, CONTRIBUTING, SECURITY and CHANGELOG are pages of the book; a link to source is its name.
- Every page forbids the browser to load anything from elsewhere.
"""

import posixpath
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = {
    f"{name}.md": f"project/{page}.md"
    for name, page in (
        ("README", "about"),
        ("CONTRIBUTING", "contributing"),
        ("SECURITY", "security"),
        ("CHANGELOG", "changelog"),
    )
}
PARTS: Final = {
    "To learn it": "Tutorial",
    "By role": "Roles",
    "To get something done": "How to",
    "To look something up": "Reference",
    "To understand it": "Explanation",
}
LINK: Final = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
COMMENT: Final = re.compile(r"^(<!--.*-->)\n(?=\S)", re.MULTILINE)
FENCE: Final = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
# 'unsafe-inline': the theme's own few lines of script and style stand in its pages.
POLICY: Final = (
    "default-src 'self' data: blob: file:; script-src 'self' blob: file: 'unsafe-inline'; "
    "style-src 'self' file: 'unsafe-inline'; connect-src 'self' file:"
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation."""
    docs = Path(config.docs_dir)
    config.nav = navigation((docs / "index.md").read_text(encoding="utf-8"))
    config.nav.append({"Decisions": ["adr/index.md", *decisions(docs)]})
    config.nav.append({"Project": list(PROJECT.values())})
    return config


def navigation(index: str) -> list[Any]:
    """Return the parts of the book with their pages, in the order of the index."""
    nav: list[Any] = ["index.md"]
    seen = {"index.md"}
    for title, body in re.findall(
        r"^\*\*([^*\n]+)\*\*$\n(.*?)(?=^\*\*|\Z)", index, re.DOTALL | re.M
    ):
        head, *parts = re.split(r"^\*([^*\n]+)\*$", body, flags=re.M)
        pages: list[Any] = _linked(head, seen)
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            pages.append({name: _linked(text, seen)})
        if title in PARTS and pages:
            nav.append({PARTS[title]: pages})
    return nav


def _linked(text: str, seen: set[str]) -> list[Any]:
    """Return the pages that ``text`` links and nothing before it did, and add them to ``seen``."""
    pages = [match["target"].partition("#")[0] for match in LINK.finditer(text)]
    pages = [page for page in dict.fromkeys(pages) if page.endswith(".md")]
    pages = [page for page in pages if page not in seen and not page.startswith(("../", "adr"))]
    seen.update(pages)
    return list(pages)


def decisions(docs: Path) -> list[str]:
    """Return the pages of decisions, oldest first."""
    return [f"adr/{path.name}" for path in sorted((docs / "adr").glob("[0-9]*.md"))]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and leave out what is no page."""
    for name, page in PROJECT.items():
        content = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=content))
    listed = [
        f"- [{(ROOT / 'docs' / page).read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}]"
        f"({posixpath.basename(page)})"
        for page in decisions(ROOT / "docs")
    ]
    content = "# Decisions\n\nOne page each, oldest first.\n\n" + "\n".join(listed) + "\n"
    files.append(File.generated(config, "adr/index.md", content=content))
    for unwanted in ("adr/template.md", "evidence.json"):
        if (file := files.get_file_from_path(unwanted)) is not None:
            files.remove(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to where things are in the book; a note in a comment ends its own block."""
    del config
    here = page.file.src_uri
    source = next((name for name, target in PROJECT.items() if target == here), f"docs/{here}")
    parts = FENCE.split(markdown)
    parts[::2] = [
        LINK.sub(lambda match: _led(match, here, source, files), COMMENT.sub(r"\1\n\n", part))
        for part in parts[::2]
    ]
    return "".join(parts)


def _led(match: re.Match[str], here: str, source: str, files: Files) -> str:
    """Return the link as the book has it; ``source`` is where the page lies in the repository."""
    target, hash_, anchor = match["target"].partition("#")
    if not target or "://" in target or target.startswith("mailto:"):
        return match[0]
    lies = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if target.endswith("/") and lies == "docs/adr":
        lies = "docs/adr/index.md"
    leads = PROJECT.get(lies, lies.removeprefix("docs/"))
    if files.get_file_from_path(leads) is None and (ROOT / lies).exists():
        return match["text"]
    relative = posixpath.relpath(leads, posixpath.dirname(here) or ".")
    return f"[{match['text']}]({relative}{hash_}{anchor})"


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Put the policy first, where it holds for all that follows."""
    del page, config
    return _shut(output)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Do the same on the page for what is not found."""
    del config
    return _shut(output_content) if template_name.endswith(".html") else output_content


def _shut(html: str) -> str:
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return html.replace("<head>", f"<head>{policy}", 1)
