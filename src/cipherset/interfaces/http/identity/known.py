"""What is known of the one who asks, and the protocol by which it is found out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Protocol

from starlette.requests import Request

from cipherset.core.errors import PolicyError
from cipherset.custody.policy import Authenticated

HEADER: Final = "X-Cipherset-Principal"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


@dataclass(frozen=True, slots=True)
class Known:
    """A principal's name, how it is known, and the address that they are connected from.

    ``identity`` is the URI that a verified connection has of them, where it has one.
    """

    name: str
    authenticated: Authenticated
    network: str | None
    identity: str | None = None


class Identity(Protocol):
    """Finds out who asks; called in a thread, once for each request."""

    def identify(self, request: Request) -> Known:
        """Who asks.

        Raises:
            PolicyError: ``unauthenticated``: nobody, or nobody who could show it.
        """


class ClaimedIdentity:
    """Their own word: for one person alone, on the machine itself.

    The name is that of the header ``X-Cipherset-Principal``, or else ``user``. Where the policies
    know of more than one person (``is_alone`` says no), or the connection is not from this
    machine, nobody is known.
    """

    def __init__(self, user: str, is_alone: Callable[[], bool]) -> None:
        self._user = user
        self._is_alone = is_alone

    def identify(self, request: Request) -> Known:
        """The name that is claimed.

        Raises:
            PolicyError: ``unauthenticated``.
        """
        network = address_of(request)
        name = request.headers.get(HEADER, self._user)
        if not is_loopback(network) or not _NAME.fullmatch(name) or not self._is_alone():
            raise unauthenticated()
        return Known(name, Authenticated.CLAIMED, network)


def address_of(request: Request) -> str | None:
    """The address that the connection comes from; of headers that say another nothing is held."""
    return None if request.client is None else request.client.host


def is_loopback(address: str | None) -> bool:
    """Whether ``address`` is this machine's own."""
    if address is None:
        return False
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def unauthenticated() -> PolicyError:
    """The one refusal of whoever is not known: it does not say why."""
    return PolicyError(
        "it is not known who asks",
        code="unauthenticated",
        hint="show a client certificate or a token bound to a key; a name alone does only where "
        "one person works alone (the policy solo) on the machine itself",
    )
