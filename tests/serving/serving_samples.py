"""Small things that the tests of serving share."""

from dataclasses import dataclass


class Quiet:
    """Progress that nobody looks at."""

    def start(self, stage: str, total: int | None) -> None: ...
    def advance(self, steps: int) -> None: ...
    def finish(self) -> None: ...


@dataclass(frozen=True)
class Key:
    """A version of a key, by its names."""

    key_id: str = "support-0011223344556677"
    version: int = 1
