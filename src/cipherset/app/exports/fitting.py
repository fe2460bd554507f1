"""The minimizer of a key version: the one it has, or the one that is measured to be best."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from cipherset.app import state
from cipherset.app.exports.calibrate import (
    MARGIN,
    Asked,
    Measured,
    Setting,
    Sweep,
    choose,
    fit_for,
    pair,
    settings,
)
from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.leak import CANDIDATES, TIMES, measure_exposure, measure_reid
from cipherset.app.exports.plan import FIT_ROWS, Plan, sample
from cipherset.app.exports.request import AUTO, Owner, ProtectRequest
from cipherset.app.exports.split import test_rows
from cipherset.app.exports.utility import Part, Protection, Rows
from cipherset.app.workers import one_thread
from cipherset.core.errors import UsageError
from cipherset.core.manifest import EncoderFacts, Task
from cipherset.core.secret import KeyHandle
from cipherset.pipeline.minimize import FittedColumn, class_anchors, thresholds

# 2,000 candidates of 6,000 rows; with fewer a row is easier to find than in the export itself.
VALIDATION_SHARE: Final = 1 / 3
SWEEP_ROWS: Final = 8_000
# Where nothing says how much noise, and nothing can be measured for want of labels.
UNMEASURED_FACTOR: Final = 4.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A protection ready to use, how it was chosen, and whether the key version had it before."""

    protection: Protection
    bound: state.Settings
    tried: list[Measured] = field(repr=False)
    is_new: bool


def fitted(
    owner: Owner, request: ProtectRequest, dataset: Dataset, plan: Plan, encoder: EncoderFacts
) -> Fitted:
    """The protection for this key version.

    Raises:
        PolicyError: the key version has a minimizer with other settings, or no setting keeps the
            limit.
    """
    path = state.minimizer_path(owner.workspace.minimizers, owner.key)
    if path.exists():
        return _bound(owner, request, dataset, plan, encoder)
    rows = plan.rows(dataset, sample(plan.fit, FIT_ROWS, seed=request.seed))
    setting, tried = _setting(owner, request, dataset, plan)
    owner.progress.start(f"fit {setting}", None)
    with one_thread():
        minimizer = fit_for(plan.task, setting, rows, seed=request.seed)
    protection = pair(owner.key, request.scheme, plan.task, setting, minimizer)
    # A rule that is chosen by looking at rows would be one more thing computed from them.
    if request.accept_risk is None and not request.has_private_minimizer:
        chosen = sample(plan.test, CANDIDATES, seed=request.seed + 4)
        protection = hold_exposed(
            protection, rows, plan.rows(dataset, chosen), max_reid=request.max_reid
        )
    owner.progress.finish()
    return Fitted(
        protection, _settings(request, setting, dataset, plan, encoder), tried, is_new=True
    )


def hold_exposed(
    protection: Protection, fitted_on: Rows, held_out: Rows, *, max_reid: float
) -> Protection:
    """``protection``, where need be with a rule that holds the most exposed of ``held_out``.

    An average under the limit says nothing of the rows that fare worst. The most exposed 1 % may
    be found ``TIMES`` as often as ``max_reid`` says of all, beyond their clear columns. Where they
    are found more often, rows far from the anchor of their class are moved onto it: of a short
    list of distances the first that does. The attack is told the rule.

    What no rule holds stays as it is, for ``protect`` to refuse: numeric labels, which have no
    anchors, and an average above the limit, unless vectors are shrunk onto anchors: then it is
    few rows that it comes from, and they lose little.
    """
    if TIMES * max_reid >= 1 or protection.task is not Task.CLASSIFICATION:
        return protection
    exposed, average = _holds(protection, held_out, max_reid)
    minimizer = protection.minimizer
    if (exposed and average) or not (average or minimizer.is_shrunk):
        return protection
    anchors = class_anchors(minimizer, fitted_on.x, fitted_on.y)
    for beyond in thresholds(minimizer, anchors):
        ruled = replace(protection, minimizer=minimizer.anchored(anchors, beyond=beyond))
        if all(_holds(ruled, held_out, max_reid)):
            return ruled
    return protection


def _holds(protection: Protection, rows: Rows, max_reid: float) -> tuple[bool, bool]:
    """Whether the most exposed are found rarely enough, and whether all are on average."""
    average = measure_reid(protection, Part(rows, protection.export(rows.x, rows.y)))
    # What is chosen over some draws of the noise is measured again over others.
    exposed = measure_exposure(protection, rows).top_excess <= MARGIN * TIMES * max_reid
    return exposed, average.high <= max_reid


