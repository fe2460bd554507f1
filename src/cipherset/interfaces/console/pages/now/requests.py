"""Requests for grants: which wait, what one binds, who may vote; and the vote, with its reason."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from cipherset.app.sight.desk.requests import list_requests, say, show_request
from cipherset.custody.policy import Action, State, VoteKind
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Posted, View, Viewing, shows

PATH: Final = "/console/requests"
ENTRY: Final = Entry(PATH, "Requests", 10)
TONES: Final = {
    State.PENDING: "warn",
    State.SCHEDULED: "good",
    State.LIVE: "good",
    State.DENIED: "bad",
    State.REVOKED: "bad",
    State.VOID: "bad",
}
_ROWS: Final = 50


class Asked(BaseModel):
    """Which requests, by where they stand."""

    state: State | None = None
    page: Annotated[int, Field(ge=1, lt=2**31)] = 1

    def address(self, page: int) -> str:
        """The same on another page."""
        told = {} if self.state is None else {"state": self.state.value}
        return f"{PATH}?{urlencode({**told, 'page': page})}"


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def several(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _several(view, asked)

    @routes.get(f"{PATH}/{{grant_id}}", **shows(Action.VIEW))
    def one(view: Viewing, grant_id: str) -> HTMLResponse:
        found = show_request(view.session, grant_id)
        values = {"found": found, "asked": found.grant.request, "tones": TONES}
        return view.page("request.html.j2", f"{found.grant.request.action} requested", values)

    @routes.post(f"{PATH}/{{grant_id}}/approve", **shows(Action.GRANT_APPROVE))
    def approve(view: Posted, grant_id: str) -> RedirectResponse:
        return _say(view, grant_id, VoteKind.APPROVE)

    @routes.post(f"{PATH}/{{grant_id}}/deny", **shows(Action.GRANT_DENY))
    def deny(view: Posted, grant_id: str) -> RedirectResponse:
        return _say(view, grant_id, VoteKind.DENY)

    @routes.post(f"{PATH}/{{grant_id}}/revoke", **shows(Action.GRANT_REVOKE))
    def revoke(view: Posted, grant_id: str) -> RedirectResponse:
        return _say(view, grant_id, VoteKind.REVOKE)

    return routes


def _several(view: View, asked: Asked) -> HTMLResponse:
    every = list_requests(view.session)
    found = [each for each in every if asked.state in {None, each.status.state}]
    first = (asked.page - 1) * _ROWS
    values = {
        "asked": asked,
        "found": found[first : first + _ROWS],
        "n_found": len(found),
        "counts": [(state, sum(e.status.state is state for e in every)) for state in State],
        "total": len(every),
        "newer": asked.address(asked.page - 1) if asked.page > 1 else None,
        "older": asked.address(asked.page + 1) if first + _ROWS < len(found) else None,
        "tones": TONES,
    }
    return view.page("requests.html.j2", "Requests", values)


def _say(view: View, grant_id: str, kind: VoteKind) -> RedirectResponse:
    found = say(view.session, grant_id, kind, view.fields.get("reason", ""))
    return RedirectResponse(f"{PATH}/{found.request.id}", 303)
