"""A lineage in the words of W3C PROV, as PROV-JSON.

Assets are entities, runs are activities, and who ran them are agents; nothing else is said.

Source: W3C Member Submission of 24 April 2013, https://www.w3.org/submissions/prov-json/.
"""

import json
from typing import Any, Final

from cipherset.evidence.views.lineage.links import Node, Passage
from cipherset.evidence.views.lineage.trace import Lineage

Json = dict[str, Any]
PREFIX: Final = "cipherset"
_NAMES: Final = "urn:cipherset:"


def prov_json(lineage: Lineage) -> Json:
    """The PROV-JSON document of a lineage; the same bytes for the same lineage."""
    document: Json = {
        "prefix": {PREFIX: _NAMES},
        "entity": {
            _entity_id(each.id): _entity(each) for each in (*lineage.nodes, *lineage.beside)
        },
        "activity": {},
        "agent": {},
        "used": {},
        "wasGeneratedBy": {},
        "wasAssociatedWith": {},
        "wasDerivedFrom": {},
    }
    for run in lineage.runs:
        _tell(document, run)
    return {name: told for name, told in document.items() if told}


def _tell(document: Json, passage: Passage) -> None:
    """Add a run, who ran it, what it used and what it made."""
    step = passage.step
    activity, agent = _name("run", step.id), _name("principal", step.actor)
    document["activity"][activity] = _activity(passage)
    document["agent"][agent] = {"prov:label": step.actor}
    association = {"prov:activity": activity, "prov:agent": agent}
    document["wasAssociatedWith"][f"_:{step.id}-by"] = association
    for i, source in enumerate(passage.inputs):
        used = {"prov:activity": activity, "prov:entity": _entity_id(source)}
        document["used"][f"_:{step.id}-used-{i}"] = used
    for i, made in enumerate(passage.outputs):
        entity = _entity_id(made)
        generated = {"prov:entity": entity, "prov:activity": activity}
        document["wasGeneratedBy"][f"_:{step.id}-made-{i}"] = generated
        for j, source in enumerate(passage.inputs):
            if source == made:  # rows were added to an index
                continue
            document["wasDerivedFrom"][f"_:{step.id}-of-{i}-{j}"] = {
                "prov:generatedEntity": entity,
                "prov:usedEntity": _entity_id(source),
                "prov:activity": activity,
            }


def _entity(node: Node) -> Json:
    told = {
        "prov:type": {"$": f"{PREFIX}:{node.kind}", "type": "prov:QUALIFIED_NAME"},
        "prov:label": node.name,
        f"{PREFIX}:id": node.id,
    }
    for name, value in (("label", node.label), ("status", node.status)):
        if value is not None:
            told[f"{PREFIX}:{name}"] = value
    return told


def _activity(passage: Passage) -> Json:
    step = passage.step
    told: Json = {
        "prov:startTime": step.started,
        "prov:type": {"$": f"{PREFIX}:{step.kind}", "type": "prov:QUALIFIED_NAME"},
        "prov:label": step.id,
    }
    if step.finished is not None:
        told["prov:endTime"] = step.finished
    if passage.code is not None:
        told[f"{PREFIX}:code"] = passage.code
    return told | {f"{PREFIX}:{name}": _literal(value) for name, value in passage.facts.items()}


def _literal(value: object) -> Json | str | bool | int:
    """A value that PROV-JSON can hold; lists and maps as their JSON text."""
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return {"$": repr(value), "type": "xsd:double"}
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _entity_id(asset: str) -> str:
    return _name("asset", asset)


def _name(kind: str, text: str) -> str:
    """A qualified name: what its local part cannot hold unescaped is written as hex."""
    safe = "".join(one if one.isascii() and one.isalnum() else f"_{ord(one):x}_" for one in text)
    return f"{PREFIX}:{kind}_{safe}"
