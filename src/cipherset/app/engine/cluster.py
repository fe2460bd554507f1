"""Ray, connected to a cluster or started on this machine; it is imported here and nowhere else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

from cipherset.app.engine.engine import Engine
from cipherset.core.errors import BackendError


@contextmanager
def connected(engine: Engine) -> Iterator[Any]:
    """The module ``ray`` while it is connected; a connection that was there is used and left.

    Raises:
        BackendError: ``ray_missing``; ``ray_unreachable``.
    """
    try:
        ray = import_module("ray")
    except ImportError:
        raise BackendError(
            "the package ray is not installed",
            code="ray_missing",
            hint="pip install 'cipherset[ray]', here and on every node",
        ) from None
    if ray.is_initialized():
        yield ray
        return
    # It prints what became of workers where a command's result is to go.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        _connect(ray, engine)
        try:
            yield ray
        finally:
            ray.shutdown()


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
