"""``assess BUNDLE``: how well a model is copied from its answers, by their number.

The attacker gets rows of the very kind that the model learned from, which are the best questions
there are, and random ones. The curve is in the ledger; it caps what callers may ask (``caps.py``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from cipherset.app.gate import Action, Fact
from cipherset.app.gate.subjects import about_bundle
from cipherset.app.serving.models.answer import Precision
from cipherset.app.serving.models.deployments import Deployed, Deployments, Opened
from cipherset.app.serving.probing.caps import Curve, curve_fact, encode_curve
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import Answers
from cipherset.evidence.attack.model.extraction import Agreement, Extraction
from cipherset.guard.probing import Measured
from cipherset.pipeline.train import load_bundle

COUNTS: Final = (10, 25, 50, 100, 200, 400, 800, 1600)
MOST_COMPARED: Final = 1000
FEWEST_ROWS: Final = 50
_LEAST: Final = 1e-9
_TELLS: Final = {
    Answers.LABELS: Precision.LABEL,
    Answers.ROUNDED: Precision.ROUNDED,
    Answers.PROBABILITIES: Precision.FULL,
}


@dataclass(frozen=True, slots=True)
class ModelCopied:
    """The points of all curves, for one model."""

    model: str
    name: str
    points: tuple[Agreement, ...]

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "model": self.model,
            "name": self.name,
            "agreement": [
                {
                    "answers": _TELLS[point.answers].value,
                    "queries": point.n_queries,
                    "source": point.source,
                    "value": point.agreement.value,
                    "ci": [point.agreement.low, point.agreement.high],
                    "chance": point.chance,
                }
                for point in self.points
            ],
        }

    def curve(self, answers: Answers) -> Curve:
        """Counts and the upper ends of what copies agree, the sources apart."""
        return tuple(
            Measured(point.n_queries, point.agreement.high)
            for point in self.points
            if point.answers is answers
        )

    def facts(self) -> dict[str, Fact]:
        """As the ledger keeps it."""
        kinds = {point.answers for point in self.points}
        curves: dict[str, Fact] = {
            curve_fact(told): encode_curve(self.curve(answers))
            for answers, told in _TELLS.items()
            if answers in kinds
        }
        return {"model": self.model, **curves}


def measure_copies(session: Session, path: Path, *, seed: int = 0) -> ModelCopied:
    """Copy the model in the bundle ``path`` from ever more answers, and write down the curve.

    Raises:
        PolicyError: ``not_allowed``; ``few_to_copy``: too few rows, or a model without classes.
        KeyAccessError, IntegrityError, InputError, BackendError: it cannot be opened.
    """
    bundle = load_bundle(path)
    model = Deployed(path.name, bundle, about_bundle(bundle, path), (0, 0, 0))
    models = Deployments()
    facts: dict[str, Fact] = {"what": "copies"}
    try:
        with (
            open_workspace(session) as workspace,
            workspace.gate.act(Action.ASSESS, str(path), facts, about=model.about) as act,
        ):
            with models.using(session, workspace, model) as opened:
                points = _attack(opened, model, seed)
            found = ModelCopied(bundle.digest, path.name, points)
            act.facts.update(found.facts())
    finally:
        models.close()
        if model.opened is not None:
            model.opened.worker.close()
    return found


def _attack(opened: Opened, model: Deployed, seed: int) -> tuple[Agreement, ...]:
    manifest, rng = model.bundle.manifest, np.random.default_rng(seed)
    rows = opened.gateway.sample(COUNTS[-1] + MOST_COMPARED, rng)
    half = max(len(rows) - MOST_COMPARED, len(rows) // 2)
    if len(rows) < FEWEST_ROWS or manifest.task is not Task.CLASSIFICATION:
        raise PolicyError(
            f"{len(rows)} rows with classes are too few to measure copies with",
            code="few_to_copy",
            hint=f"it takes a model with classes and {FEWEST_ROWS} rows",
        )
    answers = tuple(Answers) if opened.worker.has_scores else (Answers.LABELS,)

    def victim(x: Floats) -> Floats:
        queries = opened.gateway.queries(x.astype(np.float32), at_gate=manifest.at_gate)
        told = opened.worker.run(queries, scores=opened.worker.has_scores)
        if told.scores is None:
            return np.log(np.maximum(np.eye(len(manifest.classes))[told.labels], _LEAST))
        return np.log(np.maximum(told.scores.astype(np.float64), _LEAST))

    attack = Extraction(
        victim=victim,
        queries=rows[:half],
        rows=rows[half:],
        counts=tuple(count for count in COUNTS if count <= half),
        answers=answers,
    )
    return attack.run(seed)
