"""The way in on this machine: a ticket that is good once, for a cookie that is good for a while.

``cipherset console`` prints the ticket in an address. Whoever opens it and presses the button there
is the person at the terminal: the same session, the same decisions. A look at the address alone
spends nothing: browsers, and what previews links, look ahead of people. The cookie is bound to the
process that gave it out and ends with it. Only digests of both are kept.
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
from cipherset.interfaces.http.identity.known import Known

TICKET_S: Final = 600.0
# Without a look at a page.
IDLE_S: Final = 3600.0
# 128 bits each; an address of one line on a terminal.
_BYTES: Final = 16


class Doors:
    """Gives out one ticket, and knows who came in with it."""

    def __init__(
        self,
        user: str,
        port: int,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], None] = lambda: None,
    ) -> None:
        """For ``user``, whose console is at ``port``: cookies are shared by all ports of a host.

        ``spent`` is called whenever a ticket was.
        """
        self.cookie = f"cipherset-console-{port}"
        self._user = user
        self._clock = clock
        self._spent = spent
        self._lock = threading.Lock()
        self._tickets: dict[str, float] = {}
        self._inside: dict[str, float] = {}

    def ticket(self) -> str:
        """One that is good once, within ten minutes."""
        made = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._tickets[_digest(made)] = self._clock() + TICKET_S
        return made

    def check(self, ticket: str) -> None:
        """Nothing, where ``ticket`` would let in; it stays good.

        Raises:
            PolicyError: ``ticket``.
        """
        with self._lock:
            self._check(self._tickets.get(_digest(ticket)))

    def enter(self, ticket: str) -> str:
        """The cookie's value for a ticket, which is spent.

        Raises:
            PolicyError: ``ticket``.
        """
        made = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._check(self._tickets.pop(_digest(ticket), None))
            self._inside[_digest(made)] = self._clock() + IDLE_S
        self._spent()
        return made

    def _check(self, until: float | None) -> None:
        if until is None or self._clock() >= until:
            raise PolicyError(
                "this address was used before, or is too old",
                code="ticket",
                hint="end cipherset console and start it again: it prints another address. If "
                "it was not you who used it, somebody else on this machine did",
            )

    def identify(self, request: Request) -> Known:
        """The one at the terminal; no network: they are here.

        Raises:
            PolicyError: ``outside``.
        """
        shown = _digest(request.cookies.get(self.cookie, ""))
        with self._lock:
            now = self._clock()
            if now >= self._inside.get(shown, now):
                self._inside.pop(shown, None)
                raise PolicyError(
                    "this browser was not let in, or did not look for an hour",
                    code="outside",
                    hint="open the address that cipherset console printed; it is good once: where "
                    "it was used, end the command and start it again",
                )
            self._inside[shown] = now + IDLE_S
        return Known(self._user, Authenticated.CLAIMED, None)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
