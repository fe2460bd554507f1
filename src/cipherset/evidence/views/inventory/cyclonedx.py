"""The bill of materials of the AI here, as CycloneDX 1.6: the same ledger gives the same bytes.

A bill is made to be handed on, so it names no person; who ran what stays in the ledger.
Source: https://cyclonedx.org/schema/bom-1.6.schema.json; how a model came to be is its formulation.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from cipherset.core import canonical
from cipherset.evidence.views.inventory.components import component, is_service, service
from cipherset.evidence.views.inventory.rows import Row
from cipherset.evidence.views.picture import DONE, Picture, Step

SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_DEPLOY: Final = "deploy"
_TASKS: Final = {"deploy": "deploy", "train": "build", "sanitize": "clean", "service": "other"}


def bom(picture: Picture, rows: Sequence[Row], *, version: str) -> dict[str, Any]:
    """The bill of the ``rows`` of the inventory of a picture; ``version`` is that of this tool."""
    ids = {row.thing.id for row in rows}
    makers = made_in(picture, ids)
    sources = sources_of(makers, ids)
    keys = {key.id: key for key in picture.keys}
    told: dict[str, Any] = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": _metadata(moment(picture, rows), version),
        "components": [
            component(row, _datasets(row, sources, picture), keys.get(row.thing.id))
            for row in rows
            if not is_service(row)
        ],
        "services": [service(row) for row in rows if is_service(row)],
        "dependencies": _dependencies(rows, sources, picture),
    }
    if makers:
        told["formulation"] = [
            {"bom-ref": "formulation", "workflows": [_workflow(step, ids) for step in makers]}
        ]
    return {**told, "serialNumber": serial(told)}


def serial(told: Mapping[str, Any]) -> str:
    """A number that is the same for the same content, as RFC 4122, section 4.3, makes one."""
    return uuid.uuid5(uuid.NAMESPACE_OID, canonical.digest(told)).urn


def moment(picture: Picture, rows: Sequence[Row]) -> str:
    """When the last thing happened that a bill could tell of, UTC; to look changes nothing."""
    times = [row.thing.created for row in rows]
    times += [row.measured.time for row in rows if row.measured is not None]
    times += [step.finished or step.started for step in picture.steps]
    times += [grant.created for grant in picture.grants]
    return max(times, default=picture.now.isoformat(timespec="microseconds"))


def made_in(picture: Picture, ids: Collection[str]) -> list[Step]:
    """The runs that made or deployed what is in the bill, the oldest first."""
    return [step for step in picture.steps if _makes(step, ids)]


def sources_of(makers: Sequence[Step], ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """What each asset was made of directly, of those that are in the bill."""
    found: dict[str, set[str]] = {}
    for step in makers:
        for each in step.outputs:
            found.setdefault(each, set()).update(set(step.inputs).intersection(ids) - {each})
    return {each: tuple(sorted(of)) for each, of in found.items()}


def _makes(step: Step, ids: Collection[str]) -> bool:
    """Whether it made or deployed something that is in the bill."""
    if step.status != DONE:
        return False
    made = step.inputs if step.kind == _DEPLOY else step.outputs
    return not set(made).isdisjoint(ids)


def _metadata(time: str, version: str) -> dict[str, Any]:
    tool = {"type": "application", "name": "cipherset", "version": version}
    return {"timestamp": time, "tools": {"components": [tool]}}


def _datasets(
    row: Row, sources: Mapping[str, tuple[str, ...]], picture: Picture
) -> tuple[str, ...]:
    of = sources.get(row.thing.id, ())
    return tuple(each for each in of if picture.things[each].kind == "dataset")


def _dependencies(
    rows: Sequence[Row], sources: Mapping[str, tuple[str, ...]], picture: Picture
) -> list[dict[str, Any]]:
    """What each was made of, and under which key."""
    ids = {row.thing.id for row in rows}
    keys = {f"{key.name} v{key.version}": key.id for key in picture.keys if key.id in ids}
    found = []
    for row in rows:
        of = {*sources.get(row.thing.id, ()), keys.get(row.key or "", row.thing.id)}
        on = sorted(of - {row.thing.id})
        found.append({"ref": row.thing.id, **({"dependsOn": on} if on else {})})
    return found


def _workflow(step: Step, ids: Collection[str]) -> dict[str, Any]:
    inputs = [{"resource": {"ref": each}} for each in step.inputs if each in ids]
    outputs = [
        {"type": "artifact", "resource": {"ref": each}} for each in step.outputs if each in ids
    ]
    told: dict[str, Any] = {
        "bom-ref": step.id,
        "uid": step.id,
        "name": step.kind,
        "taskTypes": [_TASKS.get(step.kind, "other")],
        "timeStart": step.started,
    }
    if step.finished:
        told["timeEnd"] = step.finished
    if step.parameters.get("code"):
        told["properties"] = [{"name": "cipherset:code", "value": str(step.parameters["code"])}]
    if inputs:
        told["inputs"] = inputs
    if outputs:
        told["outputs"] = outputs
    return told
