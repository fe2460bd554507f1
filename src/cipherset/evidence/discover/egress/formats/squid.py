"""``access.log`` of squid: its native form and the combined one. Neither says what was sent up.

native: ``1700000000.123 90 10.0.0.5 TCP_TUNNEL/200 3920 CONNECT x.com:443 anna HIER_DIRECT/…``
combined: ``10.0.0.5 - anna [26/Nov/2026:18:00:01 +0000] "CONNECT x.com:443 HTTP/1.1" 200 39 …``

What the proxy denied was not sent, and is no call.
Source: https://www.squid-cache.org/Doc/config/logformat (``squid``, ``combined``).
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from cipherset.evidence.discover.egress.call import Call, How, Seen
from cipherset.evidence.discover.egress.formats.times import time_of
from cipherset.evidence.discover.egress.names import address_of, host_of

_NATIVE: Final = re.compile(
    r"\s*(?P<time>\d{9,11}\.\d{3}) +-?\d+ (?P<client>\S+) (?P<code>[A-Z_]+)/\d{3} \d+ "
    r"(?P<method>\S+) (?P<url>\S+) (?P<user>\S+) [A-Z_]+/\S+(?: .*)?"
)
_COMBINED: Final = re.compile(
    r"(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]{20,30})\] "
    r'"(?P<method>[A-Z_]+) (?P<url>\S+)(?: [^"]*)?" (?P<status>\d{3}) (?:\d+|-)(?P<rest>.*)'
)
_DENIED: Final = "DENIED"
_ERRORS: Final = ("error:", "cache_object:")


def native(now: datetime) -> Callable[[str], Sequence[Seen]]:
    """A reader of the native form."""
    del now

    def read(line: str) -> Sequence[Seen]:
        found = _NATIVE.fullmatch(line)
        if found is None:
            raise ValueError("no line of squid")
        return _call(found, is_denied=_DENIED in found["code"])

    return read


def combined(now: datetime) -> Callable[[str], Sequence[Seen]]:
    """A reader of the combined form."""
    del now

    def read(line: str) -> Sequence[Seen]:
        found = _COMBINED.fullmatch(line)
        if found is None:
            raise ValueError("no line of the combined form")
        return _call(found, is_denied=_DENIED in found["rest"] or found["status"] == "407")

    return read


def _call(found: re.Match[str], *, is_denied: bool) -> Sequence[Seen]:
    at = time_of(found["time"])
    if is_denied or found["url"].startswith(_ERRORS):
        return ()
    user = unquote(found["user"])
    principal = found["client"] if user in {"-", ""} else user
    host = host_of(found["url"])
    if host is not None:
        return (Call(How.REQUEST, principal, host, at=at),)
    address = address_of(re.sub(r":\d+\Z", "", found["url"].split("/")[0]))
    return () if address is None else (Call(How.REQUEST, principal, address=address, at=at),)
