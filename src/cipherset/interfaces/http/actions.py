"""What a route does, said where it is declared: the gate's action, and what it may take.

A test enumerates the routes: one that says nothing here fails it, and so does one that lets
somebody without a role do what it says.
"""

from typing import Any, Final

from starlette.routing import BaseRoute

from cipherset.custody.policy import Action

ACTION: Final = "x-cipherset-action"
FREE: Final = "x-cipherset-free"
LINKED: Final = "x-cipherset-linked"
BODY_BYTES: Final = "x-cipherset-body-bytes"
REQUEST_S: Final = "x-cipherset-request-seconds"


def performs(
    action: Action, *, body_bytes: int | None = None, request_s: float | None = None
) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that performs ``action`` at the gate.

    ``body_bytes`` and ``request_s`` stand instead of those in ``RequestLimits``.
    """
    told: dict[str, Any] = {ACTION: action.value}
    if body_bytes is not None:
        told[BODY_BYTES] = body_bytes
    if request_s is not None:
        told[REQUEST_S] = request_s
    return told


def free(why: str, *, linked: bool = False) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that needs no leave, and why.

    ``linked``: a link anywhere may lead there, because a look at it changes nothing and tells
    nothing.
    """
    return {FREE: why, LINKED: True} if linked else {FREE: why}


def told_of(route: BaseRoute) -> dict[str, Any]:
    """What a route says of itself; nothing where it says nothing."""
    return getattr(route, "openapi_extra", None) or {}
