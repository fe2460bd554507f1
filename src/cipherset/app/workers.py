"""Independent pieces of one computation, a core each."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Protocol, TypeVar

from threadpoolctl import ThreadpoolController, threadpool_limits

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


class _Blas:
    """How many compute on one BLAS thread now, and what each of them found when it came."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_inside = 0
        self._limits: list[_Limit] = []

    def enter(self) -> None:
        """One thread; also of a library that was loaded since the last one came."""
        with self._lock:
            _apart(self._limit)
            self._n_inside += 1

    def leave(self) -> None:
        """The last one puts back what the first one found."""
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                _apart(self._restore)

    def _limit(self) -> None:
        self._limits.append(ThreadpoolController().select(user_api="blas").limit(limits=1))

    def _restore(self) -> None:
        while self._limits:
            self._limits.pop().restore_original_limits()


class _Limit(Protocol):
    def restore_original_limits(self) -> None: ...


def _apart(call: Callable[[], None]) -> None:
    """In a thread that has ended then.

    While it lives, the thread that limited OpenBLAS is the only one that threadpoolctl lets change
    it; and who comes first need not be who leaves last.
    """
    thread = Thread(target=call)
    thread.start()
    thread.join()


_blas = _Blas()


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS and one OpenMP thread within, for whoever computes on a core of its own.

    BLAS has one number for the whole process. Each that restored what it found would restore the
    one thread of another that was still there, for good; so the last one restores.
    """
    _blas.enter()
    try:
        with ThreadpoolController().select(user_api="openmp").limit(limits=1):
            yield
    finally:
        _blas.leave()


def a_core_each(work: Callable[[_Item], _Done], items: Iterable[_Item]) -> Iterator[_Done]:
    """``work`` of each of ``items``, in their order, as they are done.

    On one BLAS and one OpenMP thread each (the number of the latter is every thread's own): the
    matrices are small, and several threads a matrix only wait for each other.
    """
    workers = ThreadPoolExecutor(
        os.cpu_count(), initializer=threadpool_limits, initargs=(1, "openmp")
    )
    with one_thread(), workers as threads:
        yield from threads.map(work, items)
