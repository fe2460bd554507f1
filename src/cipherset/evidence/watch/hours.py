"""Acts at hours at which a principal is never seen: nights, weekends."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.evidence.watch.sightings import (
    HOURS_A_DAY,
    Alert,
    AlertKind,
    Amounts,
    Clock,
    Past,
)

LEAST_DAYS: Final = 21
LEAST_ACTIVE_DAYS: Final = 8
LEAST_ACTS: Final = 3
# An hour is usual where a principal was seen within two hours of it on more than one such day in
# fifty.
NEAR_HOURS: Final = 2
USUAL_SHARE: Final = 0.02


def off_hours(pasts: dict[str, Past], clock: Clock) -> Iterator[Alert]:
    """One alert for each day on which a principal acted at hours that are none of theirs.

    Working days and weekends are compared with their like. Who was active on fewer than
    ``LEAST_ACTIVE_DAYS``, or came less than ``LEAST_DAYS`` ago, has no hours yet.
    """
    weekends = clock.weekends()
    for name, past in pasts.items():
        acts = past.acts.reshape(-1, HOURS_A_DAY)
        is_off = _off(acts, weekends, past.first // HOURS_A_DAY)
        counts = (acts * is_off).sum(axis=1)
        for day in np.flatnonzero(counts >= LEAST_ACTS).tolist():
            hours = np.flatnonzero(acts[day] * is_off[day])
            since = clock.time(day * HOURS_A_DAY + int(hours[0]))
            until = clock.time(day * HOURS_A_DAY + int(hours[-1]) + 1)
            yield Alert(AlertKind.OFF_HOURS, name, None, since, until, float(counts[day]), 0.0)


def _off(acts: Amounts, weekends: npt.NDArray[np.bool_], first_day: int) -> npt.NDArray[np.bool_]:
    """For each day and hour whether it is off by the days before it, shape (n_days, 24)."""
    seen = acts > 0
    near = np.zeros_like(seen)
    for shift in range(-NEAR_HOURS, NEAR_HOURS + 1):
        near |= np.roll(seen, shift, axis=1)
    there = (np.arange(len(acts)) >= first_day)[:, None]
    used, days = np.zeros(acts.shape), np.zeros(acts.shape)
    for kind in (weekends, ~weekends):
        of_kind = kind[:, None] & there
        used = np.where(kind[:, None], _before(np.asarray(near & of_kind)), used)
        days = np.where(kind[:, None], _before(np.broadcast_to(of_kind, acts.shape)), days)
    active = _before(np.any(seen, axis=1, keepdims=True))
    is_known = (active >= LEAST_ACTIVE_DAYS) & (_before(there) >= LEAST_DAYS)
    return np.asarray(is_known & (used <= USUAL_SHARE * days))


def _before(values: npt.NDArray[np.bool_]) -> Amounts:
    """How often it was true on the days before each, shape as ``values``."""
    total = np.cumsum(values, axis=0, dtype=np.float64)
    return np.asarray(total - values)
