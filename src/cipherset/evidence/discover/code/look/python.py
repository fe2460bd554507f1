"""Python by its syntax tree: imports, calls, the texts in them; not comments, not words."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cipherset.core.process.unwarned import unwarned
from cipherset.evidence.discover.code.catalog import Catalog, Loading, Service
from cipherset.evidence.discover.code.found import Hit, Kind
from cipherset.evidence.discover.code.look.settings import command_hits
from cipherset.evidence.discover.code.look.strings import (
    HELD,
    NAMED,
    address_hits,
    credential_hits,
    host_hits,
    is_held,
    is_key_name,
    is_prompt,
    looks_like_key,
    model_hits,
    nameable,
    named_model_hits,
    variable_hits,
)

_IMPORTERS: Final = frozenset({"import_module", "__import__", "importorskip", "lazy_import"})
_HOST_NAMES: Final = re.compile(r"host|url|uri|endpoint|base|api|server", re.IGNORECASE)
_PROMPT_NAMES: Final = re.compile(r"prompt|system|instruction|template|persona", re.IGNORECASE)
_BASE_NAMES: Final = frozenset({"base_url", "api_base", "openai_api_base", "azure_endpoint"})
_STARTERS: Final = frozenset(
    {"run", "Popen", "call", "check_call", "check_output", "system", "popen"}
    | {"create_subprocess_exec", "create_subprocess_shell"}
)
_READERS: Final = frozenset({"read_csv", "read_parquet", "read_json", "read_feather", "loadtxt"})
_LEARNING: Final = frozenset({"fit", "fit_transform", "train", "partial_fit", "backward"})
_ANSWERING: Final = frozenset({"predict", "predict_proba", "decision_function"})
_MODEL_WORDS: Final = re.compile(
    r"model|classif|clf\b|regress|estimator|predictor|scaler|vectori[sz]er|tokenizer", re.IGNORECASE
)
_ROLES: Final = frozenset({"system", "developer"})
_MOST_DEPTH: Final = 20  # of texts that are put together from others
_UNPARSED: Final = (SyntaxError, ValueError, RecursionError, MemoryError)
_PATTERN: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+([\w, ]*)|import[ \t]+([\w., ]+))", re.MULTILINE
)


def parsed(source: bytes | str) -> ast.Module | None:
    """Its syntax tree; None for what this Python cannot parse."""
    try:
        with unwarned():
            return ast.parse(source)
    except _UNPARSED:
        return None


def look_python(tree: ast.Module, known: Catalog, beside: Callable[[str], bool]) -> Iterator[Hit]:
    """What the module uses; ``beside`` says which names are modules of its own tree."""
    nodes = list(ast.walk(tree))
    reading = _Reading(known, beside)
    reading.learn(nodes)
    yield from reading.imports
    for node in nodes:
        look = _LOOKS.get(type(node))
        if look is not None:
            yield from look(reading, node)
    yield from reading.data_learned_from()


def look_python_lines(text: str, known: Catalog, beside: Callable[[str], bool]) -> Iterator[Hit]:
    """The imports of what cannot be parsed (Python 2, templates), by pattern."""
    reading = _Reading(known, beside)
    for match in _PATTERN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[1]:
            for name in match[2].split(","):
                reading.imported(match[1], name.split(" as ")[0].strip(), line)
        else:
            for name in match[3].split(","):
                reading.imported(name.split(" as ")[0].strip(), "", line)
    yield from reading.imports


@dataclass
class _Reading:
    """One module: what its names stand for, and what it was seen to do."""

    known: Catalog
    beside: Callable[[str], bool]
    imports: list[Hit] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    tables: list[Hit] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    targets: dict[int, str] = field(default_factory=dict)
    functions: list[tuple[int, int, str]] = field(default_factory=list)
    has_library: bool = False

    def learn(self, nodes: list[ast.AST]) -> None:
        """First what names stand for, so that the order of the lines does not matter."""
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
            elif isinstance(node, ast.Attribute):
                self.attributes.add(node.attr)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                self._remember(node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.append((node.lineno, node.end_lineno or 0, node.name))
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                self.seen.add(id(node.value))  # a docstring, or a comment in quotes
            elif isinstance(node, ast.JoinedStr):
                self.seen.update(id(part) for part in node.values)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                for alias in node.names:
                    self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    self.imported(node.module, alias.name, node.lineno)
            return
        for alias in node.names:
            root = alias.name.partition(".")[0]
            self.names[alias.asname or root] = alias.name if alias.asname else root
            self.imported(alias.name, "", node.lineno)

    def _remember(self, node: ast.Assign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = self.text(node.value)
        self.targets[id(node.value)] = getattr(targets[0], "id", "") or getattr(
            targets[0], "attr", ""
        )
        for target in targets:
            if isinstance(target, ast.Name) and value:
                self.texts.setdefault(target.id, value)

    def imported(self, module: str, name: str, line: int) -> None:
        """Note that ``module``, or ``name`` of it, is imported, if it is known and not local."""
        found = self._owner(module, name)
        if found is None or self.beside(module.partition(".")[0]):
            return
        dotted, service = found
        self.has_library = self.has_library or service.kind in {Kind.LIBRARY, Kind.SERVER}
        self.imports.append(Hit(service.kind, dotted, line, f"import {dotted}", service.name))

    def _owner(self, module: str, name: str) -> tuple[str, Service] | None:
        parts = f"{module}.{name}".rstrip(".").split(".")
        for end in range(len(parts), 0, -1):
            dotted = ".".join(parts[:end])
            row = self.known.python.get(dotted)
            if row is not None and (not row[1] or name in row[1] or not name):
                # Without a name, "import agents" may be anyone's module.
                return (dotted, row[0]) if name or not row[1] else None
        return None

    def text(self, node: ast.AST | None, depth: int = 0) -> str:
        """The text that ``node`` is, with ``*`` for what is not known; empty if it is none."""
        if depth > _MOST_DEPTH:
            return ""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        if isinstance(node, ast.Name):
            return self.texts.get(node.id, "")
        if isinstance(node, ast.JoinedStr):
            return "".join(self.text(part, depth + 1) or "*" for part in node.values)
        if isinstance(node, ast.FormattedValue):
            return self.text(node.value, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.text(node.left, depth + 1), self.text(node.right, depth + 1)
            return (left or "*") + (right or "*") if left or right else ""
        return ""

    def dotted(self, node: ast.AST) -> str:
        """What is called, by the names that the imports give it."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return "." + ".".join(reversed(parts)) if parts else ""
        return ".".join([self.names.get(node.id, node.id), *reversed(parts)])

    # --- one method for each kind of node

    def constant(self, node: ast.Constant) -> Iterator[Hit]:
        if isinstance(node.value, str) and id(node) not in self.seen:
            yield from address_hits(node.value, self.known, node.lineno)
            yield from credential_hits(node.value, self.known, node.lineno)
            yield from named_model_hits(node.value, self.known, node.lineno)

    def joined(self, node: ast.JoinedStr) -> Iterator[Hit]:
        yield from address_hits(self.text(node), self.known, node.lineno)

    def added(self, node: ast.BinOp) -> Iterator[Hit]:
        text = self.text(node)
        if "://" in text:
            yield from address_hits(text, self.known, node.lineno)

    def assigned(self, node: ast.Assign | ast.AnnAssign) -> Iterator[Hit]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            name = getattr(target, "id", "") or getattr(target, "attr", "")
            if not name and isinstance(target, ast.Subscript):
                name = self.text(target.slice)
            if name:
                yield from self._setting(name, node.value, node.lineno)
            if isinstance(target, ast.Attribute):
                text = self.text(node.value)
                yield from self._given(self.dotted(target.value), name, text, node.lineno)
            if isinstance(node, ast.AnnAssign):  # a field of settings, which are read elsewhere
                yield from variable_hits(name, "", self.known, node.lineno)

    def keyword(self, node: ast.keyword) -> Iterator[Hit]:
        if node.arg:
            yield from self._setting(node.arg, node.value, node.value.lineno)

    def defaults(self, node: ast.arguments) -> Iterator[Hit]:
        last = [*node.posonlyargs, *node.args][-len(node.defaults) or len(node.args) :]
        pairs = [
            *zip(last, node.defaults, strict=False),
            *zip(node.kwonlyargs, node.kw_defaults, strict=False),
        ]
        for argument, value in pairs:
            if value is not None:
                yield from self._setting(argument.arg, value, value.lineno)

    def pairs(self, node: ast.Dict) -> Iterator[Hit]:
        texts = {
            self.text(key): value for key, value in zip(node.keys, node.values, strict=True) if key
        }
        if "content" in texts and self.text(texts.get("role")) in _ROLES:
            yield Hit(Kind.PROMPT, "system message of a chat", node.lineno, "role: system")
        for name, value in texts.items():
            if name:
                yield from self._setting(name, value, value.lineno)

    def _setting(self, name: str, value: ast.AST | None, line: int) -> Iterator[Hit]:
        """What is called ``name`` and has a text for value: in a call, a dict, an assignment."""
        text = self.text(value)
        if not text:
            return
        yield from model_hits(name, text, self.known, line)
        if isinstance(value, ast.Constant):
            yield from (
                hit for hit in variable_hits(name, text, self.known, line) if hit.how != NAMED
            )
        if is_key_name(name) and looks_like_key(text):
            yield from self._held(self._only_sdk(), text, line)
        if _HOST_NAMES.search(name):
            yield from host_hits(text, self.known, line)
        if _PROMPT_NAMES.search(name) and is_prompt(text):
            yield Hit(Kind.PROMPT, name, line, "a text that tells a model what to be")

    def _held(self, service: str, text: str, line: int) -> Iterator[Hit]:
        """A credential that does not begin as one of a known service does: whose, the code says."""
        if is_held(text) and not [*credential_hits(text, self.known, line)]:
            yield Hit(Kind.KEY, f"{service} credential", line, HELD, service)

    def _only_sdk(self) -> str:
        """The service whose SDK the module imports; OpenAI's keys begin as the others' do."""
        found = {hit.service for hit in self.imports if hit.kind is Kind.SDK}
        return found.pop() if len(found) == 1 else "OpenAI"

    def _given(self, called: str, name: str, text: str, line: int) -> Iterator[Hit]:
        """A key that is handed to what is imported from a service's SDK."""
        found = self._owner(called, "") if is_key_name(name) and text else None
        is_sdk = found is not None and found[1].kind is Kind.SDK
        if found is not None and is_sdk and not looks_like_key(text):
            yield from self._held(found[1].name, text, line)

    def subscript(self, node: ast.Subscript) -> Iterator[Hit]:
        yield from variable_hits(self.text(node.slice), "", self.known, node.lineno)

    def call(self, node: ast.Call) -> Iterator[Hit]:
        name = self.dotted(node.func)
        last = name.rpartition(".")[2]
        first = self.text(node.args[0]) if node.args else ""
        if last in _IMPORTERS and first:
            before = len(self.imports)
            self.imported(first, "", node.lineno)
            yield from self.imports[before:]
        yield from variable_hits(first, "", self.known, node.lineno)
        yield from host_hits(first, self.known, node.lineno)
        if last in {"client", "resource"}:
            yield from self._aws(first or self._keyword(node, "service_name"), node.lineno)
        if last in _READERS and nameable(first):
            self.tables.append(Hit(Kind.DATASET, first, node.lineno, f"{last} in code that trains"))
        if last in _STARTERS and node.args:
            yield from command_hits(self._command(node.args[0]), self.known, node.lineno)
        for one in node.keywords:
            yield from self._given(name, one.arg or "", self.text(one.value), node.lineno)
        yield from self._base(node)
        yield from self._loading(node, name)

    def _keyword(self, node: ast.Call, name: str) -> str:
        return next((self.text(one.value) for one in node.keywords if one.arg == name), "")

    def _command(self, node: ast.AST) -> str:
        """A command that is started, given as a text or as a list of words."""
        if isinstance(node, ast.List | ast.Tuple):
            return " ".join(self.text(word) or "*" for word in node.elts)
        return self.text(node)

    def _aws(self, name: str, line: int) -> Iterator[Hit]:
        service = self.known.boto3.get(name)
        if service is not None:
            yield Hit(Kind.SDK, f"boto3 {name}", line, f'client("{name}")', service.name)

    def _base(self, node: ast.Call) -> Iterator[Hit]:
        """A client that is turned to another address than its maker's."""
        for one in node.keywords:
            text = self.text(one.value) if one.arg in _BASE_NAMES else ""
            is_ai = one.arg != "base_url" or any(hit.kind is Kind.SDK for hit in self.imports)
            if text.startswith("http") and is_ai and not [*address_hits(text, self.known, 0)]:
                host = re.match(r"\w+://(?:[^/@\s]*@)?([\w.*:-]+)", text)
                if host is not None:
                    yield Hit(Kind.ENDPOINT, host[1], node.lineno, one.arg or "")

    def _loading(self, node: ast.Call, name: str) -> Iterator[Hit]:
        call = self.known.by_call.get(name) or self.known.by_call.get("." + name.rpartition(".")[2])
        if call is None or (call.name.startswith(".") and "." not in name):
            return
        text = self._keyword(node, call.argument) or self._position(node, call.position)
        text = text or self._position(node, call.fallback)
        if call.is_uncertain and not self._is_model(node, text):
            return
        what = nameable(text) or f"by {name.lstrip('.')}"
        yield Hit(call.kind, what, node.lineno, name.lstrip("."), self._library(name, call))

    def _position(self, node: ast.Call, position: int) -> str:
        return self.text(node.args[position]) if 0 <= position < len(node.args) else ""

    def _is_model(self, node: ast.Call, text: str) -> bool:
        """Whether a call that loads anything loads a model: by its words, or what follows."""
        argument = ast.unparse(node.args[0]) if node.args else ""
        within = [name for first, last, name in self.functions if first <= node.lineno <= last]
        words = " ".join([text, argument[:200], self.targets.get(id(node), ""), *within])
        return bool(_MODEL_WORDS.search(words) or self.attributes & _ANSWERING)

    def _library(self, name: str, call: Loading) -> str:
        found = self._owner(name, "") if not call.is_uncertain else None
        return found[1].name if found else ""

    def data_learned_from(self) -> Iterator[Hit]:
        """Tables that are read where a model is trained."""
        if self.has_library and self.attributes & _LEARNING:
            yield from self.tables


_LOOKS: Final[dict[type[ast.AST], Callable[..., Iterator[Hit]]]] = {
    ast.Constant: _Reading.constant,
    ast.JoinedStr: _Reading.joined,
    ast.BinOp: _Reading.added,
    ast.Assign: _Reading.assigned,
    ast.AnnAssign: _Reading.assigned,
    ast.keyword: _Reading.keyword,
    ast.arguments: _Reading.defaults,
    ast.Dict: _Reading.pairs,
    ast.Subscript: _Reading.subscript,
    ast.Call: _Reading.call,
}
