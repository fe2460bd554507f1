"""Code in other languages by pattern, comments taken out: what it imports, asks and names."""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.evidence.discover.code.catalog import Catalog, Service
from cipherset.evidence.discover.code.files.text import line_of, without_comments
from cipherset.evidence.discover.code.found import Hit, Kind
from cipherset.evidence.discover.code.look.strings import (
    NAMED,
    address_hits,
    credential_hits,
    host_hits,
    is_prompt,
    model_hits,
    nameable,
    named_model_hits,
    variable_hits,
)

# By ending: the language, and how its comments look.
LANGUAGES: Final = {
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"), ("js", "c")),
    **dict.fromkeys((".vue", ".svelte", ".astro", ".html", ".htm"), ("page", "c")),
    ".go": ("go", "c"),
    **dict.fromkeys((".java", ".kt", ".kts", ".scala", ".groovy"), ("java", "c")),
    ".rs": ("rust", "rust"),
    ".cs": ("csharp", "c"),
    ".fs": ("csharp", "c"),
    ".rb": ("ruby", "hash"),
    ".php": ("php", "php"),
    **dict.fromkeys((".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"), ("headers", "c")),
    **dict.fromkeys((".swift", ".dart"), ("other", "c")),
    **dict.fromkeys((".ex", ".exs", ".r", ".jl", ".pl", ".lua"), ("other", "hash")),
    **dict.fromkeys((".clj", ".cljs", ".cljc"), ("other", "lisp")),
    ".sql": ("sql", "dashes"),
}
_IMPORTS: Final = {
    "js": re.compile(
        r"(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\s*\(\s*)[\"'`]([^\"'`\s]{1,200})[\"'`]"
    ),
    "go": re.compile(
        r"^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?\"([\w./~-]{3,200})\"[ \t]*$", re.MULTILINE
    ),
    "java": re.compile(r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]{3,200})", re.MULTILINE),
    "rust": re.compile(
        r"^[ \t]*(?:pub[ \t]+)?(?:use|extern[ \t]+crate)[ \t]+(?:::)?(\w{2,100})", re.MULTILINE
    ),
    "csharp": re.compile(
        r"^[ \t]*(?:global[ \t]+)?(?:using|open)[ \t]+(?:static[ \t]+)?"
        r"(?:\w+[ \t]*=[ \t]*)?([\w.]{2,200})",
        re.MULTILINE,
    ),
    "ruby": re.compile(r"^[ \t]*require[ \t]*\(?[ \t]*[\"']([\w/-]{2,100})[\"']", re.MULTILINE),
    "php": re.compile(
        r"(?:^[ \t]*use[ \t]+|\bnew[ \t]+|[^\w\\])\\?([A-Z]\w+)(?=\\|::)", re.MULTILINE
    ),
    "headers": re.compile(
        r"^[ \t]*#[ \t]*include[ \t]*[<\"](?:[\w./-]*/)?([\w.-]+)[>\"]", re.MULTILINE
    ),
}
_STRING: Final = re.compile(
    r"\"((?:\\.|[^\"\\\n])*+)\"?|'((?:\\.|[^'\\\n])*+)'?|`((?:\\.|[^`\\])*+)`?"
)
_MOST_STRING: Final = 4_000
_VARIABLE: Final = re.compile(
    r"(?:env|Environment|getenv)\w*(?:[.(\[\s]|::|!|\?)[\w.(\[\s\"'`:]{0,30}?\b((?-i:[A-Z][A-Z0-9_]{4,60}))\b",
    re.IGNORECASE,
)
_SETTING: Final = re.compile(
    r"\b(\w{0,30}?(?:model|engine|deployment|prompt|system|instructions|host|url|endpoint|key|token)\w{0,30})"
    r"[\"'`]?\s{0,3}(?:=>|:=|[:=(,])\s{0,3}(?:\w{1,20}\s{0,2}[=(]\s{0,2})?[\"'`]([^\"'`\n]{2,2000})[\"'`]",
    re.IGNORECASE,
)
_LOADED: Final = re.compile(
    r"\bfrom_?pretrained\s*\(\s*[\"'`]([^\"'`\n]{1,200})[\"'`]|"
    r"\bpipeline\s*\(\s*[\"'`][\w-]{3,60}[\"'`]\s*,\s*[\"'`]([^\"'`\n]{1,200})[\"'`]|"
    r"\bInferenceSession(?:\.create)?\s*\(\s*[\"'`]([^\"'`\n]{1,200})[\"'`]",
    re.IGNORECASE,
)
_SYSTEM: Final = re.compile(
    r"[\"'`]?\brole[\"'`]?\s*(?::|=>|=)\s*[\"'`](?:system|developer)[\"'`]\s*,\s*[\"'`]?content\b",
    re.IGNORECASE,
)
_SCRIPT: Final = re.compile(r"<script\b", re.IGNORECASE)
_SCRIPT_END: Final = re.compile(r"</script", re.IGNORECASE)
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)


