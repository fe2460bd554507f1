"""``/v1/discover``: what the agent of a host saw there."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from cipherset.app.discovery.scan import take_report
from cipherset.custody.policy import Action
from cipherset.evidence.discover.code.report import report_of
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

# A first report is as many assets of the ledger as it has findings.
_REQUEST_S: Final = 600.0
_Report = Annotated[dict[str, Any], Body(description="As the agent writes it.")]


class Taken(BaseModel):
    """How many uses of AI the report tells of, how many of their assets are new, and its run."""

    findings: int
    new: int
    run: str = Field(description="In the ledger.")


def router(services: Services) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1", tags=["discover"])

    @routes.post(
        "/discover",
        summary="Take in what the agent of a host saw there",
        openapi_extra=performs(Action.DISCOVER, request_s=_REQUEST_S),
    )
    def take(body: _Report, session: Caller) -> Taken:
        found = take_report(session, report_of(body))
        new = {each.asset for each in found.findings if each.is_new}
        return Taken(findings=len(found.findings), new=len(new), run=found.runs[0])

    return routes
