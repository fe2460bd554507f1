"""Assets as components and services of CycloneDX 1.6: models, data, keys, software, endpoints.

No value of a key, a row or a file is in it: names, digests, labels and places.
"""

import re
from typing import Any, Final

from cipherset.evidence.views.inventory.card import model_card
from cipherset.evidence.views.inventory.rows import Row
from cipherset.evidence.views.picture import Key

# What was found, by what it was seen as; else by what the ledger holds it for.
_SOFTWARE: Final = {
    "sdk": "library",
    "library": "library",
    "agent": "framework",
    "mcp": "application",
    "server": "application",
}
_STATES: Final = {"active": "active", "retired": "deactivated", "destroyed": "destroyed"}
_PLAIN_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_ADDRESS: Final = re.compile(r"https?://[\x21-\x7e]+")
_SECRET_BITS: Final = 256


def is_service(row: Row) -> bool:
    """Whether it is reached, and not held: an endpoint, or what people say they use."""
    found = row.thing.attributes.get("seen_as")
    return row.thing.kind == "service" and found not in {*_SOFTWARE, "key"}


def service(row: Row) -> dict[str, Any]:
    """A service; beyond the boundary of trust, for it is another's."""
    told, answer = row.thing.attributes, row.seen.answer
    urls = [told.get("url"), *answer.get("endpoints", ())]
    found: dict[str, Any] = {"bom-ref": row.thing.id, "name": row.what}
    if answer.get("vendor"):
        found["provider"] = {"name": str(answer["vendor"])}
    if row.thing.purpose or answer.get("purpose"):
        found["description"] = str(row.thing.purpose or answer["purpose"])
    endpoints = sorted({str(url) for url in urls if url and _ADDRESS.fullmatch(str(url))})
    if endpoints:
        found["endpoints"] = endpoints
    found["x-trust-boundary"] = True
    if answer.get("data"):
        found["data"] = [
            {"flow": "outbound", "classification": str(each)} for each in answer["data"]
        ]
    return {**found, "properties": _properties(row)}


def component(row: Row, trained_on: tuple[str, ...], held: Key | None) -> dict[str, Any]:
    """A component; ``trained_on`` are what a model learned from, ``held`` is a key of ours."""
    thing = row.thing
    found: dict[str, Any] = {"type": component_type(row), "bom-ref": thing.id, "name": row.what}
    digest = file_digest(row)
    if digest is not None:
        found["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if found["type"] == "machine-learning-model":
        found["modelCard"] = model_card(row, trained_on)
    elif found["type"] == "data":
        found["data"] = [_data(row)]
    elif found["type"] == "cryptographic-asset":
        found["cryptoProperties"] = _crypto(held)
    return {**found, "properties": _properties(row)}


def component_type(row: Row) -> str:
    """What a row is in the words of CycloneDX; ``service`` for one that is no component."""
    if is_service(row):
        return "service"
    found = str(row.thing.attributes.get("seen_as"))
    if found == "key" or row.thing.kind == "key":
        return "cryptographic-asset"
    if row.thing.kind == "model":
        return "machine-learning-model"
    return _SOFTWARE.get(found, "data")


def file_digest(row: Row) -> str | None:
    """The SHA-256 of the file itself, in hex: an id of the ledger may be that of a description."""
    told = row.thing.attributes
    digest = told.get("onnx") or (row.thing.id if told.get("seen_as") == "model_file" else "")
    found = _PLAIN_DIGEST.fullmatch(str(digest))
    return None if found is None else found.group(1)


def _data(row: Row) -> dict[str, Any]:
    thing = row.thing
    is_prompt = thing.attributes.get("seen_as") == "prompt"
    found: dict[str, Any] = {"type": "definition" if is_prompt else "dataset", "name": row.what}
    if thing.label is not None:
        found["classification"] = thing.label.level.value
        if thing.label.tags:
            found["sensitiveData"] = [str(tag) for tag in thing.label.tags]
    if thing.purpose:
        found["description"] = f"collected for {thing.purpose}"
    owner = thing.owner or row.seen.answer.get("owner")
    if owner:
        found["governance"] = {"owners": [{"contact": {"name": str(owner)}}]}
    return found


def _crypto(held: Key | None) -> dict[str, Any]:
    if held is None:  # somebody else's, of which only the place is known
        return _material({"type": "credential"})
    return _material(
        {
            "type": "secret-key",
            "id": f"{held.key_id} v{held.version}",
            "state": _STATES.get(held.status, "active"),
            "creationDate": held.created,
            "size": _SECRET_BITS,
        }
    )


def _material(told: dict[str, Any]) -> dict[str, Any]:
    return {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": told}


def _properties(row: Row) -> list[dict[str, str]]:
    """What CycloneDX has no field for."""
    told = [
        ("status", row.review.status.value),
        ("origin", row.origin.run or row.origin.told),
        ("claimed", "by its bundle" if row.origin.is_claimed else ""),
        ("sources", ", ".join(row.sources)),
        ("key", row.key),
        ("deployed", ", ".join(row.deployed)),
        ("seen_as", row.thing.attributes.get("seen_as")),
        *(("where", place) for place in row.seen.where),
    ]
    return [{"name": f"cipherset:{name}", "value": str(value)} for name, value in told if value]
