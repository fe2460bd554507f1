"""``view exposure``: what is out of each key, model and dataset, and what may still be given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cipherset.app.serving.models.answer import Precision
from cipherset.app.serving.probing.caps import cap_by
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.sight.risk.pairs import held_by_all, pooled
from cipherset.app.workspace import Session, Workspace
from cipherset.custody.ledger.budgets import ROWS
from cipherset.custody.ledger.exposure import spread
from cipherset.custody.policy import Limits
from cipherset.evidence.views.exposure import budgets
from cipherset.evidence.views.exposure.budgets import AssetUse, KeyUse
from cipherset.evidence.views.picture import Picture


@dataclass(frozen=True, slots=True)
class Exposure:
    """All budgets, and of how many rows how often they left: (times, rows), the most first.

    ``alone``: one person does everything, so that nobody is counted as reading both sides.
    """

    keys: tuple[KeyUse, ...]
    models: tuple[AssetUse, ...]
    datasets: tuple[AssetUse, ...]
    rows: tuple[tuple[int, int], ...] = ()
    alone: bool = False

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "keys": [each.as_json() for each in self.keys],
            "models": [each.as_json() for each in self.models],
            "datasets": [each.as_json() for each in self.datasets],
            "rows": [{"times": times, "rows": rows} for times, rows in self.rows],
            "alone": self.alone,
        }


def view_exposure(session: Session, key: str | None = None) -> Exposure:
    """The exposure of everything, or of one key and nothing else.

    Raises:
        PolicyError: ``not_allowed``.
        KeyAccessError: ``key_unknown``.
    """
    with looked(session, "exposure") as (workspace, _):
        found = exposure_of(workspace, picture(workspace))
        if key is None:
            return found
        key_id = workspace.ring.get(key).key_id
    mine = tuple(each for each in found.keys if each.key.key_id == key_id)
    return Exposure(mine, (), (), alone=found.alone)


def exposure_of(workspace: Workspace, seen: Picture) -> Exposure:
    """The exposure in a picture that was taken of the workspace."""
    ledger = workspace.gate.ledger
    caps = limits_of(seen, ledger.look(workspace.gate.policies).limits)
    rows = ledger.look(lambda work: spread(work, ROWS))
    return computed(seen, caps, tuple(rows))


def computed(
    seen: Picture, caps: budgets.Limits, rows: tuple[tuple[int, int], ...] = ()
) -> Exposure:
    """The same, where it is known what the policies cap."""
    return Exposure(
        keys=budgets.key_uses(seen, held_by_all(seen), pooled(seen), caps),
        models=budgets.model_uses(seen, caps),
        datasets=budgets.dataset_uses(seen, caps),
        rows=rows,
        alone=seen.alone,
    )


def limits_of(seen: Picture, limits: Limits) -> budgets.Limits:
    """What the policies cap, and what was measured of the models."""
    return budgets.Limits(
        oracle_rows=limits.budgets.oracle_rows,
        exports=limits.budgets.exports,
        epsilon=limits.budgets.epsilon,
        queries=_queries(seen, limits),
    )


def _queries(seen: Picture, limits: Limits) -> dict[str, int | None]:
    """How many queries all together may ask of each model, as the gate counts them."""
    models = [each.id for each in seen.things.values() if each.kind == "model"]
    agreement = limits.max_agreement
    if agreement is None or limits.budgets.queries is not None:
        return dict.fromkeys(models, limits.budgets.queries)
    facts: dict[str, list[Mapping[str, Any]]] = {}
    for each in seen.findings:
        facts.setdefault(each.about, []).append(each.facts)
    return {
        each: cap_by(facts.get(each, ()), Precision.LABEL, agreement).together for each in models
    }
