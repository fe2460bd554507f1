"""Exports and models with their latest evidence: measured, how, and whether that still holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cipherset.evidence.views.picture import DONE, Finding, Picture, Thing

_REDTEAM: Final = "redteam"
_EXPORT: Final = "cipherset_id"
_OVER: Final = frozenset({"retired"})


class Evidence(StrEnum):
    """What is known of what an export gives away."""

    WITHIN_LIMIT = "within limit"
    NOT_PROTECTIVE = "not protective"
    INCONCLUSIVE = "inconclusive"
    STALE = "stale"
    NONE = "not measured"


@dataclass(frozen=True, slots=True)
class Export:
    """An export, and the latest finding about it; ``key`` is ``KEY_ID vVERSION``.

    ``evidence`` is the verdict only while the finding is by the suite of today. ``reid``,
    ``n_star`` and ``pair_cap`` are the finding's, whether it holds or not; ``sources`` are ids of
    assets.
    """

    thing: Thing
    rows: int | None
    key: str
    evidence: Evidence
    finding: Finding | None
    sources: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nobody is to use it any more."""
        return self.thing.standing in _OVER

    @property
    def reid(self) -> float | None:
        """The most that any attack found, at the upper end of its interval."""
        found = self._fact("reid")
        return float(found) if isinstance(found, int | float) else None

    @property
    def n_star(self) -> int | None:
        """The fewest known pairs that pass the limit; None where no tested number does."""
        found = self._fact("n_star")
        return found if isinstance(found, int) else None

    @property
    def pair_cap(self) -> int | None:
        """How many pairs may be out; None where they do not bind, or nothing was measured."""
        found = self._fact("pair_cap")
        return found if isinstance(found, int) else None

    def _fact(self, name: str) -> Any:  # noqa: ANN401 -- any JSON value
        return None if self.finding is None else self.finding.facts.get(name)


def exports(picture: Picture) -> tuple[Export, ...]:
    """Every export, the newest first."""
    latest = latest_findings(picture.findings)
    sources = _sources(picture)
    found = [
        Export(
            thing=each,
            rows=_rows(each.attributes),
            key=f"{each.attributes['key_id']} v{each.attributes['key_version']}",
            evidence=evidence_of(latest.get(each.id)),
            finding=latest.get(each.id),
            sources=sources.get(each.id, ()),
        )
        for each in picture.things.values()
        if _EXPORT in each.attributes
    ]
    return tuple(reversed(found))


def latest_findings(findings: Iterable[Finding]) -> dict[str, Finding]:
    """The latest assessment with a verdict about each asset; what the red team got is no other."""
    return {
        each.about: each for each in findings if "verdict" in each.facts and each.action != _REDTEAM
    }


def evidence_of(finding: Finding | None) -> Evidence:
    """What a finding, or none, comes to today."""
    if finding is None:
        return Evidence.NONE
    if not finding.is_fresh:
        return Evidence.STALE
    try:
        return Evidence(str(finding.facts["verdict"]))
    except ValueError:
        return Evidence.INCONCLUSIVE


def _rows(attributes: Mapping[str, Any]) -> int | None:
    rows = attributes.get("rows")
    return rows if isinstance(rows, int) else None


def _sources(picture: Picture) -> dict[str, tuple[str, ...]]:
    """What each export was made of."""
    return {
        made: tuple(step.inputs)
        for step in picture.steps
        if step.kind == "protect" and step.status == DONE
        for made in step.outputs
    }
