"""The routes as the perimeter knows them: which methods a path takes, and what a route declares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from cipherset.interfaces.http.actions import told_of

GET: Final = "GET"
HEAD: Final = "HEAD"
OPTIONS: Final = "OPTIONS"
# RFC 9110 section 9 and RFC 5789: a method that is none of these is not implemented.
METHODS: Final = frozenset(
    {GET, HEAD, OPTIONS, "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"}
)
NO_ROUTE: Final = "none"


@dataclass(frozen=True, slots=True)
class Found:
    """A path: its template, the methods that it takes, and what the route of one declares."""

    template: str
    allowed: tuple[str, ...]
    told: dict[str, Any]


class RouteTable:
    """Looks paths up in the routes of an app."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = routes

    def find(self, scope: Scope) -> Found | None:
        """What answers to the path of ``scope``; None where nothing does."""
        matching = [
            route
            for route in self._routes
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
        ]
        if not matching:
            return None
        allowed = {method for route in matching for method in route.methods or ()}
        if GET in allowed:
            allowed.add(HEAD)
        chosen = next((r for r in matching if scope["method"] in (r.methods or ())), matching[0])
        return Found(chosen.path, _sorted({*allowed, OPTIONS}), told_of(chosen))


def _sorted(methods: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(methods))
