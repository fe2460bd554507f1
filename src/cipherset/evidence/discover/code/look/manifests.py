"""Lists of packages: what a project says it needs, what a lock pins, what is installed."""

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.files.text import line_of, without_comments
from cipherset.evidence.discover.code.found import Hit
from cipherset.evidence.discover.code.look.python import parsed

Names = Iterator[tuple[str, int]]  # of packages, with the line
_REQUIREMENT: Final = re.compile(
    r"^[ \t]*([A-Za-z0-9][\w.-]{0,100})[ \t]*(?:\[[^\]\n]*\])?[ \t]*(?:[=<>!~;@#\\]|--|$)",
    re.MULTILINE,
)
_CONDA: Final = re.compile(
    r"^[ \t]*-[ \t]+[\"']?(?:[\w.-]+::)?([A-Za-z0-9][\w.-]{0,100})[ \t]*(?:\[[^\]\n]*\])?"
    r"(?=[=<>!~ \"'\n]|$)",
    re.MULTILINE,
)
_GO: Final = re.compile(
    r"^[ \t]*(?:require[ \t]+)?([\w.-]+\.[a-z]+/[\w./~-]+)[ \t]+v\d", re.MULTILINE
)
_GRADLE: Final = re.compile(r"[\"']([\w.-]+:[\w.-]+)(?::[^\"'\n]*)?[\"']")
_GRADLE_PARTS: Final = re.compile(
    r"group\s*[:=]\s*[\"']([\w.-]+)[\"']\s*,\s*name\s*[:=]\s*[\"']([\w.-]+)[\"']"
)
_MAVEN: Final = re.compile(
    r"<groupId>\s*([\w.-]+)\s*</groupId>\s*<artifactId>\s*([\w.-]+)\s*</artifactId>"
)
_SBT: Final = re.compile(r"\"([\w.-]+)\"\s*%{1,3}\s*\"([\w.-]+)\"")
_MIX: Final = re.compile(r"\{\s*:(\w+)\s*,")
_NUGET: Final = re.compile(
    r"<(?:PackageReference|PackageVersion|GlobalPackageReference)\b[^>]{0,500}?(?:Include|Update)\s*=\s*\"([\w.-]+)\"|<package\b[^>]{0,500}?\bid\s*=\s*\"([\w.-]+)\"",
    re.IGNORECASE,
)
_GEM: Final = re.compile(
    r"^[ \t]*(?:gem|\w+\.add_(?:runtime_|development_)?dependency)[ \t(]+[\"']([\w.-]+)[\"']",
    re.MULTILINE,
)
_GEM_LOCK: Final = re.compile(r"^    ([\w.-]+) \(", re.MULTILINE)
_YARN: Final = re.compile(r"^\"?((?:@[\w.-]+/)?[\w.-]+)@", re.MULTILINE)
_PNPM: Final = re.compile(
    r"^[ \t]{2,8}[\"']?/?((?:@[\w.-]+/)?[\w.-]+)(?:[@/]\d[^:\n]*)?[\"']?:", re.MULTILINE
)
_SETUP: Final = re.compile(r"require|requirements|depend", re.IGNORECASE)
_LOCK_NAME: Final = re.compile(r"^[ \t]*name[ \t]*=[ \t]*\"([\w.-]+)\"", re.MULTILINE)
_NPM_LISTS: Final = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_INSTALL: Final = re.compile(
    r"\b(?:(?:pip|pip3|pipx|uv pip|uv|poetry|pdm|conda|mamba|micromamba)\s+"
    r"(?:install|add|tool install)|uvx|uv\s+run\s+--with)\s+([^\n;&|]{1,2000})"
)
_NPM_INSTALL: Final = re.compile(
    r"\b(?:npm\s+(?:install|i|add|ci)|yarn\s+add|pnpm\s+(?:add|install|i)|bun\s+add|npx|bunx|pnpm\s+dlx)\s+([^\n;&|]{1,2000})"
)


def look_manifest(text: str, path: PurePosixPath, known: Catalog) -> Iterator[Hit]:
    """The known packages that the list ``text`` names; nothing if it is no such list."""
    found = _kind(path)
    if found is None:
        return
    registry, read = found
    told = set()
    for name, line in read(text):
        service = known.package(registry, name)
        if service is not None and name.lower() not in told:
            told.add(name.lower())
            yield Hit(service.kind, name, line, f"package in {path.name}", service.name)


def is_manifest(path: PurePosixPath) -> bool:
    """Whether a file of that name lists packages."""
    return _kind(path) is not None


def look_installs(text: str, known: Catalog) -> Iterator[Hit]:
    """The known packages that commands in ``text`` install or run."""
    for pattern, registry in ((_INSTALL, "pypi"), (_NPM_INSTALL, "npm")):
        for match in pattern.finditer(text):
            for word in re.split(r"[\s\"',\]]+", match[1]):
                name = _installed_name(word, registry)
                service = known.package(registry, name) if name else None
                if service is not None:
                    line = line_of(text, match.start())
                    yield Hit(service.kind, name, line, "installed by a command", service.name)


