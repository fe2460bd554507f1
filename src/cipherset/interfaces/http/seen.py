"""What is counted of requests: routes, outcomes and times; no content, and nobody's name."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    60.0,
)
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that has ended: nothing of what was asked.

    ``route`` is a template, ``method`` one that there is, ``status`` 0 where nothing was answered.
    """

    route: str
    method: str
    status: int
    seconds: float
    request_id: str


class Seen:
    """Counters in a registry of their own; ``watching`` are told of each request."""

    def __init__(self) -> None:
        self.watching: list[Callable[[Ended], None]] = []
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "cipherset_requests",
            "Requests by route and status; gone: whoever asked hung up first.",
            ("route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "cipherset_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._under_way = Gauge(
            "cipherset_requests_under_way", "Requests under way.", registry=self.registry
        )

    def request(self, ended: Ended) -> None:
        """One request ended."""
        self._requests.labels(ended.route, str(ended.status) if ended.status else GONE).inc()
        self._seconds.labels(ended.route).observe(ended.seconds)
        for watch in self.watching:
            watch(ended)

    def one_under_way(self) -> AbstractContextManager[None]:
        """One more is under way inside."""
        counted: AbstractContextManager[None] = self._under_way.track_inprogress()
        return counted
