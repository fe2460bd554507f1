"""Exports with their evidence: what attacks got, and whether that still holds."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from cipherset.app.sight.desk.exports import list_exports, read_report, show_export
from cipherset.custody.policy import Action
from cipherset.evidence.views.desk.exports import Evidence
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

PATH: Final = "/console/exports"
ENTRY: Final = Entry(PATH, "Exports", 20)
TONES: Final = {
    Evidence.WITHIN_LIMIT: "good",
    Evidence.NOT_PROTECTIVE: "bad",
    Evidence.INCONCLUSIVE: "warn",
    Evidence.STALE: "warn",
    Evidence.NONE: "bad",
}
# The page has its style and its pictures within; nothing in it runs, asks or leads anywhere.
_REPORT: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
}
_ROWS: Final = 50


class Asked(BaseModel):
    """Which exports, by their evidence."""

    evidence: Evidence | None = None
    page: Annotated[int, Field(ge=1, lt=2**31)] = 1

    def address(self, page: int) -> str:
        """The same on another page."""
        told = {} if self.evidence is None else {"evidence": self.evidence.value}
        return f"{PATH}?{urlencode({**told, 'page': page})}"


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def several(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _several(view, asked)

    @routes.get(f"{PATH}/{{asset_id}}", **shows(Action.VIEW))
    def one(view: Viewing, asset_id: str) -> HTMLResponse:
        found = show_export(view.session, asset_id)
        values = {"found": found, "export": found.export, "tones": TONES}
        return view.page("export.html.j2", found.export.thing.name, values)

    @routes.get(f"{PATH}/{{asset_id}}/report", **shows(Action.VIEW))
    def report(view: Viewing, asset_id: str) -> Response:
        page = read_report(view.session, asset_id)
        return Response(page, media_type="text/html; charset=utf-8", headers=_REPORT)

    return routes


def _several(view: View, asked: Asked) -> HTMLResponse:
    every = list_exports(view.session)
    found = [each for each in every if asked.evidence in {None, each.evidence}]
    first = (asked.page - 1) * _ROWS
    values = {
        "asked": asked,
        "found": found[first : first + _ROWS],
        "n_found": len(found),
        "counts": [(kind, sum(e.evidence is kind for e in every)) for kind in Evidence],
        "total": len(every),
        "newer": asked.address(asked.page - 1) if asked.page > 1 else None,
        "older": asked.address(asked.page + 1) if first + _ROWS < len(found) else None,
        "tones": TONES,
    }
    return view.page("exports.html.j2", "Exports", values)
