"""How much is given away of keys, models and datasets, of what may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cipherset.app.sight.risk.exposure import view_exposure
from cipherset.custody.policy import Action
from cipherset.evidence.views.exposure.budgets import EPSILON, MICRO_EPSILON, Use, scope_of
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Viewing, shows
from cipherset.interfaces.console.words import count

PATH: Final = "/console/exposure"
ENTRY: Final = Entry(PATH, "Exposure", 30)
# Shown of those who may read both sides; the rest is counted.
MOST_NAMES: Final = 6


@dataclass(frozen=True, slots=True)
class Gauge:
    """A budget to be drawn: the share that is used, 0 to 1; None where nothing binds."""

    share: float | None
    says: str
    because: str


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing) -> HTMLResponse:
        found = view_exposure(view.session)
        keys = [
            (scope_of(each.key.key_id, each.key.version), each, _gauge(each.noisy))
            for each in found.keys
        ]
        values = {
            "keys": keys,
            "free": [_gauge(each.noise_free) for each in found.keys],
            "assets": [
                (each, kind, _gauge(use, kind))
                for each in (*found.models, *found.datasets)
                for kind, use in each.uses.items()
            ],
            "rows": found.rows,
            "alone": found.alone,
            "most_names": MOST_NAMES,
        }
        return view.page("exposure.html.j2", "Exposure", values)

    return routes


def _gauge(use: Use, kind: str = "") -> Gauge:
    units: Mapping[str, int] = {EPSILON: MICRO_EPSILON}
    unit = units.get(kind, 1)
    used = count(use.used) if unit == 1 else f"{use.used / unit:.2f}"
    if use.cap is None:
        return Gauge(None, used, use.because)
    cap = count(use.cap) if unit == 1 else f"{use.cap / unit:.2f}"
    share = min(use.used / use.cap, 1.0) if use.cap else float(use.used > 0)
    return Gauge(share, f"{used} of {cap}", use.because)