def look_code(text: str, ending: str, known: Catalog) -> Iterator[Hit]:
    """What the code in ``text`` uses, in the language of ``ending``."""
    language, comments = LANGUAGES[ending]
    if language == "page":
        text, language = _scripts(text), "js"
    code = without_comments(text, comments)
    if language == "sql":
        yield from _sql(code, known)
        return
    yield from _imports(code, language, known)
    yield from _strings(code, known)
    yield from _settings(code, known)


def _scripts(page: str) -> str:
    """The scripts of a page; what is around them is for people."""
    front = _FRONT.match(page)
    kept, at = [], 0
    if front is not None:
        kept, at = ["\n", front[1]], front.end()
    while (tag := _SCRIPT.search(page, at)) is not None:
        start = page.find(">", tag.end())
        end = _SCRIPT_END.search(page, start) if start >= 0 else None
        if end is None:
            break
        kept += ["\n" * page.count("\n", at, start), page[start + 1 : end.start()]]
        at = end.start()
    return "".join(kept)


def _imports(code: str, language: str, known: Catalog) -> Iterator[Hit]:
    pattern = _IMPORTS.get(language)
    if pattern is None:
        return
    for match in pattern.finditer(code):
        name = match[1]
        service = _package(name, known) if language == "js" else _namespace(name, language, known)
        if service is not None:
            line = line_of(code, match.start(1))
            yield Hit(service.kind, _bare(name, language), line, f"import {name}", service.name)


def _bare(name: str, language: str) -> str:
    return _npm_name(name) if language == "js" else name


def _npm_name(specifier: str) -> str:
    """The package of an import: without ``npm:``, a host that serves it, a version, a path."""
    bare = re.sub(
        r"^npm:/?|^https://(?:esm\.sh|cdn\.skypack\.dev|cdn\.jsdelivr\.net/npm|unpkg\.com)/",
        "",
        specifier,
    )
    parts = bare.split("/")
    name = "/".join(parts[:2]) if bare.startswith("@") else parts[0]
    return re.sub(r"(?<=.)@.*$", "", name)


def _package(specifier: str, known: Catalog) -> Service | None:
    return None if specifier.startswith(".") else known.package("npm", _npm_name(specifier))


def _namespace(name: str, language: str, known: Catalog) -> Service | None:
    """Whose namespace ``name`` begins with, at the end of a part."""
    for begins, service in known.namespaces[language].items():
        if name == begins or (name.startswith(begins) and name[len(begins)] in "./:\\"):
            return service
    return None


def _strings(code: str, known: Catalog) -> Iterator[Hit]:
    for match in _STRING.finditer(code):
        text = match[1] or match[2] or match[3] or ""
        if not 2 <= len(text) <= _MOST_STRING:
            continue
        hits = [*address_hits(text, known, 0), *credential_hits(text, known, 0)]
        hits += named_model_hits(text, known, 0)
        if not hits and "." in text and len(text) < 256:
            hits = [*host_hits(text, known, 0)]
        for hit in hits:
            yield _at(hit, code, match.start())


def _settings(code: str, known: Catalog) -> Iterator[Hit]:
    for match in _VARIABLE.finditer(code):
        for hit in variable_hits(match[1], "", known, 0):
            yield _at(hit, code, match.start(1))
    for match in _SETTING.finditer(code):
        name, value = match[1], match[2]
        hits = [*model_hits(name, value, known, 0)]
        hits += [hit for hit in variable_hits(name, value, known, 0) if hit.how != NAMED]
        if re.search(r"prompt|system|instructions", name, re.IGNORECASE) and is_prompt(value):
            hits.append(Hit(Kind.PROMPT, name, 0, "a text that tells a model what to be"))
        for hit in hits:
            yield _at(hit, code, match.start())
    yield from _loads(code)


def _loads(code: str) -> Iterator[Hit]:
    for match in _LOADED.finditer(code):
        what = nameable(match[1] or match[2] or match[3])
        if what:
            yield _at(Hit(Kind.MODEL, what, 0, "loaded"), code, match.start())
    for match in _SYSTEM.finditer(code):
        yield _at(
            Hit(Kind.PROMPT, "system message of a chat", 0, "role: system"), code, match.start()
        )


def _sql(code: str, known: Catalog) -> Iterator[Hit]:
    upper = code.upper()
    for function, service in known.sql.items():
        at = upper.find(function)
        if at >= 0 and (at == 0 or not (upper[at - 1].isalnum() or upper[at - 1] in "_.")):
            yield Hit(
                service.kind, function.rstrip("(."), line_of(code, at), "in SQL", service.name
            )


def _at(hit: Hit, code: str, position: int) -> Hit:
    return Hit(hit.kind, hit.what, line_of(code, position), hit.how, hit.service)
