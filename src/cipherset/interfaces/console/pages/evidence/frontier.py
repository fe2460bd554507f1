"""What exports would be worth, and would give away: a calibration as a plot to pick from."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from cipherset.app.calibration.kept import list_calibrations, read_calibration
from cipherset.custody.policy import Action
from cipherset.interfaces.console import plotted
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Viewing, shows

PATH: Final = "/console/frontier"
ENTRY: Final = Entry(PATH, "Calibration", 40)


class Asked(BaseModel):
    """Which point is picked."""

    point: Annotated[int, Field(ge=0, lt=10_000)] | None = None


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def several(view: Viewing) -> HTMLResponse:
        found = list_calibrations(view.session)
        return view.page("frontiers.html.j2", "Calibration", {"found": found})

    @routes.get(f"{PATH}/{{calibration}}", **shows(Action.VIEW))
    def one(view: Viewing, calibration: str, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        known, figures = read_calibration(view.session, calibration)
        return view.page(
            "frontier.html.j2",
            "Calibration",
            _shown(known.source, figures, asked) | {"known": known},
        )

    return routes


def _shown(source: str, figures: dict[str, Any], asked: Asked) -> dict[str, Any]:
    plot = plotted.plotted(figures)
    at = asked.point if asked.point is not None else _recommended(figures)
    picked = plot.marks[at] if at is not None and at < len(plot.marks) else None
    is_offered = picked is not None and picked.point["offered"]
    return {
        "figures": figures,
        "plot": plot,
        "size": (plotted.WIDTH, plotted.HEIGHT),
        "edges": (
            plotted.LEFT,
            plotted.TOP,
            plotted.WIDTH - plotted.RIGHT,
            plotted.HEIGHT - plotted.BOTTOM,
        ),
        "picked": picked,
        "recommended": _recommended(figures),
        "command": plotted.command(picked.point, source, figures["text"])
        if picked and is_offered
        else None,
    }


def _recommended(figures: dict[str, Any]) -> int | None:
    """The number of the point that is recommended."""
    best = figures["recommended"]
    return None if best is None else figures["frontier"].index(best)
