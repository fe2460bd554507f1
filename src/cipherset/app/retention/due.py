"""``audit retention``: what is due to go by the limits, and its going.

What goes is what the workspace holds: the sealed rows of an export, the deployed copy of a model.
The ledger's events stay for ever. What has left is named, to be called back. Once the sealed rows
of an export are gone it is not reckoned with any more when its rows are exported again.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cipherset.app.assets.deploy import MODELS
from cipherset.app.engine.task import forget_jobs
from cipherset.app.exports.earlier.live import STAGED
from cipherset.app.gate import Action
from cipherset.app.gate.assets import RETIRE
from cipherset.app.labels.record import DATASET, MODEL, recorded_run
from cipherset.app.vectors.remember import forget_vectors
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.core.files import discard_directory, disk_errors
from cipherset.custody.keys.lock import changing
from cipherset.custody.ledger import Asset
from cipherset.custody.policy.limits import Retention
from cipherset.pipeline.train import load_bundle

_ID: Final = "cipherset_id"


@dataclass(frozen=True, slots=True)
class Due:
    """An asset that is kept for longer than it may; ``since`` is when it was due (UTC).

    ``held`` are the folders of the workspace that go.
    """

    asset: Asset
    since: datetime
    held: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """Part of the command's JSON."""
        return {
            "asset": self.asset.id,
            "kind": self.asset.kind,
            "name": self.asset.name,
            "since": self.since.isoformat(timespec="seconds"),
            "held": [path.name for path in self.held],
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """What is due, whether it went, and for how many days the events reach back."""

    due: tuple[Due, ...]
    is_applied: bool
    events_days: int
    events_days_at_least: int

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "due": [each.as_json() for each in self.due],
            "applied": self.is_applied,
            "events_days": self.events_days,
            "events_days_at_least": self.events_days_at_least,
        }


def retention(session: Session, *, apply: bool) -> Kept:
    """What is due, and with ``apply`` its removal.

    Raises:
        PolicyError: ``not_allowed``: to look takes an auditor, to remove a grant to erase.
        BackendError: something cannot be removed: run it again.
    """
    action = Action.ERASE if apply else Action.AUDIT
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(action, "retention", {"what": "retention"}) as act,
        changing(workspace.home),
    ):
        kept = _kept(workspace, is_applied=apply)
        act.facts["due"] = len(kept.due)
        if apply:
            if kept.due:  # what was made of their rows on the way goes too
                forget_vectors(workspace.home)
                act.facts["unreached"] = len(forget_jobs(workspace.home))
            for each in kept.due:
                _remove(workspace, each)
    return kept


def _kept(workspace: Workspace, *, is_applied: bool) -> Kept:
    ledger = workspace.gate.ledger
    limits, now = ledger.transact(
        lambda transaction: (
            workspace.gate.policies(transaction).limits.retention,
            transaction.now,
        )
    )
    first = next(iter(ledger.events()), None)
    days = 0 if first is None else (now - datetime.fromisoformat(first.time)).days
    due = tuple(_due(workspace, limits, now))
    return Kept(due, is_applied, days, limits.events_days)


def _due(workspace: Workspace, limits: Retention, now: datetime) -> Iterator[Due]:
    days = {DATASET: limits.dataset_days, MODEL: limits.model_days}
    bundles = _deployed(workspace)
    for asset in workspace.gate.ledger.assets():
        most = days.get(asset.kind)
        if most is None:
            continue
        since = datetime.fromisoformat(asset.created) + timedelta(days=most)
        held = tuple(_held(workspace, asset, bundles))
        if held and since <= now:
            yield Due(asset, since, held)


def _held(workspace: Workspace, asset: Asset, bundles: dict[Path, str]) -> Iterator[Path]:
    """The folders of the workspace that hold the asset."""
    if _ID in asset.attributes:
        folder = workspace.exports / asset.attributes[_ID]
        if folder.is_dir():
            yield folder
    yield from (path for path, digest in bundles.items() if digest == asset.id)


def _deployed(workspace: Workspace) -> dict[Path, str]:
    folder, found = workspace.home / MODELS, {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            found[path] = load_bundle(path).digest
        except CiphersetError:  # not one of ours, or changed: not ours to remove
            continue
    return found


def _remove(workspace: Workspace, due: Due) -> None:
    with recorded_run(workspace, RETIRE, [due.asset.id], {}):
        for folder in due.held:
            if folder.parent == workspace.exports:
                discard_directory(folder, staged_as=workspace.exports / STAGED)
                continue
            with disk_errors(folder):
                shutil.rmtree(folder)
