"""``view lineage``: what an asset was made of and what was made of it; verified, if asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.gate.subjects import MANIFEST, named
from cipherset.app.sight.gather import picture
from cipherset.app.sight.lineage.artifacts import Inspector
from cipherset.app.sight.lineage.identify import Identifier
from cipherset.app.sight.lineage.places import Place, Spot, What, places, put_last
from cipherset.app.sight.lineage.records import held_records
from cipherset.app.sight.look import check_here, looked
from cipherset.app.workspace import Session, Workspace
from cipherset.evidence.views.lineage.graph import graph
from cipherset.evidence.views.lineage.links import Links, Node, links
from cipherset.evidence.views.lineage.located import Located, located
from cipherset.evidence.views.lineage.trace import Again, Lineage, made_again, trace
from cipherset.evidence.views.picture import Picture

LINEAGE: Final = "lineage"


@dataclass(frozen=True, slots=True)
class LineageRequest:
    """Of which asset; ``paths`` are artifacts that are kept elsewhere, to be verified too."""

    asset: str
    if_gone: bool = False
    verify: bool = False
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class LineageResult:
    """The lineage; what is to be made again and what was verified are None where nobody asked."""

    lineage: Lineage = field(repr=False)
    again: tuple[Again, ...] | None = field(default=None, repr=False)
    verified: Located | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        told = self.lineage.as_json()
        if self.again is not None:
            told["if_gone"] = [each.as_json() for each in self.again]
        if self.verified is not None:
            told["verified"] = self.verified.as_json()
            told["first_bad"] = self.verified.first_bad
        return told


@dataclass(frozen=True, slots=True)
class Opened:
    """A workspace that is looked at, its picture and the links in it."""

    workspace: Workspace = field(repr=False)
    picture: Picture = field(repr=False)
    links: Links = field(repr=False)

    @classmethod
    def of(cls, workspace: Workspace) -> "Opened":
        """Taken now, in one transaction."""
        taken = picture(workspace)
        return cls(workspace, taken, links(taken))

    def node(self, text: str) -> Node:
        """The asset that ``text`` names: by its id here, or as for every command.

        From afar by its id alone: a path would be one of this machine.

        Raises: as ``named``.
        """
        known = self.links.nodes.get(text)
        if known is not None:
            return known
        check_here(self.workspace)
        about = named(self.workspace, text)
        return self.links.nodes.get(about.id) or Node(about.id, about.kind.value, about.name)

    def export_at(self, path: Path, node: Node) -> Path | None:
        """Where the cipherset ``node`` is: in ``path``, or where it was put; None if in neither."""
        put = (each.path for each in places(self.workspace, [node]) if each.what is What.EXPORT)
        return next((each for each in (path, *put) if (each / MANIFEST).is_file()), None)

    def identifier(self) -> Identifier:
        """What finds the asset of an artifact."""
        return Identifier(
            self.workspace, self.links, places(self.workspace, self.links.nodes.values())
        )


def view_lineage(session: Session, request: LineageRequest) -> LineageResult:
    """The lineage of an asset.

    Raises:
        UsageError: ``asset_named``; ``file_missing``.
        PolicyError: ``not_allowed``.
        KeyAccessError, InputError, IntegrityError: it is an asset, and cannot be read.
    """
    with looked(session, LINEAGE) as (workspace, act):
        opened = Opened.of(workspace)
        node, also = _asked(opened, request)
        act.facts["asset"] = node.id
        found = trace(opened.links, node)
        again = verified = None
        if request.if_gone:
            again = made_again(opened.links, opened.links.key_versions(node.id))
        if request.verify:
            verified = _verified(opened, found.nodes, also)
            act.facts.update(valid=verified.is_valid, first_bad=verified.first_bad)
    return LineageResult(found, again, verified)


def lineage_graph(session: Session, asset: str, *, depth: int = 3) -> dict[str, Any]:
    """The part of a lineage around an asset, as nodes and edges.

    Raises: as ``view_lineage``.
    """
    with looked(session, LINEAGE) as (workspace, act):
        opened = Opened.of(workspace)
        node = opened.node(asset)
        act.facts["asset"] = node.id
        return graph(opened.links, node.id, depth=depth).as_json()


def _asked(opened: Opened, request: LineageRequest) -> tuple[Node, list[Place]]:
    """The asset, and the artifacts that were named; one that is damaged is known by what is left.

    Raises: as ``view_lineage``.
    """
    if not request.verify or opened.workspace.gate.who.network is not None:
        return opened.node(request.asset), []
    identifier = opened.identifier()
    also = [identifier.place(path) for path in request.paths]
    there = Path(request.asset)
    if request.asset in opened.links.nodes or not there.exists():
        return opened.node(request.asset), also
    place = identifier.place(there)
    known = None if place.asset is None else opened.links.nodes.get(place.asset)
    return known or opened.node(request.asset), [place, *also]


def _verified(opened: Opened, nodes: Iterable[Node], also: Iterable[Place]) -> Located:
    """Every artifact of these assets that is there, and the ledger that speaks of them."""
    findings = {
        str(each.facts["finding"]): each
        for each in opened.picture.findings
        if "finding" in each.facts
    }
    last = put_last(places(opened.workspace, opened.links.nodes.values()))
    inspector = Inspector(opened.workspace, opened.links, findings, last)
    wanted = dict.fromkeys([*places(opened.workspace, nodes), *also])
    checks = [inspector.check(place) for place in _once(wanted, last)]
    return located(opened.links, checks, held_records(opened.workspace))


def _once(wanted: Iterable[Place], last: Mapping[Spot, str]) -> Iterable[Place]:
    """Each artifact once: as that which came there last, or else was said to be there first."""
    found: dict[Spot, Place] = {}
    for place in wanted:
        if last.get(place.spot) == place.asset is not None:
            found[place.spot] = place
        found.setdefault(place.spot, place)
    return found.values()
