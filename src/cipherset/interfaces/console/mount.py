"""The console's routes: its pages, found by themselves, and what they are drawn with."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.requests import Request

from cipherset.interfaces.console import pages
from cipherset.interfaces.console.doors import Doors
from cipherset.interfaces.console.frame import HOME, Frame
from cipherset.interfaces.console.nav import grouped
from cipherset.interfaces.console.static import STATIC, static_files
from cipherset.interfaces.console.view import Fields, check_same_site, page_of
from cipherset.interfaces.http.actions import free

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ENTER: Final = f"{HOME}/enter"


def frame() -> Frame:
    """The frame, with every page in its navigation."""
    entries = ((_group(found), found.ENTRY) for found in _pages())
    return Frame(grouped((group, entry) for group, entry in entries if entry is not None))


def router(doors: Doors | None = None) -> APIRouter:
    """Every route of the console; with ``doors``, the one that lets in with a ticket too."""
    routes = APIRouter()
    for found in _pages():
        routes.routes.extend(found.router().routes)
    _add_static(routes)
    _add_home(routes)
    if doors is not None:
        _add_door(routes, doors)
    return routes


def _pages() -> Iterator[ModuleType]:
    """The modules of ``pages``, in the order of their names."""
    found = walk_packages(pages.__path__, f"{pages.__name__}.")
    for name in sorted(module.name for module in found if not module.ispkg):
        yield import_module(name)


def _group(page: ModuleType) -> str:
    return page.__name__.split(".")[-2]


def _add_static(routes: APIRouter) -> None:
    @routes.get(
        f"{STATIC}/{{digest}}/{{name}}",
        openapi_extra=free("it is the same for everybody, and holds nothing of a workspace"),
        include_in_schema=False,
    )
    def static(digest: str, name: str) -> Response:
        found = static_files().one(digest, name)
        return Response(
            found.content, media_type=found.media_type, headers={"Cache-Control": _FOR_EVER}
        )


def _add_home(routes: APIRouter) -> None:
    @routes.get(
        f"{HOME}/",
        openapi_extra=free("it only says where the console begins"),
        include_in_schema=False,
    )
    def home() -> RedirectResponse:
        return RedirectResponse(HOME, 308)


def _add_door(routes: APIRouter, doors: Doors) -> None:
    @routes.get(
        _ENTER,
        # A link of a file of ours leads here too, which is another site to a browser.
        openapi_extra=free("it shows a button, and spends nothing", linked=True),
        include_in_schema=False,
    )
    def before(request: Request, ticket: str) -> HTMLResponse:
        doors.check(ticket)
        values = {"title": "Your workspace", "path": _ENTER, "who": "", "form_token": ""}
        values |= {"ticket": ticket, "enter": _ENTER}
        return page_of(request.app.state.console, "enter.html.j2", {**values, "groups": ()}, 200)

    @routes.post(
        _ENTER,
        openapi_extra=free("the ticket says who it is, and is good once"),
        include_in_schema=False,
    )
    def enter(request: Request, fields: Fields) -> RedirectResponse:
        check_same_site(request)
        came_in = RedirectResponse(HOME, 303)
        # Not ``secure``: it is this machine's own address, without TLS.
        came_in.set_cookie(
            doors.cookie,
            doors.enter(fields.get("ticket", "")),
            path=HOME,
            httponly=True,
            samesite="strict",
        )
        return came_in
