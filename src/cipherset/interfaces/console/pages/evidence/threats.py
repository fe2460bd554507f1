"""Who could come to what, and what is known of each way."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from cipherset.app.sight.threats import threats
from cipherset.custody.policy import Action
from cipherset.evidence.views.threats.path import State
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

PATH: Final = "/console/threats"
ENTRY: Final = Entry(PATH, "Threats", 20)
_ROWS: Final = 50
_Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


class Asked(BaseModel):
    """Which paths; what is empty is any."""

    state: _Word = ""
    attacker: _Word = ""
    open: _Word = ""
    page: Annotated[int, Field(ge=1, lt=2**31)] = 1

    def has(self, path: dict[str, Any]) -> bool:
        """Whether a path is asked for."""
        of_state = self.state in {"", path["state"]}
        return (
            of_state and self.attacker in {"", path["attacker"]} and path["open"] >= bool(self.open)
        )

    def address(self, page: int) -> str:
        """The same on another page."""
        told = self.model_dump(exclude={"page"}, exclude_defaults=True)
        return f"{PATH}?{urlencode({**told, 'page': page})}"


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _threats(view, asked)

    return routes


def _threats(view: View, asked: Asked) -> HTMLResponse:
    found = threats(view.session).as_json()
    some = [path for path in found["paths"] if asked.has(path)]
    wanted = sorted(some, key=lambda path: not path["open"])
    start = (asked.page - 1) * _ROWS
    values = {
        "asked": asked,
        "paths": wanted[start : start + _ROWS],
        "wanted": len(wanted),
        "total": len(found["paths"]),
        "n_open": found["open"],
        "states": list(State),
        "attackers": sorted({path["attacker"] for path in found["paths"]}),
        "newer": asked.address(asked.page - 1) if asked.page > 1 else None,
        "older": asked.address(asked.page + 1) if start + _ROWS < len(wanted) else None,
    }
    return view.page("threats.html.j2", "Threats", values)
