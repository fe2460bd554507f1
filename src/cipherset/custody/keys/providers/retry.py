"""Again, a little later, for what may pass by itself."""

import secrets
import time
from collections.abc import Callable
from typing import Final, TypeVar

ATTEMPTS: Final = 4
# The longest pauses are 0.5, 1 and 2 s. No attempt begins later than this; the last one may still
# wait for its own timeout.
LAST_START_S: Final = 10.0
_FIRST_PAUSE_S: Final = 0.5
_STEPS: Final = 1000

_Result = TypeVar("_Result")


def retried(
    call: Callable[[], _Result],
    *,
    passing: tuple[type[Exception], ...],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> _Result:
    """What ``call`` returns, by the fourth attempt; an error that is not ``passing`` at once.

    Pauses double, each a random part of its length, so that many callers do not come back at once.
    """
    began = clock()
    for attempt in range(ATTEMPTS - 1):
        try:
            return call()
        except passing:
            pause_s = _FIRST_PAUSE_S * 2**attempt * (1 + secrets.randbelow(_STEPS)) / _STEPS
            if clock() + pause_s - began > LAST_START_S:
                raise
        sleep(pause_s)
    return call()
