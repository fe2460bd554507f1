"""What the red team got, run by run, and how each value went."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cipherset.app.redteam.accepted import history
from cipherset.custody.policy import Action
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Viewing, shows

PATH: Final = "/console/red-team"
ENTRY: Final = Entry(PATH, "Red team", 30)
_RUNS: Final = 20
_POINTS: Final = 30


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing) -> HTMLResponse:
        found = history(view.session)
        values = {
            "runs": list(reversed(found["runs"]))[:_RUNS],
            "total": len(found["runs"]),
            "baseline": found["baseline"],
            "trend": {name: points[-_POINTS:] for name, points in sorted(found["trend"].items())},
        }
        return view.page("redteam.html.j2", "Red team", values)

    return routes
