"""The app: routers found in ``routes``, one shape of errors, and the perimeter around it all."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from cipherset.interfaces.console import failing, mount
from cipherset.interfaces.http import errors, routes
from cipherset.interfaces.http.perimeter.flight import Flight
from cipherset.interfaces.http.perimeter.perimeter import Perimeter
from cipherset.interfaces.http.perimeter.table import RouteTable
from cipherset.interfaces.http.seen import Seen
from cipherset.interfaces.http.services import Services

SCHEMA: Final = "/openapi.json"
_WORD: Final = {"type": "string"}
_ERROR: Final = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            # "type" is of the routes that OpenAI's clients ask.
            "properties": {"code": _WORD, "message": _WORD, "hint": _WORD, "type": _WORD},
            "additionalProperties": False,
        }
    },
}
_REFUSED: Final = {
    "description": "Refused: by the perimeter, by identity, by policy, or by what it met.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
# Threads beside those of requests: for readiness, and to close.
_SPARE: Final = 4
_ABOUT: Final = (
    "Predictions, encrypted search, grants and the audit, each through the gate. Errors are "
    '`{"error": {"code", "message", "hint"}}`; `x-cipherset-action` names what a route asks of '
    "the policies."
)


def build_app(services: Services, seen: Seen | None = None) -> FastAPI:
    """The gateway's app, the console too; ``services.session`` must be held as long as it runs.

    Every module of ``routes`` has ``router(services)``. There are no pages of documentation: they
    would load scripts from elsewhere. ``/openapi.json`` has the schema.
    """
    return assembled(services, [*_routers(services), mount.router()], seen or Seen())


def assembled(
    services: Services, routers: Iterable[APIRouter], seen: Seen, schema: str | None = SCHEMA
) -> FastAPI:
    """An app of these routes, within the perimeter; ``schema`` is where its schema is, if any."""
    app = _Gateway(
        title="Cipherset gateway",
        version=metadata.version("cipherset"),
        description=_ABOUT,
        openapi_url=schema,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.seen = seen
    app.state.console = mount.frame()
    app.state.flight = flight = Flight()
    for router in routers:
        # As they are, not nested: whoever enumerates the routes sees each.
        app.router.routes.extend(router.routes)
    errors.install(app, failing.told)
    app.add_middleware(
        Perimeter,
        table=RouteTable(app.router.routes),
        limits=services.limits,
        hosts=services.hosts,
        seen=seen,
        flight=flight,
    )
    return app


class _Gateway(FastAPI):
    """An app whose schema says how errors look."""

    def openapi(self) -> dict[str, Any]:
        """The schema, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            schema["components"]["schemas"]["Error"] = _ERROR
            for route in (each for path in schema["paths"].values() for each in path.values()):
                route["responses"].pop("422", None)
                route["responses"]["default"] = _REFUSED
        return self.openapi_schema or {}


def _routers(services: Services) -> list[APIRouter]:
    names = sorted(module.name for module in iter_modules(routes.__path__))
    return [import_module(f"{routes.__name__}.{name}").router(services) for name in names]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    limits, flight = services.limits, app.state.flight
    to_thread.current_default_thread_limiter().total_tokens = limits.concurrent + _SPARE
    yield
    await flight.landed(limits.shutdown_s)
    await run_in_threadpool(services.closing.close)