def installed(parts: tuple[str, ...]) -> tuple[str, str]:
    """The registry and name of the package whose record the file at ``parts`` is, or nothing."""
    if len(parts) < 3:
        return "", ""
    folder, above = parts[-2], parts[-3]
    if parts[-1] == "METADATA" and folder.endswith(".dist-info"):
        return "pypi", folder.removesuffix(".dist-info").rpartition("-")[0]
    if parts[-1] == "PKG-INFO" and folder.endswith(".egg-info"):
        return "pypi", folder.removesuffix(".egg-info").partition("-")[0]
    if parts[-1] == "package.json" and above == "node_modules":
        return "npm", folder
    if parts[-1] == "package.json" and above.startswith("@") and parts[-4:-3] == ("node_modules",):
        return "npm", f"{above}/{folder}"
    return "", ""


def _installed_name(word: str, registry: str) -> str:
    if word.startswith("-"):
        return ""
    pattern = r"[A-Za-z0-9][\w.-]*" if registry == "pypi" else r"(?:@[\w.-]+/)?[\w.-]+"
    match = re.match(pattern, word)
    return match[0] if match else ""


def _kind(path: PurePosixPath) -> tuple[str, Callable[[str], Names]] | None:
    name = path.name.lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    if re.fullmatch(r"(?:.*[-_.])?(?:requirements|reqs)(?:[-_.].*)?\.(?:txt|in|lock)", name):
        return "pypi", _requirements
    if path.suffix in {".txt", ".in"} and path.parent.name.lower() == "requirements":
        return "pypi", _requirements
    if re.fullmatch(r"(?:.*[-_.])?environment(?:[-_.].*)?\.ya?ml|conda\.ya?ml|meta\.ya?ml", name):
        return "pypi", _matches(_CONDA)
    return next((own for ending, own in _BY_ENDING.items() if name.endswith(ending)), None)


def _matches(pattern: re.Pattern[str], comments: str = "") -> Callable[[str], Names]:
    """A reader that takes the first group of each match; two groups are joined by a colon."""

    def read(text: str) -> Names:
        code = without_comments(text, comments) if comments else text
        for match in pattern.finditer(code):
            groups = [group for group in match.groups() if group]
            yield ":".join(groups), line_of(code, match.start(match.lastindex or 0))

    return read


def _requirements(text: str) -> Names:
    yield from _matches(_REQUIREMENT)(re.sub(r"(?m)^[ \t]*#.*$", "", text))


def _pyproject(text: str) -> Names:
    """The dependencies that PEP 621, PEP 735, Poetry and others know of; no other text."""
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    for where, names, is_text in _tables(value):
        is_table = where.endswith("dependencies") and not where.endswith("optional-dependencies")
        is_list = re.search(r"dependencies|dependency-groups|\.requires$|\.extras\.", where)
        if is_list if is_text else is_table:
            for name in names:
                match = re.match(r"[A-Za-z0-9][\w.-]*", name)
                if match:
                    yield match[0], _line(text, match[0])


