"""Time that does not run backwards: what has expired stays expired when the clock is set back."""

import threading
import time
from collections.abc import Callable


class ForwardClock:
    """The latest time that the clock ever showed, in seconds since 1970; for all threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._latest = clock()
        self._lock = threading.Lock()

    def now(self) -> float:
        """Never less than before."""
        with self._lock:
            self._latest = max(self._latest, self._clock())
            return self._latest
