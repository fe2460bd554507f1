"""What needs attention now."""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cipherset.app.sight.desk.overview import overview
from cipherset.custody.policy import Action
from cipherset.evidence.views.desk.attention import Matter, Topic
from cipherset.interfaces.console.frame import HOME
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

ENTRY: Final = Entry(HOME, "Overview", 0)
_TONES: Final = {"now": "bad", "soon": "warn", "to know": ""}
_FIXED: Final = {
    Topic.BUDGET: f"{HOME}/exposure",
    Topic.STALE: f"{HOME}/assets?stale=1",
    Topic.UNLABELED: f"{HOME}/assets?kind=dataset&level=unknown",
}
_REQUESTS: Final = f"{HOME}/requests"


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(HOME, **shows(Action.VIEW))
    def show(view: Viewing) -> HTMLResponse:
        found = overview(view.session)
        values = {
            "figures": found.figures,
            "matters": [(each, _TONES[each.urgency], _place(view, each)) for each in found.matters],
            "audits": found.audits,
            "verified": found.verified,
        }
        return view.page("overview.html.j2", "Overview", values)

    return routes


def _place(view: View, matter: Matter) -> str | None:
    """Where to go on; None where no page has more of it."""
    topic, about = matter.topic, matter.about
    if topic is Topic.ASSET:
        return f"{HOME}/assets/{about}"
    if topic is Topic.EXPORTS:
        return f"{HOME}/exports?{urlencode({'evidence': about})}"
    if topic is Topic.GRANT:
        return f"{_REQUESTS}/{about}" if view.frame.has(_REQUESTS) else None
    if topic is Topic.EVENT:
        return f"{HOME}/audit?before={int(about) + 1}" if about else f"{HOME}/audit"
    return _FIXED[topic]
