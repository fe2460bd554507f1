"""Configuration that is read by line: YAML, .env, ini, TOML, Terraform, Dockerfiles, shell."""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.found import Hit, Kind
from cipherset.evidence.discover.code.look.settings import (
    command_hits,
    image_hits,
    infra_hits,
    look_setting,
    mcp_hits,
)
from cipherset.evidence.discover.code.look.strings import address_hits, credential_hits, model_hits

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*$")
_PAIR: Final = re.compile(
    r"^\s*(?:-\s+)?(?:(?:export|ENV|ARG|set|setx|Environment=|local|readonly|LABEL)\s*)?"
    r"[\"'$]?(?:env:)?([A-Za-z_][\w.@/-]{0,120})[\"']?\s*(?:\??[:=]|=>)\s*(.*)$"
)
_DOCKER_ENV: Final = re.compile(r"^\s*(?:ENV|ARG)\s+([A-Za-z_]\w{0,100})\s+(\S.*)$", re.IGNORECASE)
_DOCKER_FROM: Final = re.compile(r"^\s*FROM\s+(?:--\S+\s+)?(\S+)", re.IGNORECASE)
_SECTION: Final = re.compile(r"^\s*\[+([^\[\]]{1,200})\]+\s*$")
_HCL_VARIABLE: Final = re.compile(r"^\s*variable\s+\"([\w-]{3,100})\"")
_XML: Final = re.compile(
    r"(?:key|name)=\"([^\"]{2,120})\"\s+value=\"([^\"]{0,500})\"|<([\w.-]{2,80})>([^<>]{1,500})</\3>"
)
_ASKING: Final = re.compile(r"\b(?:curl|wget|http|https|xh|Invoke-(?:RestMethod|WebRequest))\s")
_WORD_URL: Final = re.compile(r"(?:https?|wss?)://[^\s\"'`<>)]{4,500}")
_MODEL_OPTION: Final = re.compile(r"--[\w-]{0,30}model[\w-]{0,30}[=\s]+[\"']?([\w./:@-]{3,200})")
_SHELLS: Final = (".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd")
_BLOCK: Final = re.compile(r"^[|>][+-]?\d?\s*$")
_MOST_BLOCK: Final = 60  # lines of a text in YAML that are put together
_CREW: Final = (
    re.compile(r"^[ \t]+role:", re.M),
    re.compile(r"^[ \t]+goal:", re.M),
    re.compile(r"^[ \t]+backstory:", re.M),
)


def look_lines(text: str, name: str, known: Catalog) -> Iterator[Hit]:
    """What the configuration ``text`` in a file called ``name`` gives away."""
    reading = _Lines(name.lower(), known)
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        bare = _COMMENT.sub("", line) if "#" in line else line
        if bare.strip():
            yield from reading.line(bare, number, lines)
    if all(pattern.search(text) for pattern in _CREW):
        yield Hit(Kind.AGENT, "agents by role, goal and backstory", 1, "CrewAI's form", "CrewAI")


class _Lines:
    """A file that is read from the top: the names above a line are part of its name."""

    def __init__(self, name: str, known: Catalog) -> None:
        self._name = name
        self._known = known
        self._is_yaml = name.endswith((".yml", ".yaml"))
        self._is_docker = "dockerfile" in name or "containerfile" in name
        self._above: list[tuple[int, str]] = []
        self._section: list[str] = []
        self._pending = ""

    def line(self, line: str, number: int, lines: list[str]) -> Iterator[Hit]:
        known = self._known
        yield from command_hits(line, known, number)
        yield from infra_hits(line, known, number)
        section = _SECTION.match(line)
        if section is not None and not self._is_yaml:
            self._section = [part.strip("\"' ") for part in section[1].split(".")]
            return
        pair = _DOCKER_ENV.match(line) if self._is_docker else None
        pair = pair or _PAIR.match(line)
        if pair is not None:
            yield from self._pair(line, pair[1], pair[2], number, lines)
        yield from self._other(line, number)

    def _pair(
        self, line: str, name: str, value: str, number: int, lines: list[str]
    ) -> Iterator[Hit]:
        way = self._way(line, name)
        bare = _bare(value)
        if self._is_yaml and _BLOCK.match(value):
            bare = _block(lines, number)
        inner = _PAIR.match(bare) if "=" in bare[:80] and " " not in bare[:40] else None
        if inner is not None and "://" not in bare[: bare.find("=")]:
            yield from look_setting([*way, inner[1]], _bare(inner[2]), self._known, number)
        yield from look_setting(way, bare, self._known, number)
        yield from mcp_hits(way, bare, self._name, number)
        if self._pending and name == "value":
            yield from look_setting([self._pending], bare, self._known, number)
        self._pending = bare if name == "name" else ""

    def _way(self, line: str, name: str) -> list[str]:
        if not self._is_yaml:
            return [*self._section, name]
        indent = len(line) - len(line.lstrip(" -"))
        while self._above and self._above[-1][0] >= indent:
            self._above.pop()
        self._above.append((indent, name))
        return [above for _, above in self._above]

    def _other(self, line: str, number: int) -> Iterator[Hit]:
        """What stands in a line that is no setting, or beside one."""
        known = self._known
        yield from credential_hits(line, known, number)
        if _ASKING.search(line) or self._name.endswith(_SHELLS):
            for match in _WORD_URL.finditer(line):
                yield from address_hits(match[0], known, number)
        yield from self._images(line, number)
        for match in _MODEL_OPTION.finditer(line):
            yield from model_hits("model", match[1], known, number)
        if (variable := _HCL_VARIABLE.match(line)) is not None:
            yield from look_setting([variable[1]], "", known, number)
        for match in _XML.finditer(line) if "<" in line else ():
            value = match[2] or match[4] or ""
            yield from look_setting([match[1] or match[3]], value, known, number)

    def _images(self, line: str, number: int) -> Iterator[Hit]:
        if self._is_docker and (image := _DOCKER_FROM.match(line)):
            yield from image_hits(image[1], self._known, number)
        if "modelfile" in self._name and (base := _DOCKER_FROM.match(line)):
            yield from model_hits("from", base[1], self._known, number)
        if "docker " in line or "podman " in line or self._name.endswith(_SHELLS):
            for word in line.split():
                yield from image_hits(word, self._known, number)


def _bare(value: str) -> str:
    """A value without the quotes and signs around it."""
    plain = value.strip().rstrip(",;").strip()
    if len(plain) > 1 and plain[0] in "\"'" and plain[-1] == plain[0]:
        return plain[1:-1]
    return plain.strip("\"'")


def _block(lines: list[str], number: int) -> str:
    """The text of the lines below line ``number`` that are indented further."""
    first = lines[number - 1]
    indent = len(first) - len(first.lstrip(" -"))
    kept = []
    for line in lines[number : number + _MOST_BLOCK]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        kept.append(line.strip())
    return " ".join(kept)
