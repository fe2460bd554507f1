"""What needs attention now."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cipherset.app.serving import grants
from cipherset.custody.policy import Action
from cipherset.interfaces.console.frame import HOME
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Viewing, shows

ENTRY: Final = Entry(HOME, "Overview", 0)


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(HOME, **shows(Action.VIEW))
    def overview(view: Viewing) -> HTMLResponse:
        found = grants.list_grants(view.session)
        return view.page("overview.html.j2", "Overview", {"grants": found})

    return routes
