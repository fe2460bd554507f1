"""Datasets, models, keys and services, with their labels: a list to look through, and each one."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from cipherset.app.sight.desk.assets import list_assets, show_asset
from cipherset.custody.policy import Action, Kind, Standing
from cipherset.evidence.views.desk.exports import evidence_of
from cipherset.evidence.views.desk.listing import Sought, level_of, levels
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

PATH: Final = "/console/assets"
ENTRY: Final = Entry(PATH, "Assets and labels", 10)
_ROWS: Final = 50
_Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


class Asked(BaseModel):
    """Which assets; what is empty is any."""

    words: _Word = ""
    kind: _Word = ""
    level: _Word = ""
    standing: _Word = ""
    stale: _Word = ""
    page: Annotated[int, Field(ge=1, lt=2**31)] = 1

    def address(self, page: int) -> str:
        """The same on another page."""
        told = self.model_dump(exclude={"page"}, exclude_defaults=True)
        query = urlencode(told if page == 1 else {**told, "page": page})
        return f"{PATH}?{query}" if query else PATH


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def several(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _several(view, asked)

    @routes.get(f"{PATH}/{{asset_id}}", **shows(Action.VIEW))
    def one(view: Viewing, asset_id: str) -> HTMLResponse:
        found = show_asset(view.session, asset_id)
        findings = [(each, evidence_of(each)) for each in reversed(found.findings)]
        values = {"found": found, "level": level_of(found.thing), "findings": findings}
        return view.page("asset.html.j2", found.thing.name, values)

    return routes


def _several(view: View, asked: Asked) -> HTMLResponse:
    sought = Sought(asked.words, asked.kind, asked.level, asked.standing, bool(asked.stale))
    found = list_assets(view.session, sought, page=asked.page, most=_ROWS)
    values = {
        "asked": asked,
        "found": found,
        "rows": [(each, level_of(each)) for each in found.things],
        "newer": asked.address(found.page - 1) if found.page > 1 else None,
        "older": asked.address(found.page + 1) if found.page < found.pages else None,
        "kinds": [kind.value for kind in Kind if kind is not Kind.WORKSPACE],
        "levels": levels(),
        "standings": [standing.value for standing in Standing],
    }
    return view.page("assets.html.j2", "Assets and labels", values)
