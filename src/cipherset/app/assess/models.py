"""K5 and K6: the lab's model, stolen or asked.

The model is the one that ``cipherset train`` makes of the export by default; another family may
give away more or less.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.assess.case import Case, Step
from cipherset.app.assess.lines import Line
from cipherset.app.exports.utility import ON_EXPORT
from cipherset.core.manifest import ModelKind, Task
from cipherset.core.values import Floats
from cipherset.evidence.attack import Knowledge
from cipherset.evidence.attack.model.answers import Scorer
from cipherset.evidence.attack.model.extraction import Extraction
from cipherset.evidence.attack.model.membership import ShadowMembership
from cipherset.pipeline.train import TrainSpec, train_model

# Shadow models are trained on half of them each.
MEMBERS: Final = 2000
COUNTS: Final = (100, 400, 1600)
PENALTY: Final = 1.0
_TINY: Final = 1e-12
Codes = npt.NDArray[np.int64]


def trained(case: Case, x: Floats, y: Codes, seed: int) -> Scorer:
    """The lab's model of ciphertexts: from rows to log-probabilities of every class."""
    spec = TrainSpec(ModelKind.LOGISTIC, inverse_penalty=PENALTY, balanced=ON_EXPORT.balanced)
    model = train_model(x, y, spec, task=Task.CLASSIFICATION, seed=seed)
    n_classes = int(max(case.victims.y.max(), case.others.y.max())) + 1
    known = np.unique(y)

    def scores(rows: Floats) -> Floats:
        told = np.full((len(rows), n_classes), np.log(_TINY))
        told[:, known] = np.log(np.maximum(model.predict_proba(rows), _TINY))
        return told

    return scores


def _membership(case: Case) -> Iterator[Line]:
    """Who was trained on: asked with the stored ciphertext, and with a fresh encryption."""
    rows, y, x = (
        np.concatenate([getattr(case.victims, name), getattr(case.others, name)])[:MEMBERS]
        for name in ("c", "y", "x")
    )
    attack = ShadowMembership(
        train=lambda c, labels, seed: trained(case, c, labels, seed),
        rows=rows,
        labels=y,
        queries={
            "the stored ciphertext": rows,
            "a fresh encryption": case.protection.export(x),
            "the gateway's noise-free query": case.protection.query(x),
        },
    )
    for found in attack.run(case.seed):
        for outcome in found.outcomes("membership by shadow models", Knowledge.MODEL_QUERIES):
            yield Line(outcome)


def _extraction(case: Case) -> Iterator[Line]:
    """A copy of the gateway's model from its answers, for callers who hold no key."""
    scorer = trained(case, case.others.c, case.others.y, case.seed)
    counts = tuple(count for count in COUNTS if count <= len(case.public.x))
    attack = Extraction(
        victim=lambda rows: scorer(case.protection.query(rows.astype(np.float32))),
        queries=case.public.x,
        rows=case.victims.x,
        counts=counts,
    )
    for found in attack.run(case.seed):
        yield Line(found.outcome("model copied from its answers"))


def _no_classes(case: Case) -> str | None:
    if not case.has_classes:
        return "needs classes"
    return None if len(case.public.x) >= COUNTS[0] else f"needs {COUNTS[0]} public texts"


STEPS: Final = (
    Step("membership", _membership, _no_classes),
    Step("model extraction", _extraction, _no_classes),
)
