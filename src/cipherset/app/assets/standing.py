"""Assets become approved under a grant, and suspended at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cipherset.app.gate import Action
from cipherset.app.gate.assets import APPROVE, FORGET, SUSPEND, described
from cipherset.app.gate.subjects import named
from cipherset.app.labels.record import recorded_run
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.custody.ledger import Asset, Run
from cipherset.evidence.views.lineage import downstream


@dataclass(frozen=True, slots=True)
class Stands:
    """An asset and where it stands; ``is_stale``: it holds what was to be forgotten since."""

    id: str
    kind: str
    name: str
    label: str
    status: str
    is_stale: bool

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "asset": self.id,
            "kind": self.kind,
            "name": self.name,
            "label": self.label,
            "status": self.status,
            "stale": self.is_stale,
        }


def approve(session: Session, asset: str) -> Stands:
    """Let the asset be used where only what is approved may be.

    Raises:
        UsageError: ``asset_named``.
        PolicyError: ``not_allowed``: it takes a grant of those whom its label asks for.
    """
    return _remark(session, asset, Action.APPROVE, APPROVE)


def suspend(session: Session, asset: str) -> Stands:
    """Stop every use of the asset until it is approved again.

    Raises: as ``approve``.
    """
    return _remark(session, asset, Action.SUSPEND, SUSPEND)


def list_assets(session: Session) -> list[Stands]:
    """Every asset that the ledger knows, the oldest first."""
    with open_workspace(session) as workspace:
        ledger = workspace.gate.ledger
        stale = _stale(ledger.runs())
        return [_stands(workspace, asset, stale) for asset in ledger.assets()]


def _remark(session: Session, asset: str, action: Action, kind: str) -> Stands:
    with open_workspace(session) as workspace:
        about, ledger = named(workspace, asset), workspace.gate.ledger
        with workspace.gate.act(action, about.name, {"asset": about.id}, about=about):
            known = ledger.record_asset(
                about.id,
                actor=workspace.gate.actor,
                kind=about.kind.value,
                name=about.name,
                attributes={},
            )
            with recorded_run(workspace, kind, [known.id], {}):
                pass
        return _stands(workspace, known, _stale(ledger.runs()))


def _stands(workspace: Workspace, asset: Asset, stale: frozenset[str]) -> Stands:
    about = named(workspace, asset.id)
    resource = workspace.gate.ledger.transact(lambda transaction: described(transaction, about))
    label, status, is_stale = resource.label.value, resource.status.value, asset.id in stale
    return Stands(asset.id, asset.kind, asset.name, label, status, is_stale=is_stale)


def _stale(runs: Sequence[Run]) -> frozenset[str]:
    """What somebody's rows were taken out of, and what was made of it: to be made again."""
    held = {each for run in runs if run.kind == FORGET for each in run.inputs}
    return downstream(held, runs) | held
