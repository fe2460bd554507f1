"""The way in on this machine: a ticket that is good once, for a cookie that is good for a while.

``cipherset console`` prints the ticket in an address. Whoever opens it is the person at the
terminal: the same session, the same decisions. The cookie is bound to the process that gave it
out and ends with it. Only digests of both are kept.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from starlette.requests import Request

from cipherset.core.errors import PolicyError
from cipherset.custody.policy import Authenticated
from cipherset.interfaces.http.identity.known import Known, unidentified

TICKET_S: Final = 600.0
# Without a look at a page.
IDLE_S: Final = 3600.0
# 128 bits each; an address of one line on a terminal.
_BYTES: Final = 16


class Doors:
    """Gives out one ticket, and knows who came in with it."""

    def __init__(self, user: str, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        """For ``user``, whose console is at ``port``: cookies are shared by all ports of a host."""
        self.cookie = f"cipherset-console-{port}"
        self._user = user
        self._clock = clock
        self._lock = threading.Lock()
        self._tickets: dict[str, float] = {}
        self._inside: dict[str, float] = {}

    def ticket(self) -> str:
        """One that is good once, within ten minutes."""
        made = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._tickets[_digest(made)] = self._clock() + TICKET_S
        return made

    def enter(self, ticket: str) -> str:
        """The cookie's value for a ticket.

        Raises:
            PolicyError: ``ticket``.
        """
        made = secrets.token_urlsafe(_BYTES)
        with self._lock:
            until = self._tickets.pop(_digest(ticket), None)
            if until is None or self._clock() >= until:
                raise PolicyError(
                    "this address was used before, or is too old",
                    code="ticket",
                    hint="end cipherset console and start it again: it prints another address. If "
                    "it was not you who used it, somebody else on this machine did",
                )
            self._inside[_digest(made)] = self._clock() + IDLE_S
        return made

    def identify(self, request: Request) -> Known:
        """The one at the terminal; no network: they are here.

        Raises:
            PolicyError: ``unidentified``.
        """
        shown = _digest(request.cookies.get(self.cookie, ""))
        with self._lock:
            now = self._clock()
            if now >= self._inside.get(shown, now):
                self._inside.pop(shown, None)
                raise unidentified()
            self._inside[shown] = now + IDLE_S
        return Known(self._user, Authenticated.CLAIMED, None)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
