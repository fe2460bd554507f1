"""The paths as a model of OWASP Threat Dragon 2: one diagram, actors left and assets right.

Source: threat-dragon-v2.schema.json of https://github.com/OWASP/threat-dragon, and its demo models,
which keep the threats of a component in its ``data``.
"""

import uuid
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from cipherset.evidence.views.threats.path import Path, State, Stop

VERSION: Final = "2.4.0"
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:cipherset:threats")
_PROCESSES: Final = frozenset({"model", "workspace", "deployment"})
_ROOM: Final = 120  # from one component to the next, in pixels
_ACTORS_X, _ASSETS_X = 60, 560


def dragon(paths: Sequence[Path], now: str) -> dict[str, Any]:
    """The model as JSON; ``now`` is when the ledger said so."""
    actors = {_actor_name(path): path for path in paths}
    assets = {(path.asset.kind, path.asset.id): path.asset for path in paths}
    order = count(1)
    cells = [
        *(_actor(path, place, next(order)) for place, path in enumerate(actors.values())),
        *(_asset(asset, place, next(order)) for place, asset in enumerate(assets.values())),
        *(_flow(path, number, next(order)) for number, path in enumerate(paths)),
    ]
    diagram = {
        "id": 0,
        "title": "Paths of attackers",
        "description": f"Computed from the ledger on {now}",
        "diagramType": "STRIDE",
        "placeholder": "",
        "thumbnail": "./public/content/images/thumbnail.stride.jpg",
        "version": VERSION,
        "cells": cells,
    }
    return {
        "version": VERSION,
        "summary": {
            "title": "Cipherset",
            "owner": "",
            "description": f"{len(paths)} paths, generated from what there is on {now}",
            "id": 0,
        },
        "detail": {
            "contributors": [],
            "diagrams": [diagram],
            "diagramTop": 1,
            "reviewer": "",
            "threatTop": len(paths),
        },
    }


def _actor_name(path: Path) -> str:
    """What tells one actor from another: a principal may be called like a kind of attacker."""
    return f"principal {path.principal}" if path.principal else f"attacker {path.attacker.id}"


def _actor(path: Path, place: int, order: int) -> dict[str, Any]:
    data = {
        **_data("tm.Actor", path.principal or path.attacker.who, is_open=False),
        "description": path.attacker.holds,
        "providesAuthentication": False,
        "threats": [],
    }
    cell = _uuid("actor", _actor_name(path))
    return _component("actor", cell, (_ACTORS_X, place), order, data)


def _asset(asset: Stop, place: int, order: int) -> dict[str, Any]:
    is_process = asset.kind in _PROCESSES
    kind = ("process", "tm.Process") if is_process else ("store", "tm.Store")
    data = {
        **_data(kind[1], f"{asset.kind} {asset.name}", is_open=False),
        "description": asset.id,
        "threats": [],
    }
    return _component(kind[0], _asset_uuid(asset), (_ASSETS_X, place), order, data)


def _component(
    shape: str, cell: str, place: tuple[int, int], order: int, data: dict[str, Any]
) -> dict[str, Any]:
    x, row = place
    return {
        "position": {"x": x, "y": 40 + row * _ROOM},
        "size": {"width": 260, "height": 80},
        "attrs": {
            "text": {"text": data["name"]},
            "body": {"stroke": "#333333", "strokeWidth": 1.5, "strokeDasharray": ""},
        },
        "visible": True,
        "shape": shape,
        "zIndex": order,
        "id": cell,
        "data": data,
    }


def _flow(path: Path, number: int, order: int) -> dict[str, Any]:
    data = {
        **_data("tm.Flow", path.attacker.goal, is_open=path.is_open),
        "description": ", ".join(f"{each.kind} {each.name}" for each in path.steps),
        "isBidirectional": False,
        "isEncrypted": False,
        "isPublicNetwork": False,
        "protocol": "",
        "threats": [_threat(path, number)],
    }
    color = "red" if path.is_open else "#333333"
    return {
        "shape": "flow",
        "attrs": {
            "line": {
                "stroke": color,
                "strokeWidth": 1.5,
                "strokeDasharray": "",
                "sourceMarker": {"name": ""},
                "targetMarker": {"name": "block"},
            }
        },
        "connector": "smooth",
        "labels": [path.attacker.goal],
        "source": {"cell": _uuid("actor", _actor_name(path))},
        "target": {"cell": _asset_uuid(path.asset)},
        "vertices": [],
        "visible": True,
        "zIndex": order,
        "id": _uuid("flow", path.id),
        "data": data,
    }


def _threat(path: Path, number: int) -> dict[str, Any]:
    pairs = "" if path.pairs is None else f" {path.pairs} pairs."
    return {
        "id": _uuid("threat", path.id),
        "number": number + 1,
        "title": f"{path.principal or path.attacker.who}: {path.attacker.goal}",
        "status": "Open" if path.is_open else "Mitigated",
        "severity": _severity(path),
        "type": path.attacker.against.value,
        "modelType": "STRIDE",
        "description": f"Holds {path.attacker.holds}.{pairs} {', '.join(path.attacker.references)}",
        "mitigation": path.says,
        "score": "" if path.measured is None else f"{path.measured.ci[1]:.4f}",
    }


def _severity(path: Path) -> str:
    """What was measured to lead somewhere comes first, what nobody measured next."""
    if path.is_open:
        return "High" if path.state is State.MEASURED else "Medium"
    return "Low"


def _data(kind: str, name: str, *, is_open: bool) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "isTrustBoundary": False,
        "outOfScope": False,
        "reasonOutOfScope": "",
        "hasOpenThreats": is_open,
    }


def _asset_uuid(asset: Stop) -> str:
    return _uuid("asset", f"{asset.kind} {asset.id}")


def _uuid(kind: str, name: str) -> str:
    """The same for the same thing in every export."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {name}"))
