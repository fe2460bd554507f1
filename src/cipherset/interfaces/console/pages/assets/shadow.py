"""Shadow AI: services that logs showed, by those who used them, with how much went out."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cipherset.app.sight.desk.shadow import see_shadow
from cipherset.custody.policy import Action
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.pages.assets.inventory import TONES
from cipherset.interfaces.console.view import Viewing, shows

PATH: Final = "/console/shadow"
ENTRY: Final = Entry(PATH, "Shadow AI", 50)
# Columns of a table that people can still read; the others are in the totals.
_NAMED: Final = 12


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing) -> HTMLResponse:
        found = see_shadow(view.session)
        values = {
            "found": found,
            "named": found.principals[:_NAMED],
            "others": len(found.principals[_NAMED:]),
            "tones": TONES,
        }
        return view.page("shadow.html.j2", "Shadow AI", values)

    return routes
