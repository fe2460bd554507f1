"""Where the artifacts of a lineage are: in the workspace, and where commands were told to put them.

A place says what ought to be there. What is there, ``artifacts`` says.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cipherset.app import state
from cipherset.app.assess.finding import FINDING as FINDING_FILE
from cipherset.app.assets.deploy import MODELS
from cipherset.app.gate import Action
from cipherset.app.index.kept import FOLDER as INDEXES
from cipherset.app.index.kept import read_place
from cipherset.app.labels.made import AT
from cipherset.app.workspace import Workspace
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger.records import measurements
from cipherset.evidence.views.lineage.links import DEPLOYMENT, FINDING, Node


class What(StrEnum):
    """The kinds of artifact that can be verified without a key."""

    EXPORT = "export"
    INDEX = "index"
    MODEL = "model"
    DEPLOYMENT = "deployment"
    FINDING = "finding"
    MINIMIZER = "minimizer"
    ROWS = "rows"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Place:
    """An artifact's place; ``asset`` is the node that it belongs to, None where nobody can say."""

    what: What
    asset: str | None
    path: Path

    @property
    def spot(self) -> "Spot":
        """The place without what ought to be there; links are followed."""
        return self.what, self.path.resolve()


Spot = tuple[What, Path]
FINDINGS: Final = "findings"
_WHOLE: Final = frozenset({What.EXPORT, What.INDEX, What.MODEL, What.ROWS})
_TOLD: Final = (Action.PROTECT, Action.TRAIN_AT_GATE, Action.SANITIZE, Action.AUDIT)


def places(workspace: Workspace, nodes: Iterable[Node]) -> tuple[Place, ...]:
    """Every place in which something of these assets was put.

    Raises:
        BackendError: ``ledger_unreadable``.
    """
    wanted = {each.id: each for each in nodes}
    found = [*_in_workspace(workspace, wanted.values()), *_told(workspace, wanted)]
    return tuple(dict.fromkeys(found))


def put_last(told: Iterable[Place]) -> dict[Spot, str]:
    """What ought to be in each place, of those ``told`` of, the last one last.

    Only of what is known by its own digest: exports, indexes, models and rows.
    """
    return {
        each.spot: each.asset for each in told if each.what in _WHOLE and each.asset is not None
    }


def _in_workspace(workspace: Workspace, nodes: Iterable[Node]) -> Iterator[Place]:
    home = workspace.home
    for node in nodes:
        if node.kind == DEPLOYMENT and node.status == "served":
            yield Place(What.DEPLOYMENT, node.id, home / MODELS / node.name)
        elif node.kind == FINDING:
            yield Place(What.FINDING, node.id, home / FINDINGS / node.name / FINDING_FILE)
        elif "index_id" in node.facts:
            yield from _index(home / INDEXES / str(node.facts["index_id"]), node.id)
        elif "minimizer_digest" in node.facts:
            key = str(node.facts["key_id"]), int(node.facts["key_version"])
            path = state.minimizer_of(workspace.minimizers, *key)
            yield Place(What.MINIMIZER, node.id, path)


def _index(folder: Path, asset: str) -> Iterator[Place]:
    try:
        yield Place(What.INDEX, asset, Path(read_place(folder).path))
    except (IntegrityError, OSError):  # its state is gone: nothing says where it is
        return


def _told(workspace: Workspace, wanted: Mapping[str, Node]) -> Iterator[Place]:
    """Where commands put what they made."""
    exports = {
        each.facts["cipherset_id"]: each.id
        for each in wanted.values()
        if "cipherset_id" in each.facts
    }
    ledger = workspace.gate.ledger
    for event in ledger.look(lambda work: tuple(measurements(work.connection, _TOLD))):
        facts = _body(event.body)
        path = Path(facts.get(AT) or event.subject)
        if not path.is_absolute():  # from a folder that nobody knows any more
            continue
        asset = exports.get(facts.get("cipherset"))
        if asset is not None:
            yield Place(What.EXPORT, asset, path)
        if facts.get("bundle") in wanted:
            yield Place(What.MODEL, facts["bundle"], path)
        if facts.get("made") in wanted:
            yield Place(What.ROWS, facts["made"], path)
        if event.action == Action.AUDIT and "root" in facts:  # of the tree over all events
            yield Place(What.CHECKPOINT, None, path)


def _body(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # somebody's edit; the chain says so
        return {}
    return found if isinstance(found, dict) else {}
