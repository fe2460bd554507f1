"""What a person is told where a page cannot be shown: the same words as everywhere, in a page."""

from starlette.requests import Request
from starlette.responses import Response

from cipherset.app.gate.refusal import NOT_ALLOWED, denied_from_afar
from cipherset.core.errors import CiphersetError
from cipherset.interfaces.console.frame import HOME
from cipherset.interfaces.console.view import View, page_of
from cipherset.interfaces.http.errors import answer, headers_of, status_of

_TITLES = {
    401: "Not known here",
    403: "Not for you",
    404: "Not there",
    409: "Something was changed",
    429: "Nothing left for now",
    503: "Cannot be reached",
}


def told(request: Request, error: CiphersetError, status: int | None = None) -> Response:
    """``error`` as a page where a browser asked for one of the console's, else as JSON."""
    if not _wants_page(request):
        return answer(error, status)
    status = status or status_of(error)
    view: View | None = getattr(request.state, "view", None)
    is_here = view is not None and view.session.network is None
    shown = error if is_here or error.code != NOT_ALLOWED else denied_from_afar()
    values = {
        "code": error.code,
        "message": shown.message,
        "hint": shown.hint,
        "status": status,
    }
    title = _TITLES.get(status, "This did not work")
    if view is not None:
        page = view.page("error.html.j2", title, values, status=status)
    else:
        # Nobody is known: no navigation, no name, and no word that a form is known by.
        nobody = {"title": title, "path": HOME, "who": "", "form_token": "", "groups": ()}
        page = page_of(request.app.state.console, "error.html.j2", {**values, **nobody}, status)
    page.headers.update(headers_of(error, status))
    return page


def _wants_page(request: Request) -> bool:
    path = request.url.path
    is_console = path == HOME or path.startswith(f"{HOME}/")
    return is_console and "text/html" in request.headers.get("accept", "")