def _tables(value: dict[str, Any]) -> Iterator[tuple[str, list[str], bool]]:
    """Every table's keys and every list's texts, with the dotted way to them; whether texts."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, dict):
            yield where, list(one), False
            waiting += [(f"{where}.{key}", inner) for key, inner in one.items()]
        elif isinstance(one, list):
            yield where, [text for text in one if isinstance(text, str)], True
            waiting += [(where, inner) for inner in one if isinstance(inner, dict)]


def _line(text: str, part: str) -> int:
    """The line where ``part`` first stands; 0 if it was written otherwise."""
    at = text.find(f"{part}:")
    at = at if at >= 0 else text.find(part)
    return line_of(text, at) if at >= 0 else 0


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _package_json(text: str) -> Names:
    value = _json(text)
    for key in _NPM_LISTS:
        names = value.get(key)
        for name in names if isinstance(names, dict) else ():
            yield name, _line(text, f'"{name}"')


def _package_lock(text: str) -> Names:
    value = _json(text)
    for key in ("packages", "dependencies"):
        names = value.get(key)
        for name in names if isinstance(names, dict) else ():
            yield name.rpartition("node_modules/")[2], _line(text, f'"{name}"')


def _deno(text: str) -> Names:
    names = _json(text).get("imports")
    for target in names.values() if isinstance(names, dict) else ():
        match = (
            re.match(r"npm:/?((?:@[\w.-]+/)?[\w.-]+)", target) if isinstance(target, str) else None
        )
        if match:
            yield match[1], _line(text, match[0])


def _composer(text: str) -> Names:
    value = _json(text)
    for key in ("require", "require-dev"):
        names = value.get(key)
        for name in names if isinstance(names, dict) else ():
            yield name, _line(text, f'"{name}"')
    for key in ("packages", "packages-dev"):
        rows = value.get(key)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and isinstance(row.get("name"), str):
                yield row["name"], _line(text, f'"{row["name"]}"')


def _json_keys(text: str) -> Names:
    """Every key of a JSON file: Pipfile.lock, packages.lock.json, a project.assets.json."""
    for where, names, is_text in _tables(_json(text)):
        if where and not is_text:
            for name in names:
                yield name, _line(text, f'"{name}"')


def _setup_py(text: str) -> Names:
    """The texts in what ``setup`` is told, or a variable holds, of requirements."""
    tree = parsed(text)
    for node in ast.walk(tree) if tree is not None else ():
        targets = node.targets if isinstance(node, ast.Assign) else [node]
        names = [getattr(target, "arg", getattr(target, "id", "")) or "" for target in targets]
        if isinstance(node, ast.Assign | ast.keyword) and _SETUP.search(" ".join(names)):
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    match = re.match(r"[A-Za-z0-9][\w.-]*", part.value)
                    if match:
                        yield match[0], part.lineno


def _setup_cfg(text: str) -> Names:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        for key, value in parser.items(section):
            if section == "options.extras_require" or _SETUP.search(key):
                for name in re.findall(r"(?m)^\s*([A-Za-z0-9][\w.-]*)", value):
                    yield name, _line(text, name)


def _toml_keys(text: str) -> Names:
    """What the tables of dependencies of Cargo.toml, Pipfile and a Gradle catalog name."""
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    for where, names, is_text in _tables(value):
        if not is_text and re.search(r"dependencies$|packages$", where):
            for name in names:
                yield name, _line(text, name)


def _description(text: str) -> Names:
    """The packages that one of R imports; ``DESCRIPTION`` may be any other text."""
    if not text.startswith(("Package:", "Type:")):
        return
    for match in re.finditer(r"(?m)^(?:Imports|Depends|Suggests):((?:.*\n)(?:[ \t]+.*\n?)*)", text):
        for name in re.findall(r"[A-Za-z][\w.]+", re.sub(r"\([^)]*\)", "", match[1])):
            yield name, _line(text, name)


def _gradle(text: str) -> Names:
    code = without_comments(text, "c")
    yield from _matches(_GRADLE)(code)
    yield from _matches(_GRADLE_PARTS)(code)


def _catalog_toml(text: str) -> Names:
    yield from _matches(_GRADLE, "hash")(text)
    yield from _matches(_GRADLE_PARTS, "hash")(text)


def _pom(text: str) -> Names:
    yield from _matches(_MAVEN)(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))


def _projects(text: str) -> Names:
    yield from _matches(_NUGET)(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))


_BY_NAME: Final[dict[str, tuple[str, Callable[[str], Names]]]] = {
    "pyproject.toml": ("pypi", _pyproject),
    "pipfile": ("pypi", _toml_keys),
    "pipfile.lock": ("pypi", _json_keys),
    **dict.fromkeys(
        ("poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"), ("pypi", _matches(_LOCK_NAME))
    ),
    "setup.py": ("pypi", _setup_py),
    "setup.cfg": ("pypi", _setup_cfg),
    "package.json": ("npm", _package_json),
    **dict.fromkeys(("package-lock.json", "npm-shrinkwrap.json"), ("npm", _package_lock)),
    "yarn.lock": ("npm", _matches(_YARN)),
    "bun.lock": ("npm", _matches(_YARN)),
    "pnpm-lock.yaml": ("npm", _matches(_PNPM)),
    **dict.fromkeys(("deno.json", "deno.jsonc", "import_map.json"), ("npm", _deno)),
    "go.mod": ("go", _matches(_GO, "c")),
    "pom.xml": ("maven", _pom),
    "cargo.toml": ("cargo", _toml_keys),
    "cargo.lock": ("cargo", _matches(_LOCK_NAME)),
    **dict.fromkeys(("packages.config", "directory.packages.props"), ("nuget", _projects)),
    "packages.lock.json": ("nuget", _json_keys),
    "mix.exs": ("hex", _matches(_MIX, "hash")),
    "description": ("cran", _description),
    "gemfile": ("gem", _matches(_GEM, "hash")),
    "gemfile.lock": ("gem", _matches(_GEM_LOCK)),
    **dict.fromkeys(("composer.json", "composer.lock"), ("composer", _composer)),
}
_BY_ENDING: Final[dict[str, tuple[str, Callable[[str], Names]]]] = {
    **dict.fromkeys((".gradle", ".gradle.kts"), ("maven", _gradle)),
    ".versions.toml": ("maven", _catalog_toml),
    ".sbt": ("maven", _matches(_SBT, "c")),
    **dict.fromkeys((".csproj", ".fsproj", ".vbproj", ".props"), ("nuget", _projects)),
    ".gemspec": ("gem", _matches(_GEM, "hash")),
}
