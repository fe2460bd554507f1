"""Detector of source code, by what its lines look like. It names no language."""

import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from cipherset.pipeline.sanitize.detectors.shipped import lines
from cipherset.pipeline.sanitize.spans import Span, merged

_LINE: Final = re.compile(r"[^\n]*\n?")
_SEEN: Final = 400  # characters of a line that are looked at
_INDENTS: Final = ("    ", "\t")
_INNER_ENDS: Final = frozenset(string.ascii_letters + string.digits + "_)]")
_INLINE: Final = re.compile(r"`([^`\n]{6,200})`")
_SIGNS: Final = re.compile(r"[\w\])]\(|[=;{}$]|->|::| -{1,2}\w")
_FENCE: Final = re.compile(r"[ \t]{0,8}(?:```|~~~)")

_MOST: Final = 4  # points of one line
_ENOUGH: Final = 6  # points of a block
_STRONG: Final = 2  # points of a line that looks like code by itself
_ALONE: Final = 4  # points of a line that stands alone
_IDLE: Final = 2  # lines without points that a block may have in a row: blank ones, comments


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    points: int
    fenced: bool


class CodeDetector:
    """``SOURCE_CODE``: what looks like a program, a query or a command, or is fenced as code."""

    name: Final = "code by its lines"
    version: Final = "2"
    entities: Final = frozenset({"SOURCE_CODE"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [merged([*_blocks(text), *_inline(text)]) for text in texts]


def _blocks(text: str) -> Iterator[Span]:
    block: list[_Line] = []
    idle = 0
    for line in _lines(text):
        if line.points or line.fenced:
            block.append(line)
            idle = 0
        else:
            idle += 1
            if block and idle > _IDLE:
                yield from _told(block)
                block = []
    yield from _told(block)


def _inline(text: str) -> Iterator[Span]:
    """What stands between backticks and has a sign of code in it: a word alone may be a name."""
    if "`" in text:
        for match in _INLINE.finditer(text):
            if _SIGNS.search(match[1]):
                yield Span(match.start(1), match.end(1), "SOURCE_CODE")


def _lines(text: str) -> Iterator[_Line]:
    fenced = False
    for match in _LINE.finditer(text):
        if match.end() == match.start():
            return
        start, end = match.span()
        written = text[start : min(end, start + _SEEN)].rstrip("\r\n")
        if _FENCE.match(written):
            fenced = not fenced
            yield _Line(start, end, 0, fenced=True)
        else:
            stop = end - 1 if text[end - 1] == "\n" else end
            yield _Line(start, stop, _points(written), fenced)


def _points(line: str) -> int:
    """How much ``line`` looks like code: 0 to 4."""
    bare = line.strip()
    if not bare:
        return 0
    points = sum(worth for worth, looks_so in _patterns() if looks_so(bare))
    indented = line.startswith(_INDENTS) and bare[-1] in _INNER_ENDS
    return min(_MOST, points + indented)


@cache
def _patterns() -> list[tuple[int, Callable[[str], object]]]:
    """How many points a line is worth that looks as each pattern says."""
    pairs = (line.partition(" ") for line in lines("code.txt"))
    return [
        (int(points.rstrip("~")), _match(re.compile(pattern), anywhere=points.endswith("~")))
        for points, _, pattern in pairs
    ]


def _match(pattern: re.Pattern[str], *, anywhere: bool) -> Callable[[str], object]:
    return pattern.search if anywhere else pattern.match


def _told(block: Sequence[_Line]) -> Iterator[Span]:
    """The block, if its lines are code enough."""
    if not block:
        return
    points = [line.points for line in block]
    strong = sum(each >= _STRONG for each in points)
    several = strong > 1 and sum(points) >= _ENOUGH and 3 * strong >= len(block)
    if several or max(points) >= _ALONE or any(line.fenced for line in block):
        yield Span(block[0].start, block[-1].end, "SOURCE_CODE")
