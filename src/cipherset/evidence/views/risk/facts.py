"""What a score is computed from: one frozen value for each asset, and nothing beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from cipherset.core.labels import Level


class Evidence(StrEnum):
    """What is known of how far an attack gets; all but ``measured`` count as all the way."""

    PLAIN = "plain"  # there is nothing to attack: whoever has it reads it
    UNMEASURED = "unmeasured"
    STALE = "stale"  # measured, of something else than what is there today
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Attack:
    """The strongest attack that was measured.

    ``high`` is the upper end of its interval, in [0, 1]; ``limit`` what the owner asked for;
    ``source`` names the event, ``because`` what went stale, or whose figures these are.
    """

    evidence: Evidence
    high: float = 1.0
    age_days: float = 0.0
    limit: float = 0.05
    source: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What was spent of what; ``cap`` is None where ``because`` says why none binds.

    ``is_open``: nothing caps it, such as where no policy does. ``is_waiting``: the cap is nothing
    until an attack was measured. ``is_measured``: attacks tell the cap, not a setting.
    ``command`` says what caps it, or starts it anew.
    """

    name: str
    used: int
    cap: int | None
    because: str = ""
    is_open: bool = False
    is_waiting: bool = False
    is_measured: bool = False
    command: str = ""

    @property
    def share(self) -> float:
        """How much of it is gone, in [0, 1]; all where nothing caps it or nothing was to spend."""
        if self.is_open:
            return 1.0
        if self.cap is None:
            return 0.0
        return 1.0 if self.cap <= 0 else min(max(self.used, 0) / self.cap, 1.0)


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that stands between the asset and who asks, or could: ``command`` puts it there."""

    name: str
    is_on: bool
    command: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read the asset or ask it; ``through`` are roles and ids of grants."""

    name: str
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One asset, as a score sees it.

    ``label`` is None where nobody has looked, ``rows`` where nobody has counted: the worst then.
    ``made_by`` is the run that made it, where one of ours did.
    ``stopped`` are the readers who would remain, were it suspended. ``commands`` has the words
    that mend it, by what they mend: ``measure``, ``protect``, ``label``, ``stop``.
    """

    id: str
    kind: str
    name: str
    label: Level | None
    rows: int | None
    attack: Attack
    made_by: str = ""
    readers: tuple[Reader, ...] = ()
    budgets: tuple[Budget, ...] = ()
    guards: tuple[Guard, ...] = ()
    standing: str = "proposed"
    stopped: tuple[Reader, ...] | None = None
    commands: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
