"""Which reader a file is for: by its name, its place and how it begins."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.files.reach import Faults, File
from cipherset.evidence.discover.code.files.text import decoded
from cipherset.evidence.discover.code.found import Hit, Kind, ReadFault
from cipherset.evidence.discover.code.look.documents import (
    look_json,
    look_notebook,
    look_prompt,
    look_rows,
)
from cipherset.evidence.discover.code.look.languages import LANGUAGES, look_code
from cipherset.evidence.discover.code.look.lines import look_lines
from cipherset.evidence.discover.code.look.manifests import (
    is_manifest,
    look_installs,
    look_manifest,
)
from cipherset.evidence.discover.code.look.python import look_python, look_python_lines, parsed

PYTHON: Final = (".py", ".pyi", ".pyw")
_LINES: Final = frozenset(
    {
        *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".env", ".tf"),
        *(".tfvars", ".hcl", ".service", ".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd"),
        *(".xml", ".config", ".plist", ".nomad", ".tpl", ".bicep", ".mk", ".kdl"),
    }
)
_LINE_NAMES: Final = re.compile(
    r"(?:.*[.-])?(?:dockerfile|containerfile)(?:[.-].*)?|(?:gnu)?makefile|procfile|jenkinsfile|"
    r"justfile|modelfile|.*\.modelfile|\.env(?:rc)?(?:\..*)?|.*\.env(?:\..*)?|crontab|"
    r"\.?(?:bash|zsh)(?:rc|_profile)|\.profile|\.npmrc|\.condarc|caddyfile",
    re.IGNORECASE,
)
_JSON: Final = frozenset({".json", ".jsonc", ".json5", ".code-workspace"})
_ROWS: Final = frozenset({".jsonl", ".ndjson"})
_PROMPTS: Final = frozenset({".txt", ".md", ".j2", ".jinja", ".jinja2", ".tmpl", ".prompt", ".mdx"})
_INTERPRETER: Final = re.compile(
    rb"#!\s*\S*?(?:env\s+(?:-S\s+)?)?(?:\S*/)?(python|node|deno|bun|ruby|php|sh|bash|zsh|dash)\d*(?:\.\d+)?\b"
)
_ENDING_OF: Final = {
    "python": ".py",
    "node": ".js",
    "deno": ".js",
    "bun": ".js",
    "ruby": ".rb",
    "php": ".php",
}


def ending_of(file: File, head: bytes) -> str:
    """What the file's content is, as an ending; empty if nothing reads it."""
    ending = PurePosixPath(file.name).suffix.lower()
    if _LINE_NAMES.fullmatch(file.name):
        return ".env"
    if ending or not head.startswith(b"#!"):
        return ending
    match = _INTERPRETER.match(head[:200])
    return _ENDING_OF.get(match[1].decode(), ".sh") if match else ""


def is_read(ending: str, path: PurePosixPath) -> bool:
    """Whether any reader takes files of that ending or name."""
    known = {*PYTHON, ".ipynb", *LANGUAGES, *_LINES, *_JSON, *_ROWS, *_PROMPTS}
    return ending in known or is_manifest(path)


def look(raw: bytes, file: File, ending: str, known: Catalog, faults: Faults) -> Iterator[Hit]:
    """What the content ``raw`` of the file gives away."""
    path = PurePosixPath(*file.parts)
    if ending in PYTHON:
        yield from _python(raw, file, known, faults)
        return
    text = decoded(raw)
    if text is None:
        faults(file.path, ReadFault.NOT_TEXT)
        return
    yield from look_manifest(text, path, known)
    yield from _text(text, path, ending, known, file.beside)


def _text(
    text: str, path: PurePosixPath, ending: str, known: Catalog, beside: Callable[[str], bool]
) -> Iterator[Hit]:
    if ending == ".ipynb":
        yield from look_notebook(text, known, beside)
    elif ending in LANGUAGES:
        if known.may_name(text):
            yield from look_code(text, ending, known)
    elif ending in _LINES:
        yield from look_lines(text, path.name, known)
        yield from look_installs(re.sub(r"(?m)^\s*#.*$", "", text), known)
    elif (ending in _JSON and not is_manifest(path)) or path.name == "package.json":
        yield from look_json(text, path.name, known)
    elif ending in _ROWS:
        yield from look_rows(text, path)
    if ending in _PROMPTS and not is_manifest(path):
        yield from look_prompt(text, path)


def _python(raw: bytes, file: File, known: Catalog, faults: Faults) -> Iterator[Hit]:
    text = decoded(raw)
    if text is None:
        faults(file.path, ReadFault.NOT_TEXT)
        return
    path = PurePosixPath(*file.parts)
    if is_manifest(path):
        yield from look_manifest(text, path, known)
    if not known.may_name(text):
        return
    tree = parsed(raw) or parsed(text)
    if tree is None:
        faults(file.path, ReadFault.NOT_PARSED)
        yield from look_python_lines(text, known, file.beside)
    else:
        yield from look_python(tree, known, file.beside)


def named(path: PurePosixPath, known: Catalog) -> Iterator[Hit]:
    """What a file is by its name or place alone."""
    for row in known.named_files:
        for name in row.names:
            tail = PurePosixPath(*path.parts[-(name.count("/") + 1) :]).as_posix()
            if fnmatchcase(tail, name):
                yield Hit(row.kind, row.what, 0, f"called {name}")
                return


def cached(parts: tuple[str, ...]) -> str:
    """The model of a cache of Hugging Face or Ollama that the file at ``parts`` belongs to."""
    for place, part in enumerate(parts):
        if part.startswith("models--") and "snapshots" in parts[place + 1 : place + 2]:
            return "/".join(part.split("--")[1:])
        if part == "registry.ollama.ai" and "manifests" in parts[:place] and len(parts) > place + 3:
            return f"{parts[place + 2]}:{parts[place + 3]}"
    return ""


def cache_hits(parts: tuple[str, ...]) -> Iterator[Hit]:
    """A model that was downloaded into a cache."""
    name = cached(parts)
    if name:
        yield Hit(Kind.MODEL, name, 0, "in a cache of models")
