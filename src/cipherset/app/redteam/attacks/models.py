"""Deployed models: copied from their answers, asked who was trained on, and probed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.redteam.attack import Attack, Ground
from cipherset.app.redteam.line import Line
from cipherset.app.redteam.targets import Target, What
from cipherset.app.serving.lab.splits import TEST, TRAIN
from cipherset.app.serving.models.deployments import Deployed, Deployments, Opened
from cipherset.app.serving.probing.measure import measure_copies
from cipherset.core.manifest import BundleManifest, ModelKind, Task
from cipherset.core.values import LABEL, Float32s, Floats
from cipherset.evidence.attack import Knowledge
from cipherset.evidence.attack.model.answers import Answers, Scorer
from cipherset.evidence.attack.model.membership import ShadowMembership
from cipherset.pipeline.train import TrainSpec, load_bundle, train_classifier

MOST_MEMBERS: Final = 1000
N_SHADOWS: Final = 16
QUICK_SHADOWS: Final = 8
_LEAST: Final = 1e-12
_MEMBERS_AT_001: Final = "tpr_at_fpr_0.01"
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Answering:
    """A model that answers, and what it is asked by: plain rows (n, d) and their class codes."""

    opened: Opened
    manifest: BundleManifest

    def rows(self, split: str, most: int) -> tuple[Float32s, Codes]:
        """At most so many plain rows of a split, of known classes, and their codes."""
        codes = {name: code for code, name in enumerate(self.manifest.classes)}
        x, y, n = [], [], 0
        for batch in self.opened.gateway.stored(split):
            labels = batch.columns.column(LABEL).to_pylist()
            found = np.array([codes.get(str(label), -1) for label in labels], dtype=np.int64)
            x.append(batch.values[found >= 0])
            y.append(found[found >= 0])
            n += len(y[-1])
            if n >= most:
                break
        if not x:
            return np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.int64)
        return np.concatenate(x)[:most], np.concatenate(y)[:most]

    def queries(self, x: Float32s) -> Float32s:
        """As the gateway makes them: without noise."""
        return self.opened.gateway.queries(x, at_gate=self.manifest.at_gate)

    def scores(self, queries: Floats) -> Floats:
        """Log-probabilities (n, classes) of queries; those of a label where it tells no more."""
        worker = self.opened.worker
        told = worker.run(np.asarray(queries, dtype=np.float32), scores=worker.has_scores)
        if told.scores is None:
            return np.log(np.maximum(np.eye(len(self.manifest.classes))[told.labels], _LEAST))
        return np.log(np.maximum(told.scores.astype(np.float64), _LEAST))

    @property
    def answers(self) -> Answers:
        """What it tells."""
        return Answers.PROBABILITIES if self.opened.worker.has_scores else Answers.LABELS


@contextmanager
def answering(ground: Ground, target: Target) -> Iterator[Answering]:
    """The model, opened as a service would."""
    bundle = load_bundle(target.place)
    model, models = Deployed(target.place.name, bundle, target.about, (0, 0, 0)), Deployments()
    try:
        with models.using(ground.session, ground.workspace, model) as opened:
            yield Answering(opened, bundle.manifest)
    finally:
        models.close()
        if model.opened is not None:
            model.opened.worker.close()


def _copies(ground: Ground, target: Target) -> Iterator[Line]:
    """The best copy for each kind of answer; the curve is in the ledger, and caps queries."""
    found = measure_copies(ground.session, target.place, seed=ground.seed)
    for answers in sorted({point.answers for point in found.points}):
        points = [point for point in found.points if point.answers is answers]
        best = max(points, key=lambda point: point.agreement.value)
        yield Line(
            attack=f"{Knowledge.MODEL_QUERIES} model copied from its answers: {answers}",
            against=target.about.id,
            name=target.name,
            metric="agreement",
            value=best.agreement.value,
            ci=(best.agreement.low, best.agreement.high),
            n=best.agreement.n,
            chance=best.chance,
            given=f"{best.n_queries} queries; {best.source}",
            bound=ground.bound(target),
        )


def _membership(ground: Ground, target: Target) -> Iterator[Line]:
    """Of its own training rows, how many are told from others by the queries that callers make."""
    with answering(ground, target) as model:
        x_in, y_in = model.rows(TRAIN, MOST_MEMBERS)
        x_out, y_out = model.rows(TEST, MOST_MEMBERS)
        x, y = np.concatenate([x_in, x_out]), np.concatenate([y_in, y_out])
        attack = ShadowMembership(
            train=_recipe(model.manifest),
            rows=_as_stored(model, x, y),
            labels=y,
            queries={"the gateway's noise-free query": model.queries(x)},
            answers=model.answers,
            n_shadows=QUICK_SHADOWS if ground.is_quick else N_SHADOWS,
        )
        (found,) = attack.against(model.scores, np.arange(len(x)) < len(x_in), ground.seed)
    for outcome in found.outcomes("membership by shadow models", Knowledge.MODEL_QUERIES):
        yield Line(
            attack=f"{outcome.knowledge} {outcome.attack}",
            against=target.about.id,
            name=target.name,
            metric=outcome.metric.value,
            value=outcome.value,
            ci=outcome.ci,
            n=outcome.n,
            chance=outcome.chance,
            limit=ground.limits.membership if outcome.metric == _MEMBERS_AT_001 else None,
            given=outcome.given,
            bound=ground.bound(target),
        )


def _as_stored(model: Answering, x: Float32s, y: Codes) -> Float32s:
    """The rows as the attacker's shadows learn them: encrypted anew, as the model's were."""
    if model.manifest.at_gate:
        return model.queries(x)
    return model.opened.gateway.protection.export(x, y)


def _recipe(manifest: BundleManifest) -> "Recipe":
    kind = ModelKind.LOGISTIC if manifest.model is ModelKind.EXTERNAL else manifest.model
    return Recipe(TrainSpec(kind, inverse_penalty=1.0, balanced=True), len(manifest.classes))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Trains models of the attacker's own, as the attacked one was by default."""

    spec: TrainSpec
    n_classes: int

    def __call__(self, x: Floats, y: Codes, seed: int) -> Scorer:
        """One of them, which knows every class."""
        model = train_classifier(x, y, self.spec, seed=seed)

        def scores(rows: Floats) -> Floats:
            told = np.full((len(rows), self.n_classes), np.log(_LEAST))
            told[:, model.classes_] = np.log(np.maximum(model.predict_proba(rows), _LEAST))
            return told

        return scores


def no_classes(ground: Ground, target: Target) -> str | None:
    """Why a model cannot be asked who was trained on."""
    manifest = load_bundle(target.place).manifest
    return None if manifest.task is Task.CLASSIFICATION else "needs a model with classes"


ATTACKS: Final = (
    Attack("copies", What.MODEL, "how well a copy made of its answers agrees", _copies, no_classes),
    Attack(
        "membership",
        What.MODEL,
        "whether training rows are told from others by its answers",
        _membership,
        no_classes,
    ),
)
