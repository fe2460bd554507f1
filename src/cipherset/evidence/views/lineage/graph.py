"""The part of a lineage around one asset, as nodes and edges for whoever draws it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cipherset.evidence.views.lineage.links import Links


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` went into the run that made ``target``."""

    source: str
    target: str
    run: str
    kind: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by their distance from the center, below it positive; ``cut`` have more beyond."""

    center: str
    levels: dict[str, int]
    edges: tuple[Edge, ...]
    cut: frozenset[str]
    links: Links

    def as_json(self) -> dict[str, Any]:
        """Plain values for a page."""
        nodes = [self.links.nodes[each] for each in self.levels if each in self.links.nodes]
        return {
            "center": self.center,
            "nodes": [
                {
                    **node.as_json(),
                    "level": self.levels[node.id],
                    "more": node.id in self.cut,
                }
                for node in nodes
            ],
            "edges": [
                {"from": each.source, "to": each.target, "run": each.run, "kind": each.kind}
                for each in self.edges
            ],
        }


def graph(links: Links, center: str, *, depth: int = 3, most: int = 200) -> Graph:
    """What is at most ``depth`` runs above or below ``center``, and at most ``most`` nodes.

    The nearest are kept. Only edges whose two ends are kept are given.
    """
    levels = {center: 0}
    ends = {-1: [center], 1: [center]}
    for level in range(1, depth + 1):
        for way in ends:
            near = dict.fromkeys(each for one in ends[way] for each in _next(links, one, way))
            ends[way] = [each for each in near if each not in levels][: most - len(levels)]
            levels.update((each, way * level) for each in ends[way])
    edges = tuple(dict.fromkeys(_edges(links, levels)))
    cut = frozenset(each for each in levels if _goes_on(links, each, levels))
    return Graph(center, levels, edges, cut, links)


def _next(links: Links, asset: str, way: int) -> Iterator[str]:
    """What is one run above an asset, or below it."""
    for passage in (links.makers if way < 0 else links.readers).get(asset, ()):
        yield from passage.inputs if way < 0 else passage.outputs


def _goes_on(links: Links, asset: str, levels: dict[str, int]) -> bool:
    """Whether a run next to an asset has an end that is not shown."""
    near = (*links.makers.get(asset, ()), *links.readers.get(asset, ()))
    return any(not {*each.inputs, *each.outputs} <= levels.keys() for each in near)


def _edges(links: Links, levels: dict[str, int]) -> Iterator[Edge]:
    for asset in levels:
        for passage in links.makers.get(asset, ()):
            for source in passage.inputs:
                if source in levels and source != asset:
                    yield Edge(source, asset, passage.step.id, passage.step.kind)
