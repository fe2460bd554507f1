"""Whether the ledger's assets and runs are still what its chain of events says they are."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Asset, Event, Run
from cipherset.evidence.views.lineage.located import Records

_RECORD: Final = "asset.record"
_START: Final = "run.start"
_FINISH: Final = "run.finish"


@dataclass(slots=True)
class _Said:
    """What the events say of assets and runs, by their ids."""

    assets: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    starts: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    ends: dict[str, tuple[Any, ...]] = field(default_factory=dict)


def held_records(workspace: Workspace) -> Records:
    """Where the chain breaks, and which assets and runs are not what it says.

    Raises:
        BackendError: ``ledger_unreadable``.
        IntegrityError: ``ledger_corrupt``.
    """
    ledger = workspace.gate.ledger
    found = ledger.verify()
    said = _said(ledger.events())
    assets = {each.id: _asset(each) for each in ledger.assets()}
    runs = ledger.runs()
    changed = _differing(said.assets, assets)
    differ = {
        *_differing(said.starts, {each.id: _start(each) for each in runs}),
        *_differing(said.ends, {each.id: _end(each) for each in runs if each.finished}),
    }
    return Records(
        event=None if found.valid else found.first_bad,
        runs=tuple(sorted(differ)),
        assets=tuple(changed),
    )


def _said(events: Iterable[Event]) -> _Said:
    said = _Said()
    for event in events:
        if event.action not in {_RECORD, _START, _FINISH}:
            continue
        body, subject = json.loads(event.body), event.subject
        if event.action == _RECORD:
            said.assets[subject] = (body["kind"], body["name"], body["attributes"])
        elif event.action == _START:
            said.starts[subject] = (body["kind"], event.actor, body["parameters"], body["inputs"])
        else:
            said.ends[subject] = (event.outcome, body["outputs"])
    return said


def _differing(said: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    return sorted(each for each in said.keys() | there.keys() if said.get(each) != there.get(each))


def _asset(asset: Asset) -> tuple[Any, ...]:
    return (asset.kind, asset.name, asset.attributes)


def _start(run: Run) -> tuple[Any, ...]:
    return (run.kind, run.actor, run.parameters, list(run.inputs))


def _end(run: Run) -> tuple[Any, ...]:
    return (run.status.value, list(run.outputs))
