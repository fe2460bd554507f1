"""JSON that configures, notebooks, rows to learn from, and texts that tell a model what to be."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.files.text import line_of, without_comments
from cipherset.evidence.discover.code.found import Hit, Kind
from cipherset.evidence.discover.code.look.manifests import look_installs
from cipherset.evidence.discover.code.look.python import look_python, parsed
from cipherset.evidence.discover.code.look.settings import (
    command_hits,
    infra_hits,
    look_setting,
    mcp_hits,
)
from cipherset.evidence.discover.code.look.strings import is_prompt

_MOST_NODES: Final = 200_000
_MAY: Final = re.compile(
    r"mcp|context_servers|system|instruction|persona|api.?key|provider|image", re.IGNORECASE
)
_ORIGIN: Final = re.compile(r"prompts?$", re.IGNORECASE)
_PROMPT_FILE: Final = re.compile(
    r"(?:^|[_.-])(?:prompt|system[_-]?message)s?(?:[_.-]|$)", re.IGNORECASE
)
_PLACES: Final = re.compile(r"\{\{?\s*\$?[\w.]+\s*\}?\}")
_CHAT_ROWS: Final = (
    {"messages"},
    {"prompt", "completion"},
    {"prompt", "chosen", "rejected"},
    {"instruction", "output"},
    {"instruction", "response"},
    {"conversations"},
)


def json_value(text: str) -> Any:  # noqa: ANN401 -- any JSON value
    """The value of JSON, comments and last commas allowed; None if it is not JSON."""
    for candidate in (text, re.sub(r",(?=\s*[\]}])", "", without_comments(text, "c"))):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    return None


def look_json(text: str, name: str, known: Catalog) -> Iterator[Hit]:
    """What the settings of the JSON in ``text`` give away."""
    value = json_value(text)
    if isinstance(value, dict):
        yield from _described_model(value)
    if not (known.may_name(text) or _MAY.search(text)):
        return
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    n_nodes = 0
    while waiting and n_nodes < _MOST_NODES:
        way, one = waiting.pop()
        n_nodes += 1
        if isinstance(one, dict):
            waiting += [((*way, str(key)), inner) for key, inner in reversed(one.items())]
        elif isinstance(one, list):
            yield from _list(way, one, text, known)
            waiting += [(way, inner) for inner in reversed(one) if isinstance(inner, dict | list)]
        elif isinstance(one, str) and way:
            hits = [*look_setting(way, one, known, 0), *mcp_hits(way, one, name, 0)]
            hits += [*command_hits(one, known, 0)] if way[-1] in {"command", "run", "cmd"} else []
            hits += [*infra_hits(one, known, 0)] if len(one) < 100 else []
            yield from _placed(hits, way[-1], text)


def _list(way: tuple[str, ...], values: list[Any], text: str, known: Catalog) -> Iterator[Hit]:
    """A list of words may be a command."""
    words = [word for word in values[:50] if isinstance(word, str)]
    if words and way and re.search(r"args|command|cmd|entrypoint|script", way[-1], re.IGNORECASE):
        yield from _placed([*command_hits(" ".join(words), known, 0)], way[-1], text)


def _placed(hits: list[Hit], key: str, text: str) -> Iterator[Hit]:
    for hit in hits:
        at = text.find(json.dumps(key, ensure_ascii=False))
        line = line_of(text, at) if at >= 0 else 0
        yield Hit(hit.kind, hit.what, line, hit.how, hit.service)


def _described_model(value: dict[str, Any]) -> Iterator[Hit]:
    """A folder that holds a model says so in a file of its own."""
    kinds = value.get("architectures")
    if isinstance(kinds, list) and kinds and isinstance(value.get("model_type"), str):
        name = value.get("_name_or_path")
        what = name if isinstance(name, str) and name else str(kinds[0])
        yield Hit(Kind.MODEL, what, 1, "configuration of a model", "Transformers")
    elif isinstance(value.get("peft_type"), str):
        base = str(value.get("base_model_name_or_path", "an unnamed model"))
        yield Hit(
            Kind.MODEL,
            f"adapter of {base}",
            1,
            "configuration of an adapter",
            "PEFT, TRL and Accelerate",
        )
    elif "spacy_version" in value and "pipeline" in value:
        what = f"{value.get('lang', '')}_{value.get('name', '')}"
        yield Hit(Kind.MODEL, what, 1, "description of a pipeline", "spaCy")


def look_notebook(text: str, known: Catalog, beside: Callable[[str], bool]) -> Iterator[Hit]:
    """What the code cells use; the line is the number of the cell, and outputs don't count."""
    value = json_value(text)
    cells = value.get("cells") if isinstance(value, dict) else None
    codes: list[tuple[int, str]] = []
    for number, cell in enumerate(cells if isinstance(cells, list) else (), 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source")
            lines = source if isinstance(source, list) else [source]
            codes.append((number, "".join(line for line in lines if isinstance(line, str))))
    for number, code in codes:
        yield from _at(number, look_installs(_magic(code, is_kept=True), known))
    yield from _cells(codes, known, beside)


def _cells(
    codes: list[tuple[int, str]], known: Catalog, beside: Callable[[str], bool]
) -> Iterator[Hit]:
    """All cells as one module, as they share their names; without those that don't parse."""
    whole, starts = "", []
    for number, code in codes:
        plain = _magic(code, is_kept=False)
        if parsed(plain) is not None:
            starts.append((whole.count("\n") + 1, number))
            whole += plain.rstrip("\n") + "\n"
    tree = parsed(whole)
    if tree is None:
        return
    for hit in look_python(tree, known, beside):
        cell = max((number for start, number in starts if start <= hit.line), default=0)
        yield from _at(cell, iter((hit,)))


def _magic(code: str, *, is_kept: bool) -> str:
    """The lines of a cell that are for the shell or the notebook, or the others."""
    kept = []
    for line in code.splitlines():
        is_magic = line.lstrip().startswith(("!", "%"))
        if is_kept == is_magic:
            kept.append(line.lstrip(" !%") if is_kept else line)
        elif not is_kept:
            kept.append(line[: len(line) - len(line.lstrip())] + "pass")
    return "\n".join(kept)


def _at(line: int, hits: Iterator[Hit]) -> Iterator[Hit]:
    for hit in hits:
        yield Hit(hit.kind, hit.what, line, f"cell: {hit.how}", hit.service)


def look_rows(text: str, path: PurePosixPath) -> Iterator[Hit]:
    """Rows of JSON lines in the form that a model is tuned with, by the first of them."""
    first = text.partition("\n")[0]
    row = json_value(first) if first.startswith("{") else None
    if isinstance(row, dict) and any(form <= set(row) for form in _CHAT_ROWS):
        if "messages" in row and not _is_chat(row["messages"]):
            return
        yield Hit(Kind.DATASET, path.name, 1, "rows of questions and answers for tuning")


def _is_chat(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(one, dict) and {"role", "content"} <= set(one) for one in value
    )


def look_prompt(text: str, path: PurePosixPath) -> Iterator[Hit]:
    """A text file that is a prompt: by what it says, and by where it lies or what it is called."""
    is_called = bool(_PROMPT_FILE.search(path.name)) or any(
        _ORIGIN.search(part) for part in path.parts[:-1]
    )
    if is_called and (
        is_prompt(text)
        or (_PLACES.search(text) and path.suffix in {".j2", ".jinja", ".jinja2", ".tmpl"})
    ):
        yield Hit(Kind.PROMPT, path.name, 1, "a file that tells a model what to be")
