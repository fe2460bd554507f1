"""One asset's lineage: what is above and below it, and through which runs; what to make again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cipherset.evidence.views.lineage.links import ENCODER, KEY, Links, Node, Passage

_UNUSED: Final = ("replaced", "retired")


@dataclass(frozen=True, slots=True)
class Lineage:
    """An asset, everything above and below it, and the runs between, the oldest first.

    What no run made comes first, then in the order in which it was first made. ``beside`` is what
    else those runs read or made: of a key, the rows that were encrypted with it.
    """

    asset: Node
    upstream: tuple[Node, ...]
    downstream: tuple[Node, ...]
    runs: tuple[Passage, ...]
    beside: tuple[Node, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What is above, the asset and what is below."""
        return (*self.upstream, self.asset, *self.downstream)

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        above = (*self.upstream, self.asset)
        return {
            "asset": self.asset.as_json(),
            "upstream": [each.as_json() for each in self.upstream],
            "downstream": [each.as_json() for each in self.downstream],
            "beside": [each.as_json() for each in self.beside],
            "runs": [each.as_json() for each in self.runs],
            "keys": [_key(each) for each in above if each.kind == KEY],
            "encoders": [
                {"digest": each.id, "name": each.name} for each in above if each.kind == ENCODER
            ],
            "code": sorted({each.code for each in self.runs if each.code is not None}),
        }


@dataclass(frozen=True, slots=True)
class Again:
    """Something to be made again, ``after`` others of the list; ``run`` made it, and ``how``."""

    node: Node
    what: str
    how: str
    run: str
    after: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """One of the command's ``if_gone``."""
        return {
            "id": self.node.id,
            "what": self.what,
            "name": self.node.name,
            "status": self.node.status,
            "again": self.how,
            "by_run": self.run,
            "after": list(self.after),
        }


def trace(links: Links, asset: Node) -> Lineage:
    """The lineage of an asset, of a key in all its versions; linear in the runs that it reaches.

    ``asset`` stands for itself where the picture does not know it.
    """
    roots = links.key_versions(asset.id)
    above, made = _walk(roots, links.makers, inputs=True)
    under, read = _walk(roots, links.readers, inputs=False)
    runs = {each.position: each for each in (*made, *read)}
    near = {end for each in runs.values() for end in (*each.inputs, *each.outputs)}
    return Lineage(
        links.nodes.get(asset.id, asset),
        _in_order(links, above),
        _in_order(links, under - above),
        tuple(runs[position] for position in sorted(runs)),
        _in_order(links, near - above - under - {asset.id}),
    )


def made_again(links: Links, lost: Iterable[str], *, itself: bool = False) -> tuple[Again, ...]:
    """What came of the assets ``lost``, in an order in which it can be made again.

    What was replaced, or retired, is left out: nobody uses it. ``itself``: ``lost`` is to be made
    again too, where a run here made it.
    """
    begun = frozenset(lost)
    below = _walk(tuple(begun), links.readers, inputs=False)[0] - begun
    wanted = [
        each
        for each in _in_order(links, below | begun if itself else below)
        if each.id in links.makers and each.status not in _UNUSED
    ]
    place = {each.id: i for i, each in enumerate(wanted)}
    found = []
    for node in wanted:
        made = links.makers[node.id]
        sources = {source for each in made for source in each.inputs if source in place}
        after = tuple(sorted(sources - {node.id}, key=place.__getitem__))
        last = made[-1].step
        found.append(Again(node, _what(node), last.kind, last.id, after))
    return tuple(found)


def below(links: Links, assets: Iterable[str]) -> tuple[Node, ...]:
    """Everything that came of ``assets``, the oldest first; one of them if it came of another."""
    _, passed = _walk(tuple(assets), links.readers, inputs=False)
    return _in_order(links, {made for passage in passed for made in passage.outputs})


def _walk(
    roots: Sequence[str], by_asset: Mapping[str, tuple[Passage, ...]], *, inputs: bool
) -> tuple[frozenset[str], tuple[Passage, ...]]:
    """The assets that can be reached, without the roots, and the passages on the way."""
    seen, waiting = set(roots), list(roots)
    passed: dict[int, Passage] = {}
    while waiting:
        for passage in by_asset.get(waiting.pop(), ()):
            if passage.position in passed:
                continue
            passed[passage.position] = passage
            ends = passage.inputs if inputs else passage.outputs
            new = [each for each in dict.fromkeys(ends) if each not in seen]
            seen.update(new)
            waiting += new
    return frozenset(seen) - frozenset(roots), tuple(passed.values())


def _in_order(links: Links, assets: Iterable[str]) -> tuple[Node, ...]:
    """The oldest first: a run reads what was there before, so this order is one to make them in."""

    def place(asset: str) -> tuple[int, str]:
        made = links.makers.get(asset)
        return (made[0].position if made else -1, asset)

    return tuple(links.nodes.get(each) or _unknown(each) for each in sorted(assets, key=place))


def _unknown(asset: str) -> Node:
    return Node(asset, "unknown", asset)


def _what(node: Node) -> str:
    if "cipherset_id" in node.facts:
        return "export"
    if "index_id" in node.facts:
        return "index"
    return "rows" if node.kind == "dataset" else node.kind


def _key(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": node.name,
        "key_id": node.facts.get("key_id"),
        "version": node.facts.get("key_version"),
        "status": node.status,
    }
