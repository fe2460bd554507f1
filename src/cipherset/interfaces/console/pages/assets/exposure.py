"""How much is given away under each key, of what may be."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cipherset.app.sight.desk.exports import list_gauges
from cipherset.custody.policy import Action
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Viewing, shows

PATH: Final = "/console/exposure"
ENTRY: Final = Entry(PATH, "Exposure of keys", 30)


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing) -> HTMLResponse:
        found = list_gauges(view.session)
        return view.page("exposure.html.j2", "Exposure of keys", {"gauges": found})

    return routes
