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
from cipherset.app.exports.private.minimizer import private_minimizer
from cipherset.app.exports.utility import ON_EXPORT
from cipherset.core.manifest import ModelKind
from cipherset.core.values import Float32s, Floats
from cipherset.evidence.attack import Knowledge
from cipherset.evidence.attack.model.answers import Scorer
from cipherset.evidence.attack.model.extraction import Extraction
from cipherset.evidence.attack.model.inversion_of_model import ModelInverter
from cipherset.evidence.attack.model.membership import ShadowMembership
from cipherset.evidence.attack.model.stolen import Family, StolenModel
from cipherset.pipeline.minimize import FittedMinimizer, fit, likely_fits, parse_spec
from cipherset.pipeline.train import TrainSpec, train_classifier

# Shadow models are trained on half of them each.
MEMBERS: Final = 2000
FITTED: Final = 1000
COUNTS: Final = (100, 400, 1600)
PENALTY: Final = 1.0
LABELED: Final = (2, 10, 100)
UNLABELED: Final = 2000
# A ciphertext's norm less its noise lies between 1 and 2; the scale is no secret.
SCALE: Final = 1.5
SCALED_ALONE: Final = "sap/1"
_TINY: Final = 1e-12
Codes = npt.NDArray[np.int64]


def trained(case: Case, x: Floats, y: Codes, seed: int) -> Scorer:
    """The lab's model of ciphertexts: from rows to log-probabilities of every class."""
    spec = TrainSpec(ModelKind.LOGISTIC, inverse_penalty=PENALTY, balanced=ON_EXPORT.balanced)
    model = train_classifier(x, y, spec, seed=seed)
    n_classes = int(max(case.victims.codes.max(), case.others.codes.max())) + 1

    def scores(rows: Floats) -> Floats:
        told = np.full((len(rows), n_classes), np.log(_TINY))
        told[:, model.classes_] = np.log(np.maximum(model.predict_proba(rows), _TINY))
        return told

    return scores


def _membership(case: Case) -> Iterator[Line]:
    """Who was trained on: asked with the stored ciphertext, and with a fresh encryption."""
    victims, others = case.victims, case.others
    rows = np.concatenate([victims.c, others.c])[:MEMBERS]
    y = np.concatenate([victims.codes, others.codes])[:MEMBERS]
    x = np.concatenate([victims.x, others.x])[:MEMBERS]
    attack = ShadowMembership(
        train=lambda c, labels, seed: trained(case, c, labels, seed),
        rows=rows,
        labels=y,
        queries={
            "the stored ciphertext": rows,
            "a fresh encryption": case.protection.export(x, y),
            "the gateway's noise-free query": case.protection.query(x),
        },
    )
    for found in attack.run(case.seed):
        for outcome in found.outcomes("membership by shadow models", Knowledge.MODEL_QUERIES):
            yield Line(outcome)


def _minimizer_membership(case: Case) -> Iterator[Line]:
    """Whether a record was among those the stolen minimizer was fitted on."""
    known = np.concatenate([case.victims.x, case.others.x])[:FITTED]
    y = np.concatenate([case.victims.codes, case.others.codes])[:FITTED]
    n_classes = int(y.max()) + 1

    def fitted(x: Floats, labels: Codes, seed: int) -> Scorer:
        minimizer = _like(case, x.astype(np.float32), labels, seed)
        classes = minimizer.arrays()["classes"].astype(np.int64)

        def scores(rows: Floats) -> Floats:
            told = np.full((len(rows), n_classes), np.log(_TINY))
            told[:, classes] = minimizer.log_probabilities(rows)
            return told

        return scores

    attack = ShadowMembership(
        train=fitted,
        rows=known,
        labels=y,
        queries={"the plain record": known},
        n_shadows=8,
        n_targets=2,
    )
    for found in attack.run(case.seed):
        for outcome in found.outcomes(
            "membership in a minimizer fitted as this one", Knowledge.STOLEN_KEY
        ):
            yield Line(outcome)


