"""What an asset was made of, and what was made of it: drawn, and as a list."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from cipherset.app.sight.desk.assets import list_assets
from cipherset.app.sight.lineage.view import lineage_graph
from cipherset.custody.policy import Action
from cipherset.evidence.views.desk.listing import Sought
from cipherset.interfaces.console import layered
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

PATH: Final = "/console/lineage"
ENTRY: Final = Entry(PATH, "Lineage", 20)
_NEWEST: Final = 20
_DIGEST: Final = "sha256:"


class Asked(BaseModel):
    """Around which asset, by its id, and how many runs up and down."""

    asset: Annotated[str, StringConstraints(strip_whitespace=True, max_length=256)] = ""
    depth: Annotated[int, Field(ge=1, le=8)] = 3


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _around(view, asked) if asked.asset else _choice(view, asked)

    return routes


def _choice(view: View, asked: Asked) -> HTMLResponse:
    """Which asset it is to be of."""
    found = list_assets(view.session, Sought(), page=1, most=_NEWEST)
    return view.page("lineage.html.j2", "Lineage", {"asked": asked, "choice": found.things})


def _around(view: View, asked: Asked) -> HTMLResponse:
    graph = lineage_graph(view.session, asked.asset, depth=asked.depth)
    names = {node["id"]: f"{node['kind']} {node['name']}" for node in graph["nodes"]}
    values = {
        "asked": asked,
        "choice": None,
        "center": names.get(graph["center"], asked.asset),
        "center_id": graph["center"],
        "drawing": layered.drawn(graph),
        "box": (layered.WIDTH, layered.HEIGHT),
        "steps": [_step(edge, names) for edge in graph["edges"]],
        "nodes": [{**node, "is_asset": _DIGEST in node["id"]} for node in graph["nodes"]],
    }
    return view.page("lineage.html.j2", "Lineage", values)


def _step(edge: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {**edge, "source": names.get(edge["from"], ""), "target": names.get(edge["to"], "")}
