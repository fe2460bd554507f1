"""Progress that also remembers how long each stage took."""

import time
from dataclasses import dataclass, field

from cipherset.core.protocols import Progress


@dataclass(slots=True)
class TimedProgress:
    """Passes everything on to ``inner``; ``seconds`` has the wall time of each stage."""

    inner: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    _stage: str | None = None
    _since: float = 0.0

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins; one that is still open ends."""
        self._close()
        self._stage, self._since = stage, time.perf_counter()
        self.inner.start(stage, total)

    def advance(self, steps: int) -> None:
        """``steps`` more are done."""
        self.inner.advance(steps)

    def finish(self) -> None:
        """The stage is done."""
        self._close()
        self.inner.finish()

    def _close(self) -> None:
        if self._stage is not None:
            spent = time.perf_counter() - self._since
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + spent
            self._stage = None
