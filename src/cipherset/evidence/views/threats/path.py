"""A path: who comes to what through which live things, and what is known of how far they get."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cipherset.core import canonical
from cipherset.evidence.views.threats.attackers import Attacker

ATLAS: Final = "AML."
_ID_DIGITS: Final = 16
_RUN: Final = "run-"


class State(StrEnum):
    """What is known of a path; what nobody measured and nothing stands against is the last."""

    MEASURED = "measured"
    MITIGATED = "mitigated"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A line of a finding about ``about``; ``run`` is the run, or the event, that it is of.

    ``ci`` is the 95 % interval of ``value``, ``given`` what the attack was handed, ``limit`` what
    was allowed, where that was said, ``chance`` what comes of guessing.
    """

    about: str
    run: str
    finding: str
    time: str
    knowledge: str
    attack: str
    given: str
    metric: str
    value: float
    ci: tuple[float, float]
    limit: float | None
    is_fresh: bool
    chance: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may be above the limit; where none is set, whether it is above chance."""
        low, high = self.ci
        return low > (self.chance or 0.0) if self.limit is None else high > self.limit

    def as_json(self) -> dict[str, Any]:
        """Part of a path's JSON."""
        return {
            "run": self.run,
            "finding": self.finding,
            "date": self.time[:10],
            "attack": self.attack,
            "given": self.given,
            "knowledge": self.knowledge,
            "metric": self.metric,
            "value": self.value,
            "ci": list(self.ci),
            "chance": self.chance,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class Mitigation:
    """What stands in the way: a policy, a budget, a filter, a provider of keys; by its name."""

    kind: str
    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A live thing on the way: a principal, a grant, an asset, a deployment."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """One attacker's way to one asset.

    ``principal`` is who it is, where it is one person; ``pairs`` how many rows they may read on
    both sides. ``stale`` says why a measurement that there is does not count.
    """

    attacker: Attacker
    asset: Stop
    steps: tuple[Stop, ...]
    principal: str = ""
    pairs: int | None = None
    measured: Measurement | None = None
    stale: str = ""
    mitigations: tuple[Mitigation, ...] = ()

    @property
    def id(self) -> str:
        """The same for the same attacker and asset, whatever else there is."""
        what = [self.attacker.id, self.asset.kind, self.asset.id, self.principal]
        return canonical.digest({"path": what}).removeprefix("sha256:")[:_ID_DIGITS]

    @property
    def state(self) -> State:
        """Measured, or else mitigated, or else neither."""
        if self.measured is not None:
            return State.MEASURED
        return State.MITIGATED if self.mitigations else State.NOT_MEASURED

    @property
    def is_open(self) -> bool:
        """Whether it is known to lead somewhere, or nothing is known to stop it."""
        if self.measured is None:
            return self.state is State.NOT_MEASURED
        return self.measured.is_open

    @property
    def says(self) -> str:
        """The state in a sentence."""
        if self.measured is not None:
            return _told(self.measured)
        if self.mitigations:
            return "mitigated by " + "; ".join(
                f"{each.kind} {each.name}: {each.says}" for each in self.mitigations
            )
        return f"not measured ({self.stale})" if self.stale else "not measured"

    def as_json(self) -> dict[str, Any]:
        """A member of ``paths``."""
        return {
            "id": self.id,
            "attacker": self.attacker.id,
            "who": self.principal or self.attacker.who,
            "holds": self.attacker.holds,
            "goal": self.attacker.goal,
            "asset": self.asset.id,
            "asset_kind": self.asset.kind,
            "asset_name": self.asset.name,
            "steps": [{"kind": each.kind, "id": each.id, "name": each.name} for each in self.steps],
            "pairs": self.pairs,
            "atlas": [each for each in self.attacker.references if each.startswith(ATLAS)],
            "owasp": [each for each in self.attacker.references if not each.startswith(ATLAS)],
            "stride": self.attacker.against.value,
            "state": self.state.value,
            "says": self.says,
            "open": self.is_open,
            "measured": None if self.measured is None else self.measured.as_json(),
            "mitigations": [
                {"kind": each.kind, "name": each.name, "says": each.says}
                for each in self.mitigations
            ],
        }


def _told(found: Measurement) -> str:
    low, high = found.ci
    limit = "" if found.limit is None else f", limit {100 * found.limit:g} %"
    given = f" ({found.given})" if found.given else ""
    run = found.run.removeprefix(_RUN)
    return (
        f"measured by Run {run}: {100 * found.value:.2f} % ({100 * low:.2f} to "
        f"{100 * high:.2f} %{limit}) by {found.attack}{given}, {found.time[:10]}"
    )
