"""Ray, connected to a cluster or started on this machine; it is imported here and nowhere else."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock, current_thread, get_ident
from typing import Any, Final, TextIO

from cipherset.app.engine.engine import Engine
from cipherset.core.errors import BackendError

_RAYS_THREADS: Final = "ray_"  # what the names of its threads begin with


class _WithoutRay:
    """Standard output, but for what Ray prints on it: what became of workers, from a thread of its.

    Whoever keeps it beyond the job has what was there before.
    """

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        self._muted: set[int] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the other has
        return getattr(self._stdout, name)

    def write(self, text: str) -> int:
        """How many characters were taken, if only to be dropped."""
        is_rays = current_thread().name.startswith(_RAYS_THREADS) or get_ident() in self._muted
        return len(text) if is_rays else self._stdout.write(text)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Nothing that this thread prints is shown."""
        self._muted.add(get_ident())
        try:
            yield
        finally:
            self._muted.discard(get_ident())

    def put_back(self) -> None:
        """As it was; unless somebody has put another there, who will put this one back."""
        if sys.stdout is self:
            sys.stdout = self._stdout


class _Connection:
    """The one connection that a process has: made by the first of its jobs, ended by the last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_jobs = 0
        self._address: str | None = None

    def join(self, ray: Any, engine: Engine) -> bool:  # noqa: ANN401 -- a module that is there or not
        """Whether there is one of ours now, which is to be left; not, if one was there before."""
        with self._lock:
            if not self._n_jobs:
                if ray.is_initialized():
                    return False
                self._connect(ray, engine)
            elif engine.address != self._address:
                raise BackendError(
                    "another job of this process is connected to another Ray cluster",
                    code="ray_busy",
                    hint="wait until it is done, or run this one in a process of its own",
                )
            self._n_jobs += 1
            return True

    def leave(self, ray: Any) -> None:  # noqa: ANN401 -- a module that is there or not
        """The last one ends it."""
        with self._lock:
            self._n_jobs -= 1
            if self._n_jobs:
                return
            try:
                with self._stdout.muted():
                    ray.shutdown()
            finally:
                self._stdout.put_back()

    def _connect(self, ray: Any, engine: Engine) -> None:  # noqa: ANN401 -- as above
        self._address = engine.address
        # It prints where a command's result is to go.
        self._stdout = sys.stdout = _WithoutRay(sys.stdout)
        is_connected = False
        try:
            with self._stdout.muted():
                _connect(ray, engine)
            is_connected = True
        finally:
            if not is_connected:
                self._stdout.put_back()


_connection = _Connection()


@contextmanager
def connected(engine: Engine) -> Iterator[Any]:
    """The module ``ray`` while it is connected; a connection that was there is used and left.

    Jobs of several threads share one, and the last of them ends it.

    Raises:
        BackendError: ``ray_missing``; ``ray_unreachable``; ``ray_busy``.
    """
    try:
        ray = import_module("ray")
    except ImportError:
        raise BackendError(
            "the package ray is not installed",
            code="ray_missing",
            hint="pip install 'cipherset[ray]', here and on every node",
        ) from None
    is_ours = _connection.join(ray, engine)
    try:
        yield ray
    finally:
        if is_ours:
            _connection.leave(ray)


def _connect(ray: Any, engine: Engine) -> None:  # noqa: ANN401 -- a module that is there or not
    here = {} if engine.address else {"num_cpus": len(os.sched_getaffinity(0))}
    # What workers print is not ours to repeat.
    quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": False}
    try:
        ray.init(address=engine.address or "local", include_dashboard=False, **here, **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError):
        raise BackendError(
            f"no Ray cluster answers at {engine.address or 'this machine'}",
            code="ray_unreachable",
            hint="give the address of its head node: --address HOST:PORT, and the cluster's token",
        ) from None
