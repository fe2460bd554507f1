"""The strongest attack on each asset, by the findings there are, and whether it still holds.

A finding holds for the digest that it names and the suite that made it. What stands behind an asset
counts for it: a key is as weak as the weakest of its exports, and a model gives away what the
export does that it was trained on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cipherset.evidence.views.exposure.budgets import scope_in, scope_of
from cipherset.evidence.views.picture import Finding, Key, Picture, Thing
from cipherset.evidence.views.risk.facts import Attack, Evidence
from cipherset.evidence.views.risk.formula import attack_badness
from cipherset.evidence.views.risk.sorts import TRAIN, Origins, Sort

# Upper ends of intervals, as events name them; the first that is there.
_HIGH: Final = ("reid_high", "reid", "membership_high", "high")
_LIMITS: Final = ("limit", "membership_limit")
_MINIMIZER: Final = "minimizer"
_INCONCLUSIVE: Final = "inconclusive"
_DAY_S: Final = 86_400.0
_ORDER: Final = tuple(Evidence)
UNUSED: Final = "anything: nothing was encrypted under it that the ledger knows"


class Attacks:
    """The strongest attack on each asset of one picture."""

    def __init__(
        self, picture: Picture, found: Origins, limit: float, minimizers: Mapping[str, str]
    ) -> None:
        """For all assets of the picture.

        Args:
            picture: The picture.
            found: Where everything came from.
            limit: The policies' limit of re-identification, where a finding has none.
            minimizers: The digest today of that of each key version, where there is one.
        """
        self._picture, self._origins, self._limit = picture, found, limit
        self._minimizers = minimizers
        self._keys = {each.id: each for each in picture.keys}
        self._findings: defaultdict[str, list[Finding]] = defaultdict(list)
        for each in picture.findings:
            if _high(each.facts) is not None:
                self._findings[each.about].append(each)

    def of(self, thing: Thing) -> Attack:
        """The strongest on this one."""
        sort = self._origins.sort_of(thing)
        found = self._by_sort(thing, sort)
        if thing.is_stale and found.evidence is Evidence.MEASURED:
            why = "it holds, or was made of, rows of somebody who was forgotten since"
            return replace(found, evidence=Evidence.STALE, because=why)
        return found

    def _by_sort(self, thing: Thing, sort: Sort) -> Attack:
        match sort:
            case Sort.PLAIN:
                return Attack(Evidence.PLAIN, limit=self._limit)
            case Sort.KEY:
                return self._of_key(self._keys.get(thing.id))
            case Sort.MODEL:
                return self._of_model(thing)
            case Sort.SEALED | Sort.INDEX | Sort.SERVICE:
                return self._own(thing.id)

    def _of_key(self, key: Key | None) -> Attack:
        if key is None:
            return Attack(Evidence.UNMEASURED, limit=self._limit, because="a key that is not here")
        exports = self._origins.sealed.get(scope_of(key.key_id, key.version), ())
        if not exports:
            return Attack(Evidence.UNMEASURED, limit=self._limit, because=UNUSED)
        return _worst(self._named(each) for each in exports)

    def _of_model(self, thing: Thing) -> Attack:
        own, makers = self._own(thing.id), self._origins.makers.get(thing.id, ())
        trained = [step for step in makers if step.kind == TRAIN]
        if any(step.parameters.get("at_gate") for step in trained):
            return own  # on noise-free rows: what their export gives away says nothing of it
        sources = sorted({source for step in trained for source in step.inputs})
        if not sources:
            why = (
                "a model of unknown origin" if not trained else "a model of rows that are not here"
            )
            return replace(own, because=own.because or why)
        behind = _worst(self._named(each) for each in sources)
        return behind if own.evidence is Evidence.UNMEASURED else _worst([behind, own])

    def _named(self, asset: str) -> Attack:
        """The attack on what stands behind another asset, and which that is."""
        thing = self._picture.things.get(asset)
        if thing is None:
            return Attack(Evidence.UNMEASURED, limit=self._limit, because=asset[:23])
        found = self.of(thing)
        return found if found.because else replace(found, because=thing.name)

    def _own(self, asset: str) -> Attack:
        known = self._findings.get(asset, [])
        if not known:
            return Attack(Evidence.UNMEASURED, limit=self._limit)
        holding = [each for each in known if self._stale(each) is None]
        if not holding:
            return self._attack(Evidence.STALE, known[-1], known[-1], self._stale(known[-1]) or "")
        # Who looked less far takes nothing back; who looked again makes it new.
        worst = max(holding, key=lambda each: (_high(each.facts) or 0.0, each.seq))
        return self._attack(Evidence.MEASURED, worst, holding[-1], "")

    def _attack(self, evidence: Evidence, worst: Finding, newest: Finding, why: str) -> Attack:
        passed = (self._picture.now - datetime.fromisoformat(newest.time)).total_seconds()
        name = worst.facts.get("finding")
        return Attack(
            evidence=evidence,
            high=_high(worst.facts) or 0.0,
            age_days=max(passed, 0.0) / _DAY_S,
            limit=self._limit_of(worst.facts),
            source=f"event {worst.seq}" + (f", finding {name}" if name else ""),
            because=why,
        )

    def _stale(self, found: Finding) -> str | None:
        """Why it says nothing of today, or None."""
        facts = found.facts
        if not found.is_fresh:
            return "the attacks are others since"
        # Inconclusive, and yet within the limit: a control failed.
        if facts.get("verdict") == _INCONCLUSIVE and (_high(facts) or 0.0) <= self._limit_of(facts):
            return "the suite did not see what was planted for it"
        thing = self._picture.things.get(found.about)
        if thing is not None and _MINIMIZER in facts:
            now = self._minimizers.get(scope_in(thing.attributes))
            return None if now == facts[_MINIMIZER] else "the minimizer of its key is another since"
        return None

    def _limit_of(self, facts: Mapping[str, Any]) -> float:
        return next((float(facts[name]) for name in _LIMITS if name in facts), self._limit)


def _high(facts: Mapping[str, Any]) -> float | None:
    for name in _HIGH:
        value = facts.get(name)
        if isinstance(value, int | float):
            return float(value)
    return None


def _worst(attacks: Iterable[Attack]) -> Attack:
    """The one that counts most; of two that count as open, the one of which less is known."""
    return max(attacks, key=lambda each: (attack_badness(each), -_ORDER.index(each.evidence)))
