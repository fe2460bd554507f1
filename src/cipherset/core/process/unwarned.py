"""Warnings that are not to be shown, by several threads at a time.

``warnings.catch_warnings`` puts back the filters that it found, which are the process's: of two
threads that overlap, the last puts back what the first one set, for good. So all of this package
share one: the last to leave puts back what was there before the first came.
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock


class _Shared:
    """How many ignore warnings now, and what puts back the filters that the first one found."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_inside = 0
        self._before = ExitStack()

    def enter(self, category: type[Warning]) -> None:
        """Ignore ``category`` from here on."""
        with self._lock:
            if not self._n_inside:
                self._before.enter_context(warnings.catch_warnings())
            self._n_inside += 1
            warnings.simplefilter("ignore", category)

    def leave(self) -> None:
        """The last one puts the filters back."""
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                self._before.close()


_shared = _Shared()


@contextmanager
def unwarned(category: type[Warning] = Warning) -> Iterator[None]:
    """No warning of ``category`` within; other threads may be spared theirs meanwhile."""
    _shared.enter(category)
    try:
        yield
    finally:
        _shared.leave()