def check_bound(owner: Owner, request: ProtectRequest) -> None:
    """Refuse another minimizer for a key version before a row is read.

    Raises:
        PolicyError: ``minimizer_bound``.
    """
    path = state.minimizer_path(owner.workspace.minimizers, owner.key)
    if not path.exists():
        return
    _, bound = state.read_minimizer(path, owner.sealer)
    is_beside = bound.beside == request.roles.beside
    others = tuple(FittedColumn(name) for name in request.roles.beside)
    asked = {
        "columns": bound.columns if is_beside else others,
        "scheme": request.scheme,
        "noise": request.noise_kept,
        "fit_share": request.fit_share,
        "test_share": request.test_share,
        "seed": request.seed,
    }
    if request.minimize != AUTO:
        asked["minimizer"] = request.minimize_kept
    if request.factor is not None:
        asked["approximation_factor"] = request.factor
    state.check_same(bound, bound.model_copy(update=asked))


def _bound(
    owner: Owner, request: ProtectRequest, dataset: Dataset, plan: Plan, encoder: EncoderFacts
) -> Fitted:
    path = state.minimizer_path(owner.workspace.minimizers, owner.key)
    minimizer, bound = state.read_minimizer(path, owner.sealer)
    factor = request.factor
    asked = Setting(
        bound.minimizer if request.minimize == AUTO else request.minimize_kept,
        bound.approximation_factor if factor is None else factor,
        noise=request.noise_kept,
    )
    state.check_same(bound, _settings(request, asked, dataset, plan, encoder))
    protection = pair(owner.key, request.scheme, plan.task, asked, minimizer)
    return Fitted(protection, bound, [], is_new=False)


def _settings(
    request: ProtectRequest,
    setting: Setting,
    dataset: Dataset,
    plan: Plan,
    encoder: EncoderFacts,
) -> state.Settings:
    return state.Settings(
        minimizer=setting.minimizer,
        approximation_factor=setting.approximation_factor,
        noise=setting.noise,
        scheme=request.scheme,
        encoder=encoder.digest or encoder.name,
        classes=plan.classes(dataset),
        fit_share=request.fit_share,
        test_share=request.test_share,
        seed=request.seed,
        columns=dataset.columns,
    )


def _setting(
    owner: Owner, request: ProtectRequest, dataset: Dataset, plan: Plan
) -> tuple[Setting, list[Measured]]:
    """What was asked for, or the best of what was not."""
    minimize, factor = request.minimize_kept, request.factor
    if plan.task is None:
        return _unlabeled(request), []
    grid = settings(
        plan.task,
        len(dataset.classes),
        dataset.dim,
        Asked(
            None if minimize == AUTO else minimize,
            factor,
            fits_what_it_exports=request.fit_share == 1,
            noise=request.noise_kept,
        ),
    )
    if not grid:
        raise UsageError(
            f"vectors of {dataset.dim} dimension are too narrow to minimize",
            code="too_narrow",
            hint="give --minimize none, and an --approximation-factor",
        )
    if len(grid) == 1:
        return grid[0], []
    sweep = sweep_on(
        dataset, plan, plan.task, key=owner.key, scheme=request.scheme, seed=request.seed
    )
    tried = sweep.run(grid, owner.progress)
    if request.accept_risk is not None or (minimize != AUTO and factor is not None):
        return max(tried, key=lambda m: (m.reid.high <= request.max_reid, m.utility)).setting, tried
    return choose(tried, request.max_reid).setting, tried


def _unlabeled(request: ProtectRequest) -> Setting:
    if request.minimize == AUTO:
        raise UsageError(
            "without a label there is no accuracy to choose a minimizer by",
            code="label_needed",
            hint="give --label COLUMN, or --minimize pca:K (or none)",
        )
    factor = UNMEASURED_FACTOR if request.factor is None else request.factor
    return Setting(request.minimize_kept, factor, noise=request.noise_kept)


def sweep_on(
    dataset: Dataset, plan: Plan, task: Task, *, key: KeyHandle, scheme: str, seed: int
) -> Sweep:
    """What candidates are fitted and measured on: training rows, a third of them held out."""
    chosen = sample(plan.fit, SWEEP_ROWS, seed=seed + 2)
    rows = plan.rows(dataset, chosen)
    groups = (
        None
        if dataset.groups is None
        else np.unique(dataset.groups[chosen], return_inverse=True)[1]
    )
    strata = rows.y if task is Task.CLASSIFICATION else np.zeros(len(rows), dtype=np.int64)
    copies = None if dataset.copies is None else dataset.copies.take(chosen)
    held = test_rows(strata.astype(np.int64), groups, copies, share=VALIDATION_SHARE, seed=seed + 3)
    return Sweep(key, scheme, task, rows.take(~held), _shuffled(rows.take(held), seed), seed)


def _shuffled(rows: Rows, seed: int) -> Rows:
    """In random order, so that the first rows are a fair sample."""
    return rows.take(np.random.default_rng([seed, 0x51]).permutation(len(rows)))
