"""Query logs of dnsmasq (Pi-hole too) and BIND.

dnsmasq, ``log-queries``: ``Nov 26 18:00:01 dnsmasq[7]: query[A] chatgpt.com from 10.0.0.5``, then
``reply chatgpt.com is 104.18.7.192``. BIND 9, category ``queries``: ``26-Nov-2026 18:00:01.123
queries: info: client @0x7f 10.0.0.5#4711 (chatgpt.com): query: chatgpt.com IN A +E(0)K``.

Source: dnsmasq(8), option ``--log-queries``; BIND 9 Administrator Reference Manual, "querylog".
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cipherset.evidence.discover.egress.call import Answer, Call, How, Seen
from cipherset.evidence.discover.egress.formats.times import syslog_time, time_of
from cipherset.evidence.discover.egress.names import address_of, normalized

_SYSLOG: Final = re.compile(
    r"(?:<\d{1,3}>)?(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)"
    r" (?P<rest>\S.*)"
)
_DNSMASQ: Final = re.compile(r"(?:\S+ )?dnsmasq(?:\[\d+\])?: (?:\d+ \S+ )?(?P<said>.+)")
_QUERY: Final = re.compile(r"query\[[\w=]+\] (?P<host>\S+) from (?P<client>\S+)")
_REPLY: Final = re.compile(
    r"(?:reply|cached(?:-stale)?|/etc/hosts|config) (?P<host>\S+) is (?P<what>\S+)"
)
_BIND: Final = re.compile(
    r"(?:(?P<time>\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?) )"
    r"(?:[\w-]+: )?(?:\w+(?: \d)?: )?(?P<rest>\S.*)"
)
_BIND_QUERY: Final = re.compile(
    r"client (?:@0x[0-9a-f]+ )?(?P<client>[0-9A-Fa-f.:]+(?:%\w+)?)#\d+ ?(?:\([^)]*\))?: "
    r"(?:view \S+: )?query: (?P<host>\S+) (?P<class>\S+) (?P<type>\S+)"
)


def dnsmasq(now: datetime) -> Callable[[str], Sequence[Seen]]:
    """A reader of dnsmasq's lines and of whatever else syslog has between them."""
    chain: list[str] = []  # the name asked for, while its aliases are told

    def read(line: str) -> Sequence[Seen]:
        found = _SYSLOG.fullmatch(line)
        if found is None:
            raise ValueError("no line of syslog")
        said = _DNSMASQ.fullmatch(found["rest"])
        if said is None:
            return ()
        query, reply = _QUERY.fullmatch(said["said"]), _REPLY.fullmatch(said["said"])
        if reply is not None:
            return _replied(chain, reply["host"], reply["what"])
        chain.clear()
        if query is None:
            return ()
        return _asked(query["client"], query["host"], _time(found["time"], now))

    return read


def bind(now: datetime) -> Callable[[str], Sequence[Seen]]:
    """A reader of BIND's query log; it tells no answers. ``now`` is not needed: it has years."""
    del now

    def read(line: str) -> Sequence[Seen]:
        found = _BIND.fullmatch(line)
        if found is None:
            raise ValueError("no line of BIND")
        query = _BIND_QUERY.match(found["rest"])
        if query is None or query["class"] != "IN":
            return ()
        return _asked(query["client"], query["host"], time_of(found["time"]))

    return read


def _time(text: str, now: datetime) -> datetime:
    return time_of(text) if text[0].isdigit() else syslog_time(text, now)


def _asked(client: str, host: str, at: datetime) -> Sequence[Seen]:
    name = normalized(host)
    return () if name is None else (Call(How.LOOKUP, client, name, at=at),)


def _replied(chain: list[str], host: str, what: str) -> Sequence[Seen]:
    """Aliases lead to other names, whose addresses are those of the name that was asked for."""
    if what == "<CNAME>":
        if not chain:
            chain.append(host)
        return ()
    address, name = address_of(what), normalized(chain[0] if chain else host)
    return () if address is None or name is None else (Answer(name, address),)
