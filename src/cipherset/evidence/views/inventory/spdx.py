"""The same bill as SPDX 3.0.1 JSON-LD: models of its AI profile, datasets of its dataset profile.

Conformance with these two profiles is not claimed: they ask for a place to download and a supplier
of each package, and what is found or trained here has neither. Keys have no class in it.
Source: https://spdx.github.io/spdx-spec/v3.0.1/.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cipherset.evidence.views.inventory.card import model_card
from cipherset.evidence.views.inventory.components import component_type, file_digest
from cipherset.evidence.views.inventory.cyclonedx import made_in, moment, serial, sources_of
from cipherset.evidence.views.inventory.rows import Row
from cipherset.evidence.views.picture import Picture

CONTEXT: Final = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION: Final = "_:creation"
_TOOL: Final = "urn:x-cipherset:tool"
_CONFIDENTIALITY: Final = {
    "public": "clear",
    "internal": "green",
    "confidential": "amber",
    "restricted": "red",
}
_PERSONAL: Final = frozenset({"PII", "PHI", "SPECIAL"})


def spdx(picture: Picture, rows: Sequence[Row], *, version: str) -> dict[str, Any]:
    """The bill of the ``rows`` of the inventory of a picture; ``version`` is that of this tool."""
    told = [row for row in rows if component_type(row) != "cryptographic-asset"]
    ids = {row.thing.id for row in told}
    sources = sources_of(made_in(picture, ids), ids)
    packages = [_package(row) for row in told]
    relations = [
        _relation(picture, made, of) for made, of in sorted(sources.items()) if of and made in ids
    ]
    time = datetime.fromisoformat(moment(picture, rows)).astimezone(UTC)
    graph: list[dict[str, Any]] = [
        {
            "type": "CreationInfo",
            "@id": _CREATION,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "createdBy": [_TOOL],
            "specVersion": "3.0.1",
        },
        _element("SoftwareAgent", _TOOL, f"cipherset {version}"),
        *packages,
        *relations,
    ]
    document = _element("SpdxDocument", serial({"graph": graph}), "AI bill of materials") | {
        "profileConformance": ["core"],
        "rootElement": [each["spdxId"] for each in packages] or [_TOOL],
    }
    return {"@context": CONTEXT, "@graph": [*graph, document]}


def _element(kind: str, spdx_id: str, name: str) -> dict[str, Any]:
    return {"type": kind, "spdxId": spdx_id, "creationInfo": _CREATION, "name": name}


def _id(asset: str) -> str:
    return f"urn:x-cipherset:{asset}"


def _package(row: Row) -> dict[str, Any]:
    kind = component_type(row)
    if kind == "machine-learning-model":
        return _model(row)
    if kind == "data":
        return _dataset(row)
    purpose = kind if kind in {"application", "framework", "library"} else "other"
    return _described(row, "software_Package") | {"software_primaryPurpose": purpose}


def _described(row: Row, kind: str) -> dict[str, Any]:
    found = _element(kind, _id(row.thing.id), row.what)
    found["comment"] = f"{row.review.status.value}; {row.origin.run or row.origin.told}"
    digest = file_digest(row)
    if digest is not None:
        found["verifiedUsing"] = [{"type": "Hash", "algorithm": "sha256", "hashValue": digest}]
    return found


def _model(row: Row) -> dict[str, Any]:
    card = model_card(row, ())
    parameters = card.get("modelParameters", {})
    figures = card.get("quantitativeAnalysis", {}).get("performanceMetrics", [])
    limits = card["considerations"].get("technicalLimitations", [])
    found = _described(row, "ai_AIPackage") | {"software_primaryPurpose": "model"}
    if row.thing.purpose:
        found["ai_informationAboutApplication"] = row.thing.purpose
    if row.origin.run:
        found["ai_informationAboutTraining"] = row.origin.run
    if limits:
        found["ai_limitation"] = "; ".join(limits)
    if figures:
        found["ai_metric"] = [
            {"type": "DictionaryEntry", "key": each["type"], "value": each["value"]}
            for each in figures
        ]
    if "architectureFamily" in parameters:
        found["ai_typeOfModel"] = [parameters["architectureFamily"]]
    return found


def _dataset(row: Row) -> dict[str, Any]:
    thing = row.thing
    found = _described(row, "dataset_DatasetPackage") | {"software_primaryPurpose": "data"}
    found["dataset_datasetType"] = [
        "numeric" if "cipherset_id" in thing.attributes else "noAssertion"
    ]
    if isinstance(thing.attributes.get("rows"), int):
        found["dataset_datasetSize"] = thing.attributes["rows"]
    if thing.purpose:
        found["dataset_intendedUse"] = thing.purpose
    if thing.label is not None:
        found["dataset_confidentialityLevel"] = _CONFIDENTIALITY[thing.label.level.value]
        if not _PERSONAL.isdisjoint(map(str, thing.label.tags)):
            found["dataset_hasSensitivePersonalInformation"] = "yes"
    return found


def _relation(picture: Picture, made: str, of: Sequence[str]) -> dict[str, Any]:
    """A model was trained on its sources; of datasets, the sources are the ancestors."""
    trained = picture.things[made].kind == "model"
    told = _element("Relationship", f"{_id(made)}:sources", "made of")
    return told | {
        "from": _id(made),
        "relationshipType": "trainedOn" if trained else "descendantOf",
        "to": [_id(each) for each in of],
    }
