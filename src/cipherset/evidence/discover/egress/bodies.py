"""The texts in a log of bodies or prompts, one at a time, with who sent them where if it says so.

JSON Lines (proxies, prompt logs), HAR and other JSON documents, and dumps of plain text. Without a
name of a field all text within an entry counts, and JSON or form data within text is opened too.
What is encrypted, compressed or in base64 is not seen.

Source: HAR 1.2, http://www.softwareishard.com/blog/har-12-spec/.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

from cipherset.evidence.discover.egress.formats.records import leaves_of
from cipherset.evidence.discover.egress.formats.roles import HOST, PRINCIPAL, ROLES, plain_name
from cipherset.evidence.discover.egress.lines import LONGEST_PART, LogFile, is_document
from cipherset.evidence.discover.egress.lines import lines_of as lines_in
from cipherset.evidence.discover.egress.lines import parts_of as parts_in
from cipherset.evidence.discover.egress.names import host_of

_HEAD: Final = 1 << 16
_DEEPEST: Final = 24
_BLOCK: Final = 1 << 15
_OVERLAP: Final = 1 << 11  # of two blocks, so that no copy is cut in two
_HOST_LINE: Final = re.compile(r"(?i)host:\s*(\S+)\s*")
_FORM: Final = re.compile(r"[^\s]*(%[0-9A-Fa-f]{2}|\+)[^\s]*")


@dataclass(frozen=True, slots=True)
class Body:
    """A text that was sent; ``principal`` and ``host`` are None where the log does not say."""

    text: str = field(repr=False)
    principal: str | None = field(default=None, repr=False)
    host: str | None = None


def read_bodies(log: LogFile, name: str | None = None) -> Iterator[Body | None]:
    """Each text of the log; None for an entry that cannot be read, or has no field ``name``."""
    with log.open() as stream:
        head = stream.read(_HEAD).decode("utf-8", "replace")
    with log.open() as stream:
        if is_document(head):
            yield from (_entry(each, name) for each in parts_in(stream))
        elif _is_json_lines(head):
            lines = (each for each in lines_in(stream, longest=LONGEST_PART) if each != "")
            yield from (_entry(each, name) for each in lines)
        else:
            yield from _blocks(lines_in(stream, longest=LONGEST_PART))


def _is_json_lines(head: str) -> bool:
    return head.lstrip("\ufeff \r\n\t")[:1] == "{"


def _entry(text: str | None, name: str | None) -> Body | None:
    try:
        value = None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    wanted = _sent(value) if name is None else _at(value, name)
    if wanted is None:
        return None
    said = "\n".join(_texts(wanted, 0))
    names = _names(value)
    host = next((found for each in names[HOST] if (found := host_of(each))), None)
    return Body(said, next(iter(names[PRINCIPAL]), None), host)


def _sent(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any JSON value
    """Of a HAR entry what was posted; else all of it."""
    request = value.get("request")
    if isinstance(request, dict) and "method" in request:
        return request.get("postData", "")
    return value


def _at(value: Any, name: str) -> Any:  # noqa: ANN401 -- any JSON value
    """The value at a name with dots; None where there is none."""
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _names(value: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the entry says of who and where, by the columns' usual names."""
    request = value.get("request")
    outer = {key: each for key, each in value.items() if isinstance(each, str | dict)}
    if isinstance(request, dict):
        outer["url"] = request.get("url", "")
    try:
        flat = dict(leaves_of({key: each for key, each in outer.items() if key != "request"}))
    except ValueError:
        flat = {key: each for key, each in outer.items() if isinstance(each, str)}
    plain: dict[str, str] = {}
    for key, each in flat.items():
        plain.setdefault(plain_name(key), each)
    return {
        role: [plain[known] for known in ROLES[role] if plain.get(known)]
        for role in (HOST, PRINCIPAL)
    }


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text within, JSON and form data opened."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield from _opened(value, depth)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, depth + 1)


def _opened(text: str, depth: int) -> Iterator[str]:
    if text.lstrip()[:1] in {"{", "["}:
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict | list):
            yield from _texts(inner, depth + 1)
            return
    yield unquote_plus(text) if _FORM.fullmatch(text) else text


def _blocks(lines: Iterator[str | None]) -> Iterator[Body | None]:
    """A dump in blocks that overlap; a ``Host:`` line says where what follows was sent."""
    kept: list[str] = []
    size, host = 0, None
    for line in lines:
        if line is None:
            yield None
            continue
        named = _HOST_LINE.fullmatch(line)
        if named is not None:
            yield Body("\n".join(kept), host=host)
            kept, size, host = [], 0, host_of(named[1])
            continue
        for said in _opened(line, 0):
            kept.append(said)
            size += len(said) + 1
        if size > _BLOCK:
            text = "\n".join(kept)
            yield Body(text, host=host)
            kept, size = [text[-_OVERLAP:]], _OVERLAP
    yield Body("\n".join(kept), host=host)
