"""All assets by their scores, the highest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cipherset.evidence.views.risk.because import because
from cipherset.evidence.views.risk.facts import Evidence, Facts
from cipherset.evidence.views.risk.formula import Score, score
from cipherset.evidence.views.risk.lower import lower


@dataclass(frozen=True, slots=True)
class Ranked:
    """An asset and its score."""

    facts: Facts
    score: Score

    def as_json(self) -> dict[str, Any]:
        """The asset as the command prints it, with the reasons and what would lower the score."""
        facts, found = self.facts, self.score
        return {
            "id": facts.id,
            "kind": facts.kind,
            "name": facts.name,
            "score": found.value,
            "label": None if facts.label is None else facts.label.value,
            "rows": facts.rows,
            "status": facts.standing,
            "evidence": facts.attack.evidence.value,
            "stale": facts.attack.evidence is Evidence.STALE,
            "likelihood": round(found.likelihood, 6),
            "impact": round(found.impact, 6),
            "because": list(because(facts, found)),
            "parts": [
                {
                    "name": part.name,
                    "badness": round(part.badness, 6),
                    "weight": part.weight,
                    "factor": round(part.factor, 6),
                }
                for part in found.parts
            ],
            "lower": [
                {"what": each.what, "command": each.command, "score": each.score}
                for each in lower(facts)
            ],
        }


def ranked(facts: Iterable[Facts]) -> tuple[Ranked, ...]:
    """Every asset with its score, the highest first; of equal ones by kind, name and id."""
    found = [Ranked(each, score(each)) for each in facts]
    return tuple(sorted(found, key=_order))


def _order(each: Ranked) -> tuple[float, str, str, str]:
    return (
        -each.score.likelihood * each.score.impact,
        each.facts.kind,
        each.facts.name,
        each.facts.id,
    )
