"""A circuit breaker: a service that fails again and again is left alone for a while.

    closed      all are let through; ``most_failures`` in a row open it
    open        nobody is, for ``rest_s`` seconds
    half-open   one is, to try: it closes again, or is open for another while

Source: M. Nygard, "Release It!", 2nd edition, 2018, section 5.2 (Circuit Breaker).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from cipherset.core.errors import BackendError


class State(StrEnum):
    """Who is let through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True)
class Breaker:
    """That of one service; may be shared by threads."""

    most_failures: int = 5
    rest_s: float = 15.0
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _opened: float | None = None
    _is_trying: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def state(self) -> State:
        """Who is let through now."""
        with self._lock:
            return self._state()

    def enter(self) -> None:
        """Let one through; it then says ``succeeded``, ``failed`` or ``left``.

        Raises:
            BackendError: ``upstream_resting``.
        """
        with self._lock:
            state = self._state()
            if state is State.OPEN or (state is State.HALF_OPEN and self._is_trying):
                raise BackendError(
                    "the service failed again and again, and is left alone for a while",
                    code="upstream_resting",
                    hint=f"come again in {self.rest_s:g} s",
                )
            self._is_trying = state is State.HALF_OPEN

    def succeeded(self) -> None:
        """It answered, whatever it said."""
        with self._lock:
            self._failures, self._opened, self._is_trying = 0, None, False

    def failed(self) -> None:
        """It did not."""
        with self._lock:
            self._failures += 1
            if self._is_trying or self._failures >= self.most_failures:
                self._opened = self.clock()
            self._is_trying = False

    def left(self) -> None:
        """Nobody waited for whether it would."""
        with self._lock:
            self._is_trying = False

    def _state(self) -> State:
        if self._opened is None:
            return State.CLOSED
        is_over = self.clock() - self._opened >= self.rest_s
        return State.HALF_OPEN if is_over else State.OPEN
