"""Who asks how: the trail of each caller of one model, and what follows from it.

One unusual block slows its caller down; a second among the last few refuses them for a while.
Callers who share a script can each stay below a block. So the queries of all who have not yet asked
a block make one more trail: while two blocks of that are unusual, those without a usual block of
their own are slowed down.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from cipherset.core.values import Floats
from cipherset.guard.probing.signs import Block, Codes, Sign
from cipherset.guard.probing.trail import Points, Trail
from cipherset.guard.probing.usual import MOST_BLOCKS, Usual

MOST_CALLERS: Final = 512
REFUSED_FOR: Final = timedelta(hours=1)
STRIKES: Final = 2


class Verdict(IntEnum):
    """What becomes of the next query; the larger is the harder."""

    ALLOW = 0
    SLOW = 1
    REFUSE = 2


@dataclass(frozen=True, slots=True)
class Observed:
    """The verdict with these queries in it, and what is unusual and was not told before.

    Each sign comes with how many times its threshold it is. ``together``: those of all
    newcomers together.
    """

    verdict: Verdict
    signs: dict[Sign, float] = field(default_factory=dict)
    together: dict[Sign, float] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Caller:
    trail: Trail = field(repr=False)
    blocks: deque[Block] = field(default_factory=lambda: deque(maxlen=MOST_BLOCKS), repr=False)
    strikes: deque[bool] = field(default_factory=lambda: deque(maxlen=MOST_BLOCKS))
    refused_until: datetime | None = None

    @property
    def is_proven(self) -> bool:
        return bool(self.strikes) and not any(self.strikes)

    @property
    def verdict(self) -> Verdict:
        return Verdict(min(sum(self.strikes), STRIKES))


class Monitor:
    """All callers of one model; for many threads. Forgets the one not seen longest at a limit."""

    def __init__(self, usual: Usual, *, most_callers: int = MOST_CALLERS) -> None:
        """Nobody asked yet."""
        self._usual = usual
        self._most = most_callers
        self._callers: OrderedDict[str, _Caller] = OrderedDict()
        self._together = _Caller(Trail(usual.measures))
        self._lock = threading.Lock()

    def verdict(self, caller: str, now: datetime) -> Verdict:
        """What becomes of a query of ``caller`` before it is looked at."""
        with self._lock:
            return self._verdict(self._known(caller), now)

    def observe(self, caller: str, queries: Floats, labels: Codes, now: datetime) -> Observed:
        """Add queries (n, d) as encrypted, and the codes that the model gave them (n,)."""
        points = self._usual.points(queries, labels)
        with self._lock:
            known = self._known(caller)
            together = self._add(self._together, points) if not known.strikes else {}
            signs = self._add(known, points)
            if signs and known.verdict is Verdict.REFUSE:
                known.refused_until = now + REFUSED_FOR
            return Observed(self._verdict(known, now), signs, together)

    def _add(self, caller: _Caller, points: Points) -> dict[Sign, float]:
        found: dict[Sign, float] = {}
        for block in caller.trail.add(points):
            caller.blocks.append(block)
            signs = self._usual.signs(tuple(caller.blocks))
            caller.strikes.append(bool(signs))
            if signs:  # one bad block is not held against the next ones, too
                caller.blocks.clear()
            found |= {sign: max(times, found.get(sign, 0.0)) for sign, times in signs.items()}
        return found

    def _verdict(self, caller: _Caller, now: datetime) -> Verdict:
        if caller.refused_until is not None:
            if now < caller.refused_until:
                return Verdict.REFUSE
            # Another chance, slowly: what is unusual once more refuses again.
            caller.refused_until = None
            caller.blocks.clear()
            caller.strikes.clear()
            caller.strikes.append(True)
        if self._together.verdict is Verdict.REFUSE and not caller.is_proven:
            return max(Verdict.SLOW, caller.verdict)
        return caller.verdict

    def _known(self, name: str) -> _Caller:
        caller = self._callers.setdefault(name, _Caller(Trail(self._usual.measures)))
        self._callers.move_to_end(name)
        while len(self._callers) > self._most:
            self._callers.pop(self._oldest(name))
        return caller

    def _oldest(self, name: str) -> str:
        """Who was not seen longest; those with strikes are kept as long as others are there."""
        others = [other for other in self._callers if other != name]
        clean = (other for other in others if not any(self._callers[other].strikes))
        return next(clean, others[0])
