"""Who used which service: first and last seen, how often, how many bytes were sent, added up.

The same call may stand in several logs of one run (a lookup, a request, a flow); of these ways the
one with the most calls counts, and of the bytes the largest sum. So two logs of one way must not
be of the same traffic. An address that names of several owners were answered with is nobody's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cipherset.evidence.discover.egress.call import Answer, Call, How, Seen
from cipherset.evidence.discover.egress.services import Service, ServiceList

MOST_SIGHTINGS: Final = 200_000
MOST_ADDRESSES: Final = 500_000
_MOST_HOSTS: Final = 8
_MOST_ALIKE: Final = 1000


@dataclass(frozen=True, slots=True)
class Sighting:
    """One principal's use of one service; times are UTC, None where no log had one.

    ``bytes_up`` is None where no log said; ``hosts`` are some of those that were called.
    """

    principal: str = field(repr=False)
    service: Service
    first_seen: datetime | None
    last_seen: datetime | None
    count: int
    bytes_up: int | None
    hosts: tuple[str, ...]
    logs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """A host that looks like a service and is none; nobody is accused of it."""

    host: str
    looks_like: str
    count: int


@dataclass(slots=True)
class _Sum:
    calls: dict[How, int] = field(default_factory=dict)
    sent: dict[How, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    hosts: set[str] = field(default_factory=set)
    logs: set[str] = field(default_factory=set)

    def add(self, call: Call, host: str, log: str) -> None:
        """Count one more call."""
        self.calls[call.how] = self.calls.get(call.how, 0) + 1
        if call.bytes_up is not None:
            self.sent[call.how] = self.sent.get(call.how, 0) + call.bytes_up
        if call.at is not None:
            self.first = call.at if self.first is None else min(self.first, call.at)
            self.last = call.at if self.last is None else max(self.last, call.at)
        if len(self.hosts) < _MOST_HOSTS:
            self.hosts.add(host)
        self.logs.add(log)


class Tally:
    """Adds up what logs tell; ``unresolved`` counts flows to addresses that no log named."""

    def __init__(self, services: ServiceList) -> None:
        """Of these services."""
        self._services = services
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._by_id = {each.id: each for each in services.services}
        self._owners: dict[str, str | None] = {}  # the service at an address, "" for several
        self._alike: dict[str, tuple[str, int]] = {}
        self.unresolved = 0
        self.ambiguous = 0
        self.left_out = 0

    def take(self, seen: Seen, log: str) -> None:
        """Count what a line of ``log`` told."""
        if isinstance(seen, Answer):
            self._answer(seen)
            return
        service, host = self._named(seen) if seen.host is None else self._called(seen.host)
        if service is None:
            return
        key = (seen.principal, service.id)
        if key not in self._sums and len(self._sums) >= MOST_SIGHTINGS:
            self.left_out += 1
            return
        self._sums.setdefault(key, _Sum()).add(seen, host, log)

    def sightings(self) -> Sequence[Sighting]:
        """By service, then by principal."""
        return sorted(self._all(), key=lambda each: (each.service.id, each.principal))

    def look_alikes(self) -> Sequence[Alike]:
        """The hosts that looked like a service, by name."""
        return [Alike(host, like, n) for host, (like, n) in sorted(self._alike.items())]

    def _all(self) -> Iterator[Sighting]:
        for (principal, service_id), found in self._sums.items():
            yield Sighting(
                principal=principal,
                service=self._by_id[service_id],
                first_seen=found.first,
                last_seen=found.last,
                count=max(found.calls.values()),
                bytes_up=max(found.sent.values(), default=None),
                hosts=tuple(sorted(found.hosts)),
                logs=tuple(sorted(found.logs)),
            )

    def _called(self, host: str) -> tuple[Service | None, str]:
        service = self._services.of(host)
        if service is None:
            self._note_alike(host)
        return service, host

    def _named(self, call: Call) -> tuple[Service | None, str]:
        """By the address, if names of one owner alone were answered with it."""
        if call.address not in self._owners:
            self.unresolved += 1
            return None, ""
        owner = self._owners[call.address]
        self.ambiguous += owner == ""
        return self._by_id.get(owner or ""), call.address

    def _answer(self, answer: Answer) -> None:
        service = self._services.of(answer.host)
        owner = None if service is None else service.id
        known = self._owners.get(answer.address, owner)
        if answer.address in self._owners or len(self._owners) < MOST_ADDRESSES:
            self._owners[answer.address] = owner if known == owner else ""

    def _note_alike(self, host: str) -> None:
        known = self._alike.get(host)
        if known is None and len(self._alike) >= _MOST_ALIKE:
            return
        like = known[0] if known else self._services.looks_like(host)
        if like is not None:
            self._alike[host] = (like, (known[1] if known else 0) + 1)
