"""The paths as JSON that pytm loads: actors, assets, and a flow for each path.

Source: pytm/json.py of https://github.com/OWASP/pytm, version 1.4 (``pytm.load``): elements and
boundaries are known by their names, which must be unique; a flow names its source and its sink.
"""

from collections.abc import Sequence
from typing import Any, Final

from cipherset.evidence.views.threats.path import Path, Stop

_OWNER: Final = "owner's zone"
_OUTSIDE: Final = "outside"
_CLASSES: Final = {
    "dataset": "Datastore",
    "encoder": "Datastore",
    "key": "Datastore",
    "library": "Asset",
    "model": "Process",
    "service": "ExternalEntity",
    "workspace": "Process",
}


def pytm(paths: Sequence[Path], now: str) -> dict[str, Any]:
    """The model as JSON; ``now`` is when the ledger said so."""
    actors = {_actor(path): path for path in paths}
    assets = {_name(path.asset): path.asset for path in paths}
    elements = [
        *(
            {
                "__class__": "Actor",
                "name": name,
                "description": path.attacker.holds,
                "inBoundary": _OWNER if path.principal else _OUTSIDE,
            }
            for name, path in actors.items()
        ),
        *(
            {
                "__class__": _CLASSES.get(asset.kind, "Asset"),
                "name": name,
                "description": asset.id,
                "inBoundary": _OUTSIDE if asset.kind == "service" else _OWNER,
            }
            for name, asset in assets.items()
        ),
    ]
    return {
        "name": "Cipherset",
        "description": f"{len(paths)} paths, generated from what there is on {now}",
        "isOrdered": True,
        "boundaries": [{"name": _OWNER}, {"name": _OUTSIDE}],
        "data": [],
        "elements": elements,
        "flows": [_flow(path, order) for order, path in enumerate(paths, 1)],
    }


def _flow(path: Path, order: int) -> dict[str, Any]:
    pairs = "" if path.pairs is None else f"; {path.pairs} pairs"
    way = ", ".join(f"{each.kind} {each.name}" for each in path.steps)
    return {
        "name": f"{path.attacker.goal} ({path.id})",
        "source": _actor(path),
        "sink": _name(path.asset),
        "order": order,
        "description": f"by way of {way}{pairs}",
        "note": f"{path.says}; {', '.join(path.attacker.references)}",
    }


def _actor(path: Path) -> str:
    return f"{path.principal or path.attacker.who} ({path.attacker.id})"


def _name(asset: Stop) -> str:
    return f"{asset.kind} {asset.name} ({asset.id.rpartition(':')[2][:12]})"
