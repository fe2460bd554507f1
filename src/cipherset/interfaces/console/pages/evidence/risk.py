"""What is most at risk, why, and what would lower it; and what a grant or a role would change."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from cipherset.app.sight.risk.run import Supposing, suppose, view_risk
from cipherset.core.errors import CiphersetError, UsageError
from cipherset.custody.policy import Action, Role
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import View, Viewing, shows

PATH: Final = "/console/risk"
ENTRY: Final = Entry(PATH, "Risk", 10)
_TOP: Final = 10
_Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=256)]


class Asked(BaseModel):
    """How many are shown, and what is supposed; what is empty is not."""

    top: Annotated[int, Field(ge=1, le=200)] = _TOP
    who: _Word = ""
    action: _Word = ""
    asset: _Word = ""
    role: _Word = ""

    def supposing(self) -> Supposing | None:
        """What is supposed; None where nothing is.

        Raises:
            UsageError: ``risk_supposing``.
        """
        if not self.who:
            return None
        if self.role in set(Role) and not self.action:
            return Supposing(self.who, role=Role(self.role))
        if self.action in set(Action) and self.asset and not self.role:
            return Supposing(self.who, action=Action(self.action), asset=self.asset)
        raise UsageError(
            "what is supposed is not clear",
            code="risk_supposing",
            hint="give a principal, and either a role or an action and an asset",
        )


def router() -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def show(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _risk(view, asked)

    return routes


def _risk(view: View, asked: Asked) -> HTMLResponse:
    found = view_risk(view.session).as_json(asked.top)
    supposed, wrong = None, None
    try:
        what = asked.supposing()
        supposed = None if what is None else suppose(view.session, what).as_json()
    except UsageError as error:
        wrong = _said(error)
    values = {
        "asked": asked,
        "assets": found["assets"],
        "total": found["total"],
        "supposed": supposed,
        "wrong": wrong,
        "actions": sorted(Action),
        "roles": sorted(Role),
        "more": f"{PATH}?top=50" if found["total"] > asked.top == _TOP else None,
    }
    return view.page("risk.html.j2", "Risk", values)


def _said(error: CiphersetError) -> str:
    return f"{error.message}: {error.hint}"
