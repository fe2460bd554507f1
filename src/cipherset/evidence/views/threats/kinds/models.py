"""Paths to models: who asks them, who takes them, who made them, who is in between."""

from collections.abc import Iterator

from cipherset.evidence.views.picture import Thing
from cipherset.evidence.views.threats.attackers import (
    BROUGHT,
    EXTRACTION,
    INVERSION,
    MEMBERSHIP,
    MODEL_FILE,
    ON_PATH,
    Attacker,
)
from cipherset.evidence.views.threats.known import Known
from cipherset.evidence.views.threats.live import SEEN_AS, Live, stop
from cipherset.evidence.views.threats.path import Path, Stop

_NOT_SERVED = frozenset({"retired", "suspended"})


def models(live: Live, known: Known) -> Iterator[Path]:
    """To each model: its file; and where it is deployed, its answers and their way."""
    for model in live.models:
        if model.id not in live.made_here and SEEN_AS in model.attributes:
            yield Path(BROUGHT, stop(model), (stop(model),))  # what loads it is not our gateway
            continue
        yield _path(MODEL_FILE, model, (stop(model),), live, known)
        if model.id not in live.made_here:
            yield _path(BROUGHT, model, (stop(model),), live, known)
        names = live.deployed.get(model.id, ())
        if not names or model.standing in _NOT_SERVED:
            continue
        served = (*(Stop("deployment", name, name) for name in names), stop(model))
        for attacker in (MEMBERSHIP, INVERSION, EXTRACTION, ON_PATH):
            yield _path(attacker, model, served, live, known)


def _path(
    attacker: Attacker, model: Thing, steps: tuple[Stop, ...], live: Live, known: Known
) -> Path:
    """Measured on the model itself, or on the export that it learned from."""
    about = [model.id, *sorted(live.made_of.get(model.id, ()))]
    return Path(
        attacker,
        stop(model),
        steps,
        mitigations=known.against(attacker),
        **known.judged(attacker, about),
    )
