"""The model card of a model, as CycloneDX 1.6 has it: what was recorded and measured, no more.

Source: CycloneDX 1.6, ``component.modelCard``, https://cyclonedx.org/docs/1.6/json/.
"""

from collections.abc import Mapping
from typing import Any, Final

from cipherset.evidence.views.inventory.rows import Row
from cipherset.evidence.views.picture import Finding

NOT_MEASURED: Final = "what can be read out of its training rows was not measured"


def model_card(row: Row, trained_on: tuple[str, ...]) -> dict[str, Any]:
    """The card of one model; ``trained_on`` are the references of the datasets it learned from."""
    facts = row.thing.attributes
    card = {
        "modelParameters": _parameters(facts, trained_on),
        "quantitativeAnalysis": _figures(facts.get("metrics"), row.measured),
        "considerations": _considerations(row),
    }
    return {name: told for name, told in card.items() if told}


def _parameters(facts: Mapping[str, Any], trained_on: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "task" in facts:
        found["approach"] = {"type": "supervised"}
        found["task"] = str(facts["task"])
    if "model" in facts:
        found["architectureFamily"] = str(facts["model"])
    if trained_on:
        found["datasets"] = [{"ref": each} for each in trained_on]
    if "dim" in facts:
        found["inputs"] = [{"format": f"float32 vector of {facts['dim']}, encrypted"}]
        found["outputs"] = [{"format": "label"}]
    return found


def _figures(metrics: object, measured: Finding | None) -> dict[str, Any]:
    """What was measured where it was trained, and by the latest attack."""
    told = metrics if isinstance(metrics, Mapping) else {}
    found = [
        {"type": str(name), "value": _number(value), "slice": "as its bundle says"}
        for name, value in sorted(told.items())
    ]
    if measured is not None and measured.facts.get("reid") is not None:
        of = f"{measured.action} of {measured.about}, event {measured.seq}"
        found.append({"type": "reid", "value": _number(measured.facts["reid"]), "slice": of})
    return {"performanceMetrics": found} if found else {}


def _number(value: float) -> str:
    return f"{value:.6g}"


def _considerations(row: Row) -> dict[str, Any]:
    thing = row.thing
    found: dict[str, Any] = {}
    if thing.purpose:
        found["useCases"] = [thing.purpose]
    limits = [f"answers only where key {row.key} is"] if row.key else []
    if thing.is_stale:
        limits.append("to be made again: rows that it was made of were forgotten")
    if limits:
        found["technicalLimitations"] = limits
    found["ethicalConsiderations"] = [_risk(row)]
    return found


def _risk(row: Row) -> dict[str, str]:
    """What is known of whether its rows can be read out of it."""
    measured = row.measured
    if measured is None:
        return {"name": NOT_MEASURED}
    fresh = "" if measured.is_fresh else ", by an older suite"
    verdict = f"{measured.action}: {measured.facts.get('verdict') or 'no verdict'}{fresh}"
    limit = measured.facts.get("limit")
    within = "" if limit is None else f" (limit {_number(limit)})"
    return {"name": "rows read out of what it learned from", "mitigationStrategy": verdict + within}
