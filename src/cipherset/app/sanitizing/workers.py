"""Detectors on all cores: texts go to processes of their own and back through pipes only.

Where findings are treated is this process, so no key goes anywhere. The processes are started
anew rather than forked: a fork in the middle of other threads may never come to an end.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from multiprocessing import connection
from threading import Thread
from types import TracebackType
from typing import Final, Self, TypeVar

from cipherset.core.errors import BackendError
from cipherset.pipeline.sanitize import (
    Detector,
    Look,
    Looked,
    Policy,
    detectors_of,
    look,
    policy_of,
)

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")
Make = Callable[[Policy], Sequence[Detector]]  # a function of a module, to be found by its name
_AHEAD: Final = 2  # batches that wait for a core, so that none waits for a batch
_ASK_S: Final = 10.0  # between two questions whether the processes are there still

_detectors: list[Detector] = []  # of a worker process, from its beginning to its end


class Workers:
    """Processes that look; as many as there are cores, or none where there is one core."""

    def __init__(
        self, policy: Policy, n_workers: int | None = None, make: Make = detectors_of
    ) -> None:
        """Each makes its detectors from the policy, which goes to it through a pipe."""
        self.n_workers = n_workers or len(os.sched_getaffinity(0))
        self._policy = policy
        self._make = make
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self, n_items: int) -> Look:
        """Start the processes, no more than there are items; what is given back has one look.

        All are started here: for one that is started while it notices that another was killed,
        Python 3.11 waits for ever.
        """
        n_processes = min(self.n_workers, n_items)
        pool = ProcessPoolExecutor(
            n_processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self._policy.text, self._make),
        )
        self._pool = pool
        with _lost_told():
            for _ in range(n_processes):  # none is idle yet, so that each takes one more
                pool.submit(os.getpid)
        return partial(_looked, pool)


def in_order(
    work: Callable[[_Item, Look], _Done],
    items: Iterable[_Item],
    workers: Workers,
    here: Sequence[Detector],
) -> Iterator[_Done]:
    """``work`` of each of ``items`` in their order, a few of them at once.

    One item alone, and all where there is one core, is not worth a process: ``here`` looks then.

    Raises:
        BackendError: ``worker_lost``: a process was killed, most likely for want of memory.
    """
    rest = iter(items)
    first = list(islice(rest, max(2, workers.n_workers)))
    if len(first) < 2 or workers.n_workers < 2:
        yield from (work(item, partial(look, here)) for item in chain(first, rest))
        return
    looking = workers.start(len(first))
    pending: deque[Future[_Done]] = deque()
    with ThreadPoolExecutor(workers.n_workers + 1) as threads:
        for item in chain(first, rest):
            pending.append(threads.submit(work, item, looking))
            if len(pending) > workers.n_workers + _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _looked(pool: ProcessPoolExecutor, texts: Sequence[str]) -> Looked:
    with _lost_told():
        looked = pool.submit(_look, list(texts))
        # Python 3.11 forgets what it is handed while it notices that a process was killed; whoever
        # asks for something more is told.
        while not wait((looked,), _ASK_S).done:
            pool.submit(os.getpid)
        return looked.result()


@contextmanager
def _lost_told() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool:
        raise BackendError(
            "a process that looks at texts was killed",
            code="worker_lost",
            hint="free memory, or lower --largest-row; then run the same command again",
        ) from None


def _start(rules: str, make: Make) -> None:
    """Make the detectors of this process, which ends when the one that started it does."""
    Thread(target=_end_with_parent, daemon=True).start()
    _detectors[:] = make(policy_of(rules))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _look(texts: list[str]) -> Looked:
    return look(_detectors, texts)
