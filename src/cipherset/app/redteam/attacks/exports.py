"""Exports: the suite of ``assess``, or of it what takes seconds.

The whole suite is an assessment: signed as one, and known to the gate. Of several figures of one
attack, such as by the number of known pairs, the worst is the line.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cipherset.app.assess.attacks import pairs, stolen, surface, unpaired
from cipherset.app.assess.attacks.controls import controls
from cipherset.app.assess.request import AssessRequest
from cipherset.app.assess.run import Opened, assess, open_case
from cipherset.app.gateway import open_gateway
from cipherset.app.redteam.attack import Attack, Ground
from cipherset.app.redteam.line import EXCESS, Line
from cipherset.app.redteam.targets import Target, What
from cipherset.core.errors import InputError, PolicyError
from cipherset.custody.keys import KeyUse
from cipherset.evidence.attack import Metric
from cipherset.pipeline.export import open_cipherset

QUICK_PAIRS: Final = 200
_QUICK: Final = (*surface.STEPS, *unpaired.STEPS, *pairs.STEPS, *stolen.STEPS)
# ``reid_excess`` says it beside the clear columns.
_SAID: Final = (Metric.REID_RANK1, Metric.REID_MRR)
Told = Mapping[str, Any]


def _suite(ground: Ground, target: Target) -> Iterator[Line]:
    told, limit = _quickly(ground, target) if ground.is_quick else _whole(ground, target)
    worst: dict[tuple[str, str], Line] = {}
    for each in told:
        if each["metric"] in _SAID:
            continue
        line = _line(ground, target, each, limit)
        known = worst.get((line.attack, line.metric))
        if known is None or line.value > known.value:
            worst[line.attack, line.metric] = line
    return iter(worst.values())


def _whole(ground: Ground, target: Target) -> tuple[Sequence[Told], float]:
    request = AssessRequest(
        target.place, ground.attackers.public, pairs=pairs.QUICK_PAIRS, seed=ground.seed
    )
    finding = assess(ground.session, request).finding
    _check([control["name"] for control in finding.controls if not control["holds"]])
    return finding.attacks, finding.limit


def _quickly(ground: Ground, target: Target) -> tuple[Sequence[Told], float]:
    """Without membership, words and attributes; signs no assessment, for it is none."""
    there = open_cipherset(target.place, signer=ground.workspace.fingerprint)
    manifest = there.manifest
    gateway = open_gateway(ground.workspace, manifest.cipherset_id, manifest, use=KeyUse.MEASURE)
    request = AssessRequest(
        target.place, ground.attackers.public, pairs=QUICK_PAIRS, seed=ground.seed
    )
    case = open_case(Opened(ground.session, ground.workspace, request, gateway, there))
    _check([control.name for control in controls(case) if not control.holds])
    told: list[Told] = []
    for step in _QUICK:
        if step.without(case) is None:
            try:
                told += [line.as_json() for line in step.run(case)]
            except InputError:  # too few rows for this one, as in an assessment
                continue
    return told, case.limit


def _check(missed: Sequence[str]) -> None:
    """Refuse to go by a suite that misses what was planted.

    Raises:
        PolicyError: ``redteam_control``.
    """
    if missed:
        raise PolicyError(
            f"the attacks did not find what was planted: {', '.join(missed)}",
            code="redteam_control",
            hint="a suite that misses a planted weakness says nothing by finding none; assess the "
            "export, and report what it says of its controls",
        )


def _line(ground: Ground, target: Target, told: Told, limit: float) -> Line:
    held = "excess" in told
    value = told["excess"] if held else told["value"]
    low, high = told["excess_ci"] if held else told["ci"]
    return Line(
        attack=f"{told['knowledge']} {told['name']}",
        against=target.about.id,
        name=target.name,
        metric=EXCESS if held else str(told["metric"]),
        value=float(value),
        ci=(min(float(low), value), max(float(high), value)),
        n=int(told["n"]),
        chance=0.0 if held else float(told["chance"]),
        limit=limit if held else None,
        given=str(told["given"]),
        bound=ground.bound(target),
    )


ATTACKS: Final = (
    Attack(
        "reidentify",
        What.EXPORT,
        "zero-pair, known-pair, oracle and stolen-key attacks; all of assess unless --quick",
        _suite,
    ),
)
