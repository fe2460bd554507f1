"""What a process has once, and several threads change: it is as it was when the last is done."""

import threading
import warnings

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info

from cipherset.app.workers import a_core_each, one_thread
from cipherset.core.process.unwarned import unwarned

DEADLINE_S = 600
np.dot(np.ones(2), np.ones(2))  # its BLAS is loaded


def blas():
    """The numbers of threads that the process shares; of a BLAS on OpenMP each thread has its own.

    Such a one is there where another test has loaded it.
    """
    return [
        each["num_threads"]
        for each in threadpool_info()
        if each["user_api"] == "blas" and each["threading_layer"] == "pthreads"
    ]


@pytest.fixture
def three_threads():
    """A BLAS of three threads, whatever machine this is."""
    before = ThreadpoolController().select(user_api="blas")
    found = before.info()
    _apart(lambda: before.limit(limits=3))
    yield
    _apart(lambda: before.limit(limits=found[0]["num_threads"]))


def _apart(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def overlapping(guard):
    """The first to come leaves first: in two threads, and one after the other."""
    came, may_leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def inside(at):
        with guard():
            came[at].set()
            assert may_leave[at].wait(DEADLINE_S)

    threads = [threading.Thread(target=inside, args=(at,)) for at in (0, 1)]
    for at in (0, 1):
        threads[at].start()
        assert came[at].wait(DEADLINE_S)
    for at in (0, 1):
        may_leave[at].set()
        threads[at].join(DEADLINE_S)
        assert not threads[at].is_alive()
        yield at


def test_blas_has_its_threads_back_when_the_last_of_two_is_done(three_threads):
    assert set(blas()) == {3}
    for at in overlapping(one_thread):
        assert set(blas()) == ({1} if at == 0 else {3})


def test_a_core_each_computes_on_one_thread_and_leaves_as_it_found(three_threads):
    found = [*a_core_each(lambda _: set(blas()), range(3))]
    assert found == [{1}] * 3
    assert set(blas()) == {3}


def test_an_error_within_puts_back_too(three_threads):
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert set(blas()) == {3}


def test_warnings_are_as_they_were_when_the_last_of_two_is_done():
    before = [*warnings.filters]
    for at in overlapping(unwarned):
        assert (warnings.filters == before) == (at == 1)
    with pytest.raises(UserWarning):
        warnings.warn("filterwarnings=error", stacklevel=1)


def test_only_what_is_named_is_not_shown():
    with unwarned(DeprecationWarning):
        warnings.warn("passed over", DeprecationWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("an error still", stacklevel=1)
    with pytest.raises(DeprecationWarning):
        warnings.warn("again", DeprecationWarning, stacklevel=1)
