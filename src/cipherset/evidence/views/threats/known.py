"""What paths are judged by, beside the picture: measurements, and what stands in the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cipherset.evidence.views.threats.attackers import Attacker
from cipherset.evidence.views.threats.path import Measurement, Mitigation


@dataclass(frozen=True, slots=True)
class Reading:
    """Which grants and roles let somebody read plain rows, and which encrypted ones."""

    plain_actions: frozenset[str]
    plain_roles: frozenset[str]
    sealed_actions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """All of it.

    ``guards`` are what policies, limits and filters of today have against each attacker, by its
    id. By the id of an export: ``exported`` is what was measured when it was made, ``encoders``
    the digest of the encoder that its vectors are from, ``caps`` how many of its pairs may be out
    (None: no tested number passes the limit).
    """

    reading: Reading
    measurements: Mapping[str, tuple[Measurement, ...]]
    guards: Mapping[str, tuple[Mitigation, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    exported: Mapping[str, Mitigation] = field(default_factory=lambda: MappingProxyType({}))
    encoders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    caps: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))

    def against(self, attacker: Attacker, *more: Mitigation | None) -> tuple[Mitigation, ...]:
        """What stands in an attacker's way: what always does, and ``more`` where it is there."""
        return (*self.guards.get(attacker.id, ()), *(each for each in more if each is not None))

    def judged(self, attacker: Attacker, assets: Iterable[str]) -> dict[str, Any]:
        """``measured`` and ``stale`` of a path, by the most that was measured on ``assets``."""
        lines = [
            each
            for asset in assets
            for each in self.measurements.get(asset, ())
            if each.knowledge in attacker.knowledge and each.metric in attacker.metrics
        ]
        fresh = [each for each in lines if each.is_fresh]
        if fresh:
            return {"measured": max(fresh, key=lambda each: (each.ci[1], each.time))}
        if not lines:
            return {}
        last = max(lines, key=lambda each: each.time)
        return {"stale": f"Run {last.run} of {last.time[:10]} is stale: another suite, or asset"}
