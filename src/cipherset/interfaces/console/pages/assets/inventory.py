"""The inventory: every AI asset, ours and found, how it was reviewed; and what people tell of."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from cipherset.app.discovery.answers import answer_from, register
from cipherset.app.discovery.review import ask_for_review
from cipherset.app.sight.inventory import see_inventory_whole
from cipherset.custody.policy import Action
from cipherset.evidence.views.inventory.rows import Wanted
from cipherset.evidence.views.inventory.status import Review, counted
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Posted, View, Viewing, shows

PATH: Final = "/console/inventory"
ENTRY: Final = Entry(PATH, "AI inventory", 40)
TONES: Final = {
    Review.UNREVIEWED: "warn",
    Review.IN_REVIEW: "warn",
    Review.APPROVED: "good",
    Review.UNAPPROVED: "bad",
}
_ROWS: Final = 50
_Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


class Asked(BaseModel):
    """Which rows; what is empty is any."""

    search: _Word = ""
    kind: _Word = ""
    status: Annotated[Review | None, BeforeValidator(lambda text: text or None)] = None
    page: Annotated[int, Field(ge=1, lt=2**31)] = 1

    def address(self, page: int) -> str:
        """The same on another page."""
        told = self.model_dump(mode="json", exclude={"page"}, exclude_defaults=True)
        return f"{PATH}?{urlencode({**told, 'page': page})}"


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.VIEW))
    def several(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _several(view, asked)

    @routes.post(f"{PATH}/register", **shows(Action.DISCOVER))
    def tell(view: Posted) -> RedirectResponse:
        found = register(view.session, answer_from(view.fields))
        return RedirectResponse(f"{PATH}?{urlencode({'search': found.id})}", 303)

    @routes.post(f"{PATH}/{{asset_id}}/review", **shows(Action.GRANT_REQUEST))
    def review(view: Posted, asset_id: str) -> RedirectResponse:
        approver = view.fields.get("approver", "").strip() or None
        what = view.fields.get("note", "").strip()
        ask_for_review(view.session, asset_id, what, approver=approver)
        return RedirectResponse(f"{PATH}?{urlencode({'search': asset_id})}", 303)

    return routes


def _several(view: View, asked: Asked) -> HTMLResponse:
    every, n_not_read = see_inventory_whole(view.session)
    wanted = Wanted(asked.kind or None, asked.status, asked.search or None)
    found = [row for row in reversed(every) if wanted.takes(row)]
    first = (asked.page - 1) * _ROWS
    values = {
        "asked": asked,
        "rows": [(row, row.as_json()) for row in found[first : first + _ROWS]],
        "n_found": len(found),
        "total": len(every),
        "n_not_read": n_not_read,
        "counts": counted(row.review for row in every),
        "kinds": sorted({row.kind for row in every}),
        "statuses": list(Review),
        "newer": asked.address(asked.page - 1) if asked.page > 1 else None,
        "older": asked.address(asked.page + 1) if first + _ROWS < len(found) else None,
        "tones": TONES,
    }
    return view.page("inventory.html.j2", "AI inventory", values)
