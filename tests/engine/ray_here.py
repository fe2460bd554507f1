"""What the pool needs of Ray, in this process: workers that die when told, and all that is carried.

A simulator of the other side's interface; the same runs against Ray itself in test_engine_ray.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """A worker is gone."""


@dataclass(eq=False)
class Actor:
    """A worker; ``dead`` once it was killed."""

    ray: "RayHere"
    worker: Any
    dead: bool = False

    @property
    def hello(self) -> Any:
        return SimpleNamespace(remote=lambda: Call(self, "hello", ()))

    @property
    def work(self) -> Any:
        return SimpleNamespace(remote=lambda grant: Call(self, "work", (grant,)))


@dataclass(eq=False)
class Call:
    """A call that is made when somebody waits for it."""

    actor: Actor
    name: str
    arguments: tuple[Any, ...]

    def made(self) -> Any:
        ray = self.actor.ray
        ray.calls[self.name] += 1
        ray.carried += self.arguments
        self.actor.dead |= (self.name, ray.calls[self.name]) in ray.dies
        if self.actor.dead or self.name in ray.never:
            if ("after", ray.calls[self.name]) in ray.dies:
                getattr(self.actor.worker, self.name)(*self.arguments)
            raise RayError("a row may be in here: canary9e1c")
        said = getattr(self.actor.worker, self.name)(*self.arguments)
        ray.carried.append(said)
        return said


@dataclass
class RayHere:
    """``dies``: at the n-th call of a method its worker does; ``never``: at such all do."""

    dies: Iterable[tuple[str, int]] = ()
    never: Iterable[str] = ()
    n_cpus: int = 2
    silent: int = 0  # that often nobody answers in time
    connected: bool = True
    in_order: bool = False
    calls: dict[str, int] = field(default_factory=lambda: {"hello": 0, "work": 0})
    carried: list[bytes] = field(default_factory=list)
    hired: int = 0
    killed: int = 0
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(RayError=RayError))

    def is_initialized(self) -> bool:
        return self.connected

    def init(self, **options: object) -> None:
        raise ConnectionError(str(options))

    def remote(self, **options: object) -> Any:
        assert options == {"num_cpus": 1, "max_restarts": 0}

        def decorated(kind: Any) -> Any:
            def made() -> Actor:
                self.hired += 1
                return Actor(self, kind())

            return SimpleNamespace(remote=made)

        return decorated

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.n_cpus)} if self.n_cpus else {}

    def wait(self, calls: list[Call], *, num_returns: int, timeout: float) -> tuple[Any, Any]:
        """By default the last that was sent is the first to be done: nothing leans on the order."""
        assert num_returns == 1
        assert timeout > 0
        if self.silent:
            self.silent -= 1
            return [], calls
        chosen = calls[0 if self.in_order else -1]
        return [chosen], [call for call in calls if call is not chosen]

    def get(self, call: Call) -> Any:
        return call.made()

    def kill(self, actor: Actor) -> None:
        actor.dead = True
        self.killed += 1