def _like(case: Case, x: Float32s, labels: Codes, seed: int) -> FittedMinimizer:
    """A minimizer fitted as the stolen one was, with noise if it was."""
    spec, stolen = parse_spec(case.protection.minimizer.spec), case.protection.minimizer
    if spec.guarantee is not None:
        return private_minimizer(spec, spec.guarantee, x, labels, shrink=float(stolen.is_shrunk))
    way, *_ = likely_fits(stolen, radius=case.noise_length, seed=seed)
    return fit(spec, x, labels, settings=way)


def _extraction(case: Case) -> Iterator[Line]:
    """A copy of the gateway's model from its answers, for callers who hold no key."""
    scorer = trained(case, case.others.c, case.others.codes, case.seed)
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
    return None if case.has_classes else "needs classes"


def _few_public(case: Case) -> str | None:
    enough = len(case.public.x) >= COUNTS[0]
    return _no_classes(case) if enough else f"needs {COUNTS[0]} public texts"


def _inverted(case: Case) -> Iterator[Line]:
    """The mean of each class, from the model alone, in ciphertext space."""
    scorer = trained(case, case.others.c, case.others.codes, case.seed)
    means = np.stack(
        [case.others.c[case.others.codes == code].mean(axis=0) for code in _classes(case)]
    )
    inverter = ModelInverter(model=scorer, dim=case.protection.cipher.dim, norm=SCALE)
    yield Line(inverter.run(means, case.seed).outcome("class means from the model alone"))


def _classes(case: Case) -> Codes:
    return np.unique(case.others.codes)


def _stolen(case: Case) -> Iterator[Line]:
    """The lab's model in the hands of somebody without the key, who has a few labeled texts."""
    scorer = trained(case, case.others.c, case.others.codes, case.seed)
    told = scorer(case.protection.query(case.victims.x)).argmax(axis=1)
    with_key = float((told == case.victims.codes).mean())
    public, y = case.public.x, case.public.codes
    if y is None:
        return
    order = np.random.default_rng([case.seed, 0x57]).permutation(len(public))
    family = Family.IDENTITY if case.protection.cipher.scheme == SCALED_ALONE else Family.ROTATION
    for each in LABELED:
        some = _of_each_class(y[order], each)
        if len(some) < each * 2:
            return
        mine = order[some]
        vectors, unlabeled, targets = public[mine], public[order[:UNLABELED]], case.victims.x
        if case.is_minimized:
            own = fit(
                parse_spec(case.protection.minimizer.spec).without_noise,
                vectors,
                y[mine],
                settings=likely_fits(case.protection.minimizer, radius=0.0, seed=case.seed)[0],
            )
            vectors, unlabeled, targets = (own.transform(x) for x in (vectors, unlabeled, targets))
        stolen = StolenModel(
            model=scorer,
            dim=case.protection.cipher.dim,
            vectors=vectors,
            labels=y[mine],
            family=family,
            public=unlabeled,
            norm=SCALE,
        )
        worth = stolen.run(targets, case.victims.codes, case.seed)
        yield Line(worth.outcome(f"stolen model, up to {each} labels a class", with_key=with_key))


def _of_each_class(y: Codes, each: int) -> Codes:
    """The first ``each`` places of every class in ``y``."""
    return np.sort(np.concatenate([np.flatnonzero(y == code)[:each] for code in np.unique(y)]))


def _no_labels(case: Case) -> str | None:
    if not case.has_classes or case.public.y is None:
        return "needs classes, and public text with labels"
    return None


def _no_supervision(case: Case) -> str | None:
    if not case.is_minimized or case.protection.minimizer.spec.startswith("pca"):
        return "needs a minimizer fitted on labels"
    return _no_classes(case)


STEPS: Final = (
    Step("stolen model", _stolen, _no_labels),
    Step("membership", _membership, _no_classes),
)
SLOW_STEPS: Final = (
    Step("model inversion", _inverted, _no_classes),
    Step("model extraction", _extraction, _few_public),
    Step("membership in the minimizer", _minimizer_membership, _no_supervision),
)
