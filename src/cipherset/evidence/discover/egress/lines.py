"""Lines of a log, one at a time, however long the file; and the parts of a JSON document."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

LONGEST_LINE: Final = 1 << 20
LONGEST_PART: Final = 1 << 24
_READ: Final = 1 << 16
# Where the parts begin: a list by itself, or the list in an object under one of these names.
_LISTS: Final = re.compile(
    r'\A\s*\[|\{\s*"(?:records|entries|Browser History|history|visits|urls|items)"\s*:\s*\['
    r'|[,{]\s*"(?:records|entries|Browser History)"\s*:\s*\['
)
_SPACE: Final = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log by the name that it is called, and how its bytes are opened, from the beginning."""

    name: str
    open: Callable[[], BinaryIO]


def lines_of(stream: BinaryIO, *, longest: int = LONGEST_LINE) -> Iterator[str | None]:
    """The lines without their ends; None for one of more than ``longest`` bytes.

    What is not UTF-8 is replaced: a log is read for its hosts.
    """
    is_first = True
    while line := stream.readline(longest + 1):
        if len(line) > longest and not line.endswith(b"\n"):
            _skip_line(stream)
            yield None
            continue
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        yield text.removeprefix("\ufeff") if is_first else text
        is_first = False


def parts_of(stream: BinaryIO, *, longest: int = LONGEST_PART) -> Iterator[str | None]:
    """The JSON text of each part of the document's list; None for what follows one that is none.

    None, too, where the document has no list of entries in its first ``longest`` bytes.
    """
    buffer, at = _begin(stream, longest)
    if at < 0:
        yield None
        return
    decoder = json.JSONDecoder()
    is_over = False
    while True:
        space = _SPACE.match(buffer, at)
        at = space.end() if space else at
        if buffer[at : at + 1] == "]":
            return
        try:
            _, end = decoder.raw_decode(buffer, at)
        except (ValueError, RecursionError):
            if is_over or len(buffer) - at > longest:
                yield None
                return
            more = stream.read(max(_READ, len(buffer) - at))
            is_over = not more
            buffer, at = buffer[at:] + more.decode("utf-8", "replace"), 0
            continue
        yield buffer[at:end]
        at = end


def is_document(head: str) -> bool:
    """Whether what begins so is one JSON document with a list, and not one value per line."""
    return _LISTS.search(head) is not None and head.lstrip()[:1] in {"[", "{"}


def _begin(stream: BinaryIO, longest: int) -> tuple[str, int]:
    buffer = ""
    while len(buffer) < longest:
        part = stream.read(_READ)
        buffer += part.decode("utf-8", "replace")
        found = _LISTS.search(buffer)
        if found:
            return buffer, found.end()
        if not part:
            break
    return buffer, -1


def _skip_line(stream: BinaryIO) -> None:
    while part := stream.readline(LONGEST_LINE):
        if part.endswith(b"\n"):
            return
