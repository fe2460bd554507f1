"""The audit trail: what was asked for, what was decided, what came of it; and whether it holds."""

import json
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from cipherset.app.audit.newest import newest
from cipherset.app.audit.show import EventResult, Wanted
from cipherset.app.serving import audit
from cipherset.custody.ledger import Outcome
from cipherset.custody.policy import Action
from cipherset.interfaces.console.nav import Entry
from cipherset.interfaces.console.view import Posted, View, Viewing, shows

PATH: Final = "/console/audit"
ENTRY: Final = Entry(PATH, "Audit trail", 90)
_ROWS: Final = 50
_LOOKS: Final = frozenset({Action.VIEW.value, Action.AUDIT.value})
# To verify, every event there is must be read.
_LONG_S: Final = 600.0
_Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


class Asked(BaseModel):
    """Which events; what is empty is any.

    ``looks``: looks at what there is are shown too, which most events would be. ``before`` is the
    number that the page goes on from.
    """

    action: _Word = ""
    actor: _Word = ""
    outcome: _Word = ""
    subject: _Word = ""
    since: _Word = ""
    looks: _Word = ""
    before: Annotated[int, Field(ge=1, lt=2**53)] | None = None

    def given(self) -> dict[str, str]:
        """Those that are asked for."""
        told: dict[str, str] = self.model_dump(exclude={"before"})
        return {name: value for name, value in told.items() if value}


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(PATH, **shows(Action.AUDIT))
    def trail(view: Viewing, asked: Annotated[Asked, Query()]) -> HTMLResponse:
        return _trail(view, asked)

    @routes.post(f"{PATH}/verify", **shows(Action.AUDIT, request_s=_LONG_S))
    def verify(view: Posted) -> HTMLResponse:
        found = audit.verify(view.session, None, None)
        template = "parts/verified.html.j2" if "part" in view.fields else "verified.html.j2"
        return view.page(template, "Whether the ledger holds", {"found": found})

    return routes


def _trail(view: View, asked: Asked) -> HTMLResponse:
    given = asked.given()
    wanted = Wanted(
        action=asked.action or None,
        actor=asked.actor or None,
        since=asked.since or None,
        outcome=asked.outcome or None,
        subject=asked.subject or None,
        without=frozenset() if asked.looks or asked.action else _LOOKS,
    )
    found = newest(view.session, wanted, before=asked.before, most=_ROWS)
    values = {
        "asked": asked,
        "events": [_row(event) for event in found.events],
        "total": found.total,
        "looks_address": _address({**given, "looks": "1"}),
        "older": _address({**given, "before": str(found.before)}) if found.before else None,
        "newest": _address(given) if asked.before else None,
        "actions": sorted(Action),
        "outcomes": list(Outcome),
    }
    return view.page("audit.html.j2", "Audit trail", values)


def _address(query: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(query)}" if query else PATH


def _row(event: EventResult) -> dict[str, Any]:
    body = event["body"]
    facts = body if isinstance(body, dict) else {"body": body}
    told = [(str(name), _text(value)) for name, value in facts.items()]
    return {**event, "facts": told}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
