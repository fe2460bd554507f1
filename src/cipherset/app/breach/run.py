"""``audit breach``: what follows from a theft, with a draft of the notification."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cipherset.app.audit.files import check_free, put
from cipherset.app.breach.affected import Counts, Reach, count, reach
from cipherset.app.breach.draft import draft
from cipherset.app.breach.gains import gains
from cipherset.app.erasure.sealed import open_exports
from cipherset.app.gate import About, Action
from cipherset.app.gate.subjects import MODEL, named
from cipherset.app.labels.record import known_label, record_model
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.labels import joined
from cipherset.custody.ledger import Asset
from cipherset.custody.policy import Kind
from cipherset.pipeline.train import load_bundle


@dataclass(frozen=True, slots=True)
class BreachRequest:
    """What was stolen; ``tenant`` names the column of tenants, ``target`` where the draft goes."""

    asset: str
    tenant: str | None = None
    target: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """What is known of it: counts and figures, no value of a row."""

    facts: dict[str, Any] = field(repr=False)

    @property
    def markdown(self) -> str:
        """The draft of the notification."""
        return draft(self.facts)


def breach(session: Session, request: BreachRequest) -> Breach:
    """What a theft of the asset bears on and gives away; the draft goes to the target.

    Raises:
        UsageError: ``asset_named``, ``target_exists``, ``target_parent``.
        PolicyError: ``not_allowed``.
        BackendError: the draft cannot be written.
    """
    if request.target is not None:
        check_free(request.target, overwrite=request.overwrite)
    with open_workspace(session) as workspace:
        stolen = named(workspace, request.asset)
        with workspace.gate.act(
            Action.BREACH, stolen.name, {"asset": stolen.id}, about=stolen
        ) as act:
            _record(workspace, Path(request.asset))
            found = _breach(workspace, stolen, request.tenant)
            told = ("rows", "records", "people", "tenants")
            act.facts.update({name: found.facts[name] for name in told})
            if request.target is not None:
                put(request.target, found.markdown.encode(), overwrite=request.overwrite)
    return found


def _record(workspace: Workspace, path: Path) -> None:
    """Where a model comes from its bundle says, if the ledger does not know it yet."""
    if (path / MODEL).is_file():
        record_model(workspace, load_bundle(path))


def _breach(workspace: Workspace, stolen: About, tenant: str | None) -> Breach:
    opened = open_exports(workspace)
    reached = reach(workspace, stolen, opened.exports)
    counts = count(reached.exports, tenant)
    near = {stolen.id, *reached.upstream, *(each.meta.manifest_digest for each in reached.exports)}
    label = joined(known_label(workspace, each) for each in sorted(near))
    return Breach(
        {
            "asset": stolen.id,
            "kind": stolen.kind.value,
            "plain": reached.is_plain,
            "label": None if label is None else label.as_json(),
            "exports": [each.meta.cipherset_id for each in reached.exports],
            **_counted(counts),
            "upstream": _assets(workspace, reached.upstream),
            "downstream": _assets(workspace, reached.downstream),
            "gains": [each.as_json() for each in gains(workspace, stolen.kind, reached.exports)],
            "measures": _measures(stolen, reached),
            "unreadable": list(opened.unreadable),
        }
    )


def _counted(counts: Counts) -> dict[str, int | None]:
    return {
        "rows": counts.rows,
        "records": counts.records,
        "people": counts.people,
        "tenants": counts.tenants,
    }


def _assets(workspace: Workspace, ids: frozenset[str]) -> list[dict[str, str]]:
    known: list[Asset] = [each for each in workspace.gate.ledger.assets() if each.id in ids]
    return [{"asset": each.id, "kind": each.kind, "name": each.name} for each in known]


def _measures(stolen: About, reached: Reach) -> list[str]:
    """What can be done here, as commands."""
    keys = sorted({each.meta.key_id for each in reached.exports})
    suspend = f"stop its use: cipherset asset suspend {stolen.id}"
    rotate = [f"make another version of key {key}: cipherset key rotate NAME" for key in keys]
    if stolen.kind is Kind.KEY:
        again = "protect again what is still needed, under the new version, and train again"
        end = "destroy the stolen version once nothing needs it: cipherset key destroy NAME"
        return [suspend, *rotate, again, end]
    if stolen.kind is Kind.MODEL:
        return [suspend, "train another one, and deploy it instead"]
    if reached.is_plain:
        return ["find out who has read it, and call it back"]
    return [suspend, *rotate, "call it back, and make another export under the new version"]
