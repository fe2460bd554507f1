"""Errors as bodies: one shape, a status by who must act, and nothing of what was asked in them.

    {"error": {"code": "...", "message": "...", "hint": "..."}}

What is not there and what is not allowed read the same, byte for byte: the reasons of a denial
would tell of assets that the caller may not know of. They are in the ledger.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cipherset.app.gate.refusal import denied_from_afar
from cipherset.core.errors import (
    BackendError,
    CiphersetError,
    InputError,
    IntegrityError,
    PolicyError,
    UsageError,
)
from cipherset.interfaces.http.identity.known import CHALLENGE

_BY_CLASS: Final[tuple[tuple[type[CiphersetError], int], ...]] = (
    (UsageError, 400),
    (InputError, 422),
    (PolicyError, 403),
    (IntegrityError, 409),
    (BackendError, 503),
)
_BY_CODE: Final[Mapping[str, int]] = {
    "unidentified": 401,
    "outside": 401,
    "budget": 429,
    "busy": 503,
}
_WORKSPACE: Final = "the workspace"
# Of a path all but the last name.
_FOLDERS: Final = re.compile(r"(?<![\w.:/])/(?:[^/\s]+/)+")
_RETRY_AFTER_S: Final[Mapping[int, int]] = {429: 60, 503: 1}
_DENIED: Final = denied_from_afar()
INTERNAL: Final = CiphersetError(
    "an unexpected failure (its text is not shown: it could hold data)",
    code="internal",
    hint="this is a defect of cipherset; please report the request's id",
)
_STANDARD: Final[Mapping[int, CiphersetError]] = {
    404: UsageError(
        "there is no such route", code="route_unknown", hint="see which there are: /openapi.json"
    ),
}
_UNREADABLE: Final = InputError(
    "the request cannot be read", code="request_form", hint="see the route's schema"
)


def answer(error: CiphersetError, status: int | None = None) -> JSONResponse:
    """``error`` as a response; its status by class and code where none is given."""
    status = status or status_of(error)
    shown = _DENIED if error.code == _DENIED.code else error
    return JSONResponse(body_of(shown), status, headers_of(error, status))


def headers_of(error: CiphersetError, status: int) -> dict[str, str]:
    """What a refusal of that status tells beside its body.

    Of ``outside`` no challenge: nothing that a client could send would let it in.
    """
    headers = {}
    if status == 401 and error.code != "outside":
        headers["WWW-Authenticate"] = CHALLENGE
    if status in _RETRY_AFTER_S:
        headers["Retry-After"] = str(_RETRY_AFTER_S[status])
    return headers


def body_of(error: CiphersetError) -> dict[str, Any]:
    """The one shape of errors."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def status_of(error: CiphersetError) -> int:
    """The HTTP status: of the code where it has one, else of the class."""
    of_class = (status for kind, status in _BY_CLASS if isinstance(error, kind))
    found = _BY_CODE.get(error.code)
    if found is None and error.code.endswith("_unknown") and isinstance(error, UsageError):
        found = 404
    return found or next(of_class, 500)


class Telling(Protocol):
    """How an error is told to whoever asked; the status is by class and code where it is None."""

    def __call__(
        self, request: Request, error: CiphersetError, status: int | None = None
    ) -> Response:
        """The answer."""


def install(app: FastAPI, told: Telling) -> None:
    """Let ``app`` answer with what ``told`` makes of it, whatever goes wrong in a handler."""
    app.state.told = told
    app.add_exception_handler(CiphersetError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _standard)


def _ours(request: Request, error: Exception) -> Response:
    """Ours, without the place of the workspace on our disk; files by their names alone."""
    if not isinstance(error, CiphersetError):
        return _told(request, INTERNAL)
    home = str(request.app.state.services.session.home)
    error.message = error.message.replace(home, _WORKSPACE)
    if isinstance(error, IntegrityError | BackendError):
        error.message = _FOLDERS.sub("", error.message)
    error.hint = error.hint.replace(home, _WORKSPACE)
    return _told(request, error)


def _invalid(request: Request, error: Exception) -> Response:
    """What is wrong where, never the value."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    where = "; ".join(f"{_place(each)}: {each['type']}" for each in found[:8])
    return _told(
        request,
        InputError(
            f"the request is not in its form: {where or 'it cannot be read'}",
            code="request_form",
            hint="compare it with the route's schema in /openapi.json",
        ),
    )


def _place(each: Mapping[str, Any]) -> str:
    """Where in a request, as far as the schema has the names: deeper ones may be the caller's."""
    loc = each["loc"]
    named = loc[:1] if each["type"] == "extra_forbidden" else loc[:2]
    return ".".join(str(part) for part in (*named, *(p for p in loc[2:] if isinstance(p, int))))


def _standard(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _told(request, _STANDARD.get(status, _UNREADABLE), status)


def _told(request: Request, error: CiphersetError, status: int | None = None) -> Response:
    telling: Telling = request.app.state.told
    return telling(request, error, status)
