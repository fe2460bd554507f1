"""What a thief can get, by the latest finding about each export: alone, and with what else is out.

What was not measured is said to be so, and is no comfort.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cipherset.app import state
from cipherset.app.assess.finding import FINDING, Finding, read_finding, suite_digest
from cipherset.app.gate import Action
from cipherset.app.workspace import Workspace
from cipherset.core.errors import CiphersetError
from cipherset.custody.ledger import Event, Outcome
from cipherset.custody.policy import Kind
from cipherset.evidence.attack import Knowledge, Metric

_METRICS: Final = (
    Metric.REID_RANK1,
    Metric.TOKEN_F1,
    Metric.ENTITY_RECALL,
    Metric.ATTRIBUTE_ADVANTAGE,
    Metric.TPR_AT_FPR_001,
    Metric.RECOVERED,
)

# What is out, beside the stolen artifact, and the attackers who then have all they need.
ALONE: Final = "the cipherset alone"
WITH_PAIRS: Final = "the cipherset and known pairs of record and row"
WITH_KEY: Final = "the cipherset and its key"
WITH_MODEL: Final = "the cipherset and a model trained on it"
ANSWERS: Final = "answers of a model trained on it"
_KNOWLEDGE: Final = {
    ALONE: {Knowledge.CIPHERTEXTS, Knowledge.PUBLIC_TEXT},
    WITH_PAIRS: {Knowledge.KNOWN_PAIRS},
    WITH_KEY: {Knowledge.STOLEN_KEY},
    WITH_MODEL: {Knowledge.STOLEN_MODEL},
    ANSWERS: {Knowledge.MODEL_QUERIES},
}
_OF: Final = {
    Kind.KEY: (WITH_KEY,),
    Kind.MODEL: (WITH_MODEL, ANSWERS),
    Kind.SERVICE: (ANSWERS,),
    Kind.DATASET: (ALONE, WITH_PAIRS, WITH_KEY, WITH_MODEL),
}


@dataclass(frozen=True, slots=True)
class Gain:
    """The most that an attack got from one export with ``having`` in hand; None: not measured.

    ``value`` is the metric's, from chance ``chance`` on, ``high`` its upper end. ``is_stale``: the
    attacks are newer than the measurement.
    """

    cipherset_id: str
    having: str
    attack: str | None
    metric: str | None
    value: float | None
    high: float | None
    chance: float | None
    is_stale: bool

    def as_json(self) -> dict[str, Any]:
        """Part of the command's JSON."""
        return {
            "cipherset_id": self.cipherset_id,
            "having": self.having,
            "measured": self.value is not None,
            "attack": self.attack,
            "metric": self.metric,
            "value": self.value,
            "high": self.high,
            "chance": self.chance,
            "stale": self.is_stale,
        }


def gains(workspace: Workspace, kind: Kind, exports: Iterable[state.ExportState]) -> list[Gain]:
    """For each export and each thing that may be out with it, the worst of each metric."""
    events = list(workspace.gate.ledger.events())
    return [
        gain
        for export in exports
        for having in _OF.get(kind, ())
        for gain in _worst(workspace, events, export.meta, having)
    ]


def _worst(
    workspace: Workspace, events: list[Event], meta: state.Meta, having: str
) -> Iterator[Gain]:
    finding, is_stale = _latest(workspace, events, meta)
    attacks = () if finding is None else finding.attacks
    lines = [line for line in attacks if line["knowledge"] in _KNOWLEDGE[having]]
    if not lines:
        yield _at_export(events, meta) if having == WITH_KEY else _unmeasured(meta, having)
    for metric in _METRICS:
        of_metric = [line for line in lines if line["metric"] == metric]
        if of_metric:
            worst = max(of_metric, key=lambda line: line["ci"][1])
            yield Gain(
                meta.cipherset_id,
                having,
                worst["name"],
                metric,
                worst["value"],
                worst["ci"][1],
                worst["chance"],
                is_stale,
            )


def _unmeasured(meta: state.Meta, having: str) -> Gain:
    return Gain(meta.cipherset_id, having, None, None, None, None, None, is_stale=True)


def _latest(
    workspace: Workspace, events: list[Event], meta: state.Meta
) -> tuple[Finding | None, bool]:
    """The last finding about the export, and whether newer attacks might find more."""
    for event in reversed(events):
        if event.action != Action.ASSESS or event.outcome != Outcome.DONE:
            continue
        body = json.loads(event.body)
        if body.get("manifest") == meta.manifest_digest:
            path = workspace.home / "findings" / body["finding"] / FINDING
            try:
                found = read_finding(path, signer=workspace.fingerprint)
            except CiphersetError:  # it is not there any more: not measured
                return None, True
            return found, body.get("suite") != suite_digest()
    return None, True


def _at_export(events: list[Event], meta: state.Meta) -> Gain:
    """What was measured as it left, file, key and minimizer stolen: beyond the clear columns."""
    for event in reversed(events):
        if event.action != Action.PROTECT or event.outcome != Outcome.DONE:
            continue
        body = json.loads(event.body)
        if body.get("cipherset") == meta.cipherset_id:
            found, high = body["reid"], body["reid_high"]
            what = ("measured as it was exported", "reid beyond the clear columns")
            return Gain(meta.cipherset_id, WITH_KEY, *what, found, high, 0.0, is_stale=True)
    return _unmeasured(meta, WITH_KEY)
