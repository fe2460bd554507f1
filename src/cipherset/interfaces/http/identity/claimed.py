"""Their own word: for one person who works alone, on the machine itself."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from cipherset.custody.policy import Authenticated
from cipherset.interfaces.http.identity.known import Known, unidentified

HEADER: Final = "X-Cipherset-Principal"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


class ClaimedIdentity:
    """The name in the header ``X-Cipherset-Principal``, or else ``user``.

    Where the policies know of more than one person (``is_alone`` says no), or the connection is not
    from this machine, nobody is known.
    """

    def __init__(self, user: str, is_alone: Callable[[], bool]) -> None:
        self._user = user
        self._is_alone = is_alone

    def identify(self, request: Request) -> Known:
        """The name that is claimed.

        Raises:
            PolicyError: ``unidentified``.
        """
        network = address_of(request)
        name = request.headers.get(HEADER, self._user)
        if not is_loopback(network) or not _NAME.fullmatch(name) or not self._is_alone():
            raise unidentified()
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
