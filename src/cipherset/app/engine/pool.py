"""Parts to workers of a Ray cluster and back: one that dies, or its node, is replaced.

Ray carries calls of ``Worker``, whose arguments and results are sealed bytes, and says when a
worker is gone. Which part is done is known by its answer, never by Ray.
"""

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.app.engine.task import Task
from cipherset.app.engine.worker import EXPIRED, Worker, receipt_context
from cipherset.core import errors
from cipherset.core.errors import BackendError, CiphersetError
from cipherset.custody.keys import JobGrants

LIFETIME_S: Final = 900.0  # of a grant, from when it is sent until the part is begun
_MOST_LOSSES: Final = 5  # workers that die at one part: then it is the part
_WAITING: Final = 2  # parts of a worker, so that it has one when it has done one
_POLL_S: Final = 5.0
_CPU: Final = "CPU"


@dataclass(frozen=True, slots=True)
class Job:
    """One task over the parts of a source, by its name and with what makes its grants."""

    name: str
    task: Task
    grants: JobGrants = field(repr=False)


@dataclass(slots=True, eq=False)
class _Hand:
    """A worker, as the one who asks sees it."""

    actor: Any
    public_key: bytes = b""
    waiting: int = 0


class Pool:
    """Workers that do the parts of one job, as many as the cluster has cores."""

    def __init__(
        self,
        ray: Any,  # noqa: ANN401 -- a module that is there or not
        job: Job,
        todo: Iterable[int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start the workers.

        Raises:
            BackendError: ``no_workers``.
        """
        self.n_lost = 0
        self._ray, self._job, self._clock = ray, job, clock
        self._todo = deque(todo)
        self._sent: dict[Any, tuple[_Hand, int | None]] = {}
        self._hands: list[_Hand] = []
        self._losses: Counter[int] = Counter()
        self._expires_at: dict[int, float] = {}
        self._early: Counter[int] = Counter()
        self._done: dict[int, dict[str, Any]] = {}
        self._make = ray.remote(num_cpus=1, max_restarts=0)(Worker)
        for _ in range(min(self._n_cpus(), len(self._todo))):
            self._hire()

    def wait_for(self, part: int) -> None:
        """Return when the answer for ``part`` is written.

        Raises:
            CiphersetError: what the worker was refused.
            BackendError: ``worker_lost``; ``worker_clock``; ``worker_failed``; ``no_workers``.
        """
        while part not in self._done:
            self._turn()
        receipt = self._done.pop(part)
        if "refused" in receipt:
            raise _refusal(*receipt["refused"])
        if "failed" in receipt:
            raise BackendError(
                f"a worker failed at part {part} with {receipt['failed']}",
                code="worker_failed",
                hint="run the same command with --engine in-process, and report what it says",
            )

    def close(self) -> None:
        """End the workers."""
        for hand in self._hands:
            self._ray.kill(hand.actor)
        self._hands.clear()
        self._sent.clear()

    def _n_cpus(self) -> int:
        n_cpus = int(self._ray.cluster_resources().get(_CPU, 0))
        if n_cpus < 1:
            raise BackendError(
                "the cluster has no core to work on",
                code="no_workers",
                hint="add a node; what is done is kept, so run the same command again then",
            )
        return n_cpus

    def _hire(self) -> None:
        hand = _Hand(self._make.remote())
        self._hands.append(hand)
        self._sent[hand.actor.hello.remote()] = (hand, None)

    def _turn(self) -> None:
        """Wait for one word of a worker."""
        ready, _ = self._ray.wait(list(self._sent), num_returns=1, timeout=_POLL_S)
        if not ready:
            self._n_cpus()
        for reference in ready:
            hand, part = self._sent.pop(reference)
            try:
                said: bytes = self._ray.get(reference)
            except self._ray.exceptions.RayError:  # its words may hold anything
                self._lost(hand, part)
                continue
            self._heard(hand, part, said)
            self._busy(hand)

    def _heard(self, hand: _Hand, part: int | None, said: bytes) -> None:
        if part is None:
            hand.public_key = said
            return
        hand.waiting -= 1
        if said == EXPIRED:
            self._todo.appendleft(part)
            self._check_clock(part)
            return
        context = receipt_context(self._job.name, part)
        self._done[part] = json.loads(self._job.grants.sealer(part).unseal(said, context=context))

    def _check_clock(self, part: int) -> None:
        """Refuse to go on granting what is over before it is begun."""
        self._early[part] += self._clock() < self._expires_at[part]
        if self._early[part] >= _MOST_LOSSES:
            raise BackendError(
                "a worker's clock is ahead of this machine's: what it is granted is over there",
                code="worker_clock",
                hint="set the clocks of all nodes by one server, and run the same command again",
            )

    def _busy(self, hand: _Hand) -> None:
        """Give the worker what there is to do."""
        while self._todo and hand.waiting < _WAITING:
            part = self._todo.popleft()
            self._expires_at[part] = self._clock() + LIFETIME_S
            grant = self._job.grants.grant(
                hand.public_key,
                self._job.task.encoded(),
                part=part,
                expires_at=self._expires_at[part],
            )
            self._sent[hand.actor.work.remote(grant)] = (hand, part)
            hand.waiting += 1

    def _lost(self, hand: _Hand, part: int | None) -> None:
        """Put back what the worker had, and start another in its place."""
        if part is not None:
            self._todo.appendleft(part)
            self._losses[part] += 1
        if hand in self._hands:
            self._hands.remove(hand)
            self.n_lost += 1
            self._losses[_ANY] += part is None
            self._hire()
        if self._losses[part if part is not None else _ANY] >= _MOST_LOSSES:
            raise BackendError(
                "workers were killed again and again, most likely for want of memory",
                code="worker_lost",
                hint="free memory, or write smaller row groups; what is done is kept, so run the "
                "same command again then",
            )
        for idle in [each for each in self._hands if each.public_key]:
            self._busy(idle)


_ANY: Final = -1  # losses of workers that had no part yet


def _refusal(kind: str, message: str, code: str, hint: str) -> CiphersetError:
    """The error that a worker was refused with."""
    known = getattr(errors, kind, CiphersetError)
    refusal: CiphersetError = known(message, code=code, hint=hint)
    return refusal
