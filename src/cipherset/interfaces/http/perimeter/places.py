"""Where a request says it comes from and goes to: pages of other sites are not let in.

A browser on the owner's machine sends what any page asks it to. It says so in ``Origin`` and
``Sec-Fetch-Site``, and a page that had its own name resolve to this machine (DNS rebinding) says
its name in ``Host``.
"""

from collections.abc import Collection, Mapping
from typing import Final

from cipherset.core.errors import CiphersetError, PolicyError

_OURS: Final = frozenset({"", "same-origin", "none"})


def misplaced(
    headers: Mapping[str, str], hosts: Collection[str] | None, *, linked: bool = False
) -> CiphersetError | None:
    """Why a request with these headers (names in lower case) is not for us; None where it is.

    ``hosts`` are the names that we are called by, None for any. ``linked``: a browser that went
    there by a link may come from anywhere.
    """
    host = headers.get("host", "").lower()
    if hosts is not None and name_of(host) not in hosts:
        return PolicyError(
            "the request is for another host than this",
            code="other_host",
            hint="use the address that the gateway printed, or name the host in serve.toml",
        )
    origin = headers.get("origin", "").lower()
    is_ours = origin in {"", f"https://{host}", f"http://{host}"}
    is_link = linked and headers.get("sec-fetch-mode") == "navigate"
    if not is_ours or not (is_link or headers.get("sec-fetch-site", "") in _OURS):
        return PolicyError(
            "the request was made by a page of another site",
            code="other_site",
            hint="call the gateway from a program, or from its own console",
        )
    return None


def name_of(host: str) -> str:
    """The name in a ``Host`` header, without the port; an address of IPv6 keeps its brackets."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
