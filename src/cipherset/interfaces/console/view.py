"""One look at one page: whose it is, and how the page is made.

``Viewing`` is for a page that shows, ``Posted`` for one that is sent a form: it says which fields
came, and only once the form is known to be of this console, of the same site and of the same one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qs

from fastapi import Depends
from fastapi.responses import HTMLResponse
from starlette.requests import Request

from cipherset.app.gate.refusal import NOT_ALLOWED
from cipherset.app.workspace import Session
from cipherset.core.errors import InputError, PolicyError
from cipherset.custody.policy import Action
from cipherset.interfaces.console.frame import PAGE_HEADERS, Frame
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller

TOKEN: Final = "X-Cipherset-Form"  # noqa: S105 -- the name of a header
TOKEN_FIELD: Final = "form_token"  # noqa: S105 -- the name of a field
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_FIELDS: Final = 64
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class View:
    """Who looks, and at which path; ``fields`` are those of a form that was sent."""

    session: Session
    path: str
    frame: Frame = field(repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    def page(
        self,
        template: str,
        title: str,
        values: Mapping[str, object] = NOTHING,
        *,
        status: int = 200,
    ) -> HTMLResponse:
        """The page, with what is around it."""
        around = {
            "title": title,
            "path": self.path,
            "who": self.session.actor,
            "form_token": self.frame.token_for(self.session.actor),
        }
        return page_of(self.frame, template, {**values, **around}, status)

    def section(self, work: Callable[[], _T]) -> _T | None:
        """What ``work`` returns; None where it is not for this viewer's role: say only that.

        Raises: what ``work`` does, but ``not_allowed``.
        """
        try:
            return work()
        except PolicyError as error:
            if error.code != NOT_ALLOWED:
                raise
            return None


def page_of(frame: Frame, template: str, values: Mapping[str, object], status: int) -> HTMLResponse:
    """A page with the headers of every page."""
    return HTMLResponse(frame.render(template, values), status, dict(PAGE_HEADERS))


def shows(action: Action, *, request_s: float | None = None) -> dict[str, Any]:
    """What a route of the console is declared with: ``@routes.get(PATH, **shows(ACTION))``.

    ``action`` is what its operation asks of the gate.
    """
    return {
        "openapi_extra": performs(action, request_s=request_s),
        "response_class": HTMLResponse,
        "include_in_schema": False,
    }


def _viewing(request: Request, session: Caller) -> View:
    view = View(session, request.url.path, request.app.state.console)
    request.state.view = view  # so that a refusal has its frame
    return view


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form, each once, the last where it came twice."""
    try:
        text = (await request.body()).decode("ascii")
        found = parse_qs(
            text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_FIELDS
        )
    except ValueError:
        raise InputError(
            "what was sent is no form", code="form", hint="load the page again, and send its form"
        ) from None
    return {name: values[-1] for name, values in found.items()}


Fields = Annotated[dict[str, str], Depends(_fields)]


def _posted(
    request: Request,
    view: Annotated[View, Depends(_viewing)],
    fields: Fields,
) -> View:
    check_same_site(request)
    token = request.headers.get(TOKEN) or fields.get(TOKEN_FIELD, "")
    view.frame.check_token(view.session.actor, token)
    return View(view.session, view.path, view.frame, fields)


def check_same_site(request: Request) -> None:
    """What other sites' pages send the perimeter refuses; here it must say that it is ours.

    Raises:
        PolicyError: ``form_site``.
    """
    headers = request.headers
    if not headers.get("origin") and headers.get("sec-fetch-site") != "same-origin":
        raise PolicyError(
            "nothing says that the form was sent from a page of this console",
            code="form_site",
            hint="use a browser that sends Origin or Sec-Fetch-Site; programs have /v1",
        )


Viewing = Annotated[View, Depends(_viewing)]
Posted = Annotated[View, Depends(_posted)]
