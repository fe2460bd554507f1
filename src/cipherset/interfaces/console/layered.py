"""Where the nodes and lines of a small graph stand on a page: a column for each level.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System
Structures, IEEE Trans. SMC 11, 1981, section 3: each column is sorted by the mean place of what it
is joined to in the one before (barycenters), which leaves few lines crossing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

WIDTH: Final = 210
HEIGHT: Final = 46
_ACROSS: Final = 290
_DOWN: Final = 66
_MARGIN: Final = 16
_PASSES: Final = 4


@dataclass(frozen=True, slots=True)
class Box:
    """A node and its upper left corner."""

    node: Mapping[str, Any]
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """From the right of one box to the left of another; ``path`` is that of an SVG."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it; the sources stand to the left."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


def drawn(graph: Mapping[str, Any]) -> Drawing:
    """The drawing of ``nodes`` (with ``id`` and ``level``) and ``edges`` (``from``, ``to``)."""
    nodes = {node["id"]: node for node in graph["nodes"]}
    ends = [(one["from"], one["to"], one["kind"]) for one in graph["edges"]]
    known = [each for each in ends if each[0] in nodes and each[1] in nodes]
    columns = _columns(nodes.values(), known)
    tallest = max((len(column) for column in columns), default=0)
    boxes = {
        name: Box(
            nodes[name],
            _MARGIN + across * _ACROSS,
            _MARGIN + down * _DOWN + (tallest - len(column)) * _DOWN // 2,
        )
        for across, column in enumerate(columns)
        for down, name in enumerate(column)
    }
    lines = tuple(Line(kind, _path(boxes[start], boxes[end])) for start, end, kind in known)
    width = 2 * _MARGIN + max(len(columns) - 1, 0) * _ACROSS + WIDTH
    height = 2 * _MARGIN + max(tallest - 1, 0) * _DOWN + HEIGHT
    return Drawing(tuple(boxes.values()), lines, width, height)


def _columns(
    nodes: Iterable[Mapping[str, Any]], ends: Sequence[tuple[str, str, str]]
) -> list[list[str]]:
    by_level: dict[int, list[str]] = {}
    for node in nodes:
        by_level.setdefault(node["level"], []).append(node["id"])
    columns = [by_level[level] for level in sorted(by_level)]
    near: dict[str, list[str]] = {}
    for start, end, _ in ends:
        near.setdefault(start, []).append(end)
        near.setdefault(end, []).append(start)
    for _ in range(_PASSES):
        for way in (columns, list(reversed(columns))):
            _sort(way, near)
    return columns


def _sort(columns: Sequence[list[str]], near: Mapping[str, list[str]]) -> None:
    """Each column by the one before it."""
    for before, column in pairwise(columns):
        place = {name: at for at, name in enumerate(before)}
        now = {name: at for at, name in enumerate(column)}

        def middle(
            name: str, place: dict[str, int] = place, now: dict[str, int] = now
        ) -> tuple[float, int]:
            found = [place[each] for each in near.get(name, ()) if each in place]
            return (sum(found) / len(found) if found else now[name], now[name])

        column.sort(key=middle)


def _path(start: Box, end: Box) -> str:
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x, end.y + HEIGHT // 2
    bend = max((x2 - x1) // 2, 40)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
