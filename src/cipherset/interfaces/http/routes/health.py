"""``/healthz``: that the process lives, and whether it can do its work."""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from cipherset.app.serving.health import check_workspace
from cipherset.core.errors import CiphersetError
from cipherset.interfaces.http.actions import free
from cipherset.interfaces.http.services import Services

_WELL: Final = "ok"
_KEPT_S: Final = 1.0


class Health(BaseModel):
    """Whether it is well, and the error code of each check that is not."""

    status: Literal["ok", "failing"] = Field(examples=["ok"])
    checks: dict[str, str] = Field(examples=[{"ledger": "ok", "keys": "ok"}])


class _Readiness:
    """What the checks say, asked once a second at most: anybody may ask for it."""

    def __init__(self, checks: Mapping[str, Callable[[], None]]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._until_s = 0.0

    def codes(self) -> dict[str, str]:
        """The error code of each check; ok where there is none."""
        with self._lock:
            if time.monotonic() >= self._until_s:
                self._found = {name: _code(check) for name, check in sorted(self._checks.items())}
                self._until_s = time.monotonic() + _KEPT_S
            return self._found


def router(services: Services) -> APIRouter:
    """The route; it tells no name, no number and no reason but a code."""
    routes = APIRouter(tags=["health"])
    services.checks["workspace"] = partial(check_workspace, services.session)
    readiness = _Readiness(services.checks)

    @routes.get(
        "/healthz",
        summary="Whether the gateway lives; with ?ready=true, whether it can work",
        responses={503: {"model": Health}},
        openapi_extra=free("whoever keeps the process alive must be able to ask"),
    )
    async def healthz(
        response: Response,
        ready: Annotated[bool, Query()] = False,  # noqa: FBT002 -- of the query, by name
    ) -> Health:
        found = await run_in_threadpool(readiness.codes) if ready else {}
        is_well = all(code == _WELL for code in found.values())
        response.status_code = 200 if is_well else 503
        return Health(status="ok" if is_well else "failing", checks=found)

    return routes


def _code(check: Callable[[], None]) -> str:
    try:
        check()
    except CiphersetError as error:
        return error.code
    return _WELL
