"""Policies explained: why was I refused, and what if somebody did something."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from cipherset.app.sight.desk.policies import Question, explore
from cipherset.custody.policy import Action
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

PATH: Final = "/console/policies"
ENTRY: Final = Entry(PATH, "Policies", 10)
_Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class Asked(BaseModel):
    """A refused event, or what if: without an action nothing is asked."""

    event: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    principal: _Word = ""
    action: Action | None = None
    asset: _Word = ""
    purpose: _Word = ""


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _show(view, asked)

    return routes


def _show(view: View, asked: Asked) -> HTMLResponse:
    who = asked.principal or view.session.actor
    question = None
    if asked.action is not None:
        question = Question(who, asked.action, asked.asset, asked.purpose)
    values = {
        "asked": asked,
        "principal": who,
        "found": explore(view.session, question, asked.event),
        "actions": sorted(Action),
    }
    return view.page("policies.html.j2", "Policies", values)
