"""Run after run in the foreground, until somebody says stop."""

import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import FrameType
from typing import Any, Final

from cipherset.app.redteam.request import RedTeamResult
from cipherset.core.errors import CiphersetError, UsageError

_EVERY: Final = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_LOOK_S: Final = 0.5
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Once = Callable[[Callable[[], bool]], RedTeamResult | None]


def parse_every(text: str) -> timedelta:
    """``24h`` and the like, of seconds, minutes, hours or days.

    Raises:
        UsageError: ``redteam_every``.
    """
    found = _EVERY.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text!r} is no length of time",
            code="redteam_every",
            hint="give a number and its unit, such as 24h, 90m or 7d",
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


class Stop:
    """Somebody says stop, from another thread or from the handler of a signal.

    A handler runs in the middle of whatever its thread does: in that of ``threading.Event`` it
    would wait for ever for the lock that the interrupted wait holds. So there is no lock, and who
    waits looks now and then: a signal that comes just before a wait does not end it.
    """

    def __init__(self) -> None:
        self._is_said = False

    def set(self) -> None:
        """Say it."""
        self._is_said = True

    def is_set(self) -> bool:
        """Whether it was said."""
        return self._is_said

    def wait(self, timeout_s: float) -> bool:
        """The same, soon after it was said or that long after now."""
        end = time.monotonic() + timeout_s
        while not self._is_said and (left_s := end - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_S))
        return self._is_said


@dataclass(slots=True)
class Rounds:
    """How the runs went: how many ended, how many were clean, and others by their codes."""

    n_rounds: int = 0
    n_clean: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    last: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        told = {"rounds": self.n_rounds, "clean": self.n_clean}
        return {**told, "failed": dict(self.failed), "last": self.last}


def repeat(once: Once, every: timedelta, stop: Stop, tell: Callable[[str], None]) -> Rounds:
    """Run ``once`` now and after each ``every``, until ``stop`` is set; a run that fails is told.

    Args:
        once: One run; asked with whether it is to stop, it answers None where it did.
        every: From the beginning of a wait to its end.
        stop: Set from a signal, or from another thread.
        tell: Is told how each run went, in a line.
    """
    rounds = Rounds()
    while not stop.is_set():
        _round(once, stop, rounds, tell)
        stop.wait(every.total_seconds())
    return rounds


def _round(once: Once, stop: Stop, rounds: Rounds, tell: Callable[[str], None]) -> None:
    try:
        result = once(stop.is_set)
        if result is None:
            return
        rounds.n_rounds += 1
        rounds.last = result.finding.finding_id
        result.check()
        rounds.n_clean += 1
        tell(f"{result.finding.finding_id}: {len(result.finding.lines)} lines, clean")
    except CiphersetError as error:
        rounds.failed[error.code] += 1
        tell(f"{error.code}: {error.message}")


@contextmanager
def stopped_by_signal() -> Iterator[Stop]:
    """What SIGTERM and SIGINT set, instead of ending the process in the middle of it."""
    stop = Stop()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {each: signal.signal(each, told) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
