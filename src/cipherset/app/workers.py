"""Independent pieces of one computation, a core each."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


def a_core_each(work: Callable[[_Item], _Done], items: Iterable[_Item]) -> Iterator[_Done]:
    """``work`` of each of ``items``, in their order, as they are done.

    On one BLAS and one OpenMP thread each (the number of the latter is every thread's own): the
    matrices are small, and several threads a matrix only wait for each other.
    """
    workers = ThreadPoolExecutor(os.cpu_count(), initializer=threadpool_limits, initargs=(1,))
    with threadpool_limits(1), workers as threads:
        yield from threads.map(work, items)
