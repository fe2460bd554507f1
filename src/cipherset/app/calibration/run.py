"""``calibrate``: sweep minimizer, dimension, noise and scheme on one's own data.

The settings that ``protect`` would try are measured by the very code it uses; wider ones, no
minimizer at all, and a permutation scheme stand beside them on the same axes. One embedding pass,
one fit per minimizer. Nothing leaves: key and noise are the run's own, from its seed.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from cipherset.app import state
from cipherset.app.assess.lines import Stopwatch
from cipherset.app.calibration.frontier import recommend
from cipherset.app.calibration.kept import KEPT, keep
from cipherset.app.calibration.points import SCHEME, Bench, our_points, permuted_points
from cipherset.app.calibration.rehearsal import Rehearsed
from cipherset.app.calibration.report import render
from cipherset.app.calibration.request import CalibrateRequest, CalibrateResult
from cipherset.app.encoders import opened_for
from cipherset.app.exports.calibrate import MARGIN, TIE, Asked, Measured, Setting, settings
from cipherset.app.exports.columns.beside import fitted_columns, with_columns
from cipherset.app.exports.dataset import Dataset, load
from cipherset.app.exports.fitting import sweep_on
from cipherset.app.exports.plan import Drawing, Plan, make_plan, sample
from cipherset.app.exports.utility import plain_spec, row_scores
from cipherset.app.fields.needed import Measuring, measured_columns
from cipherset.app.gate import Action, Fact
from cipherset.app.gate.subjects import about_source
from cipherset.app.places import Made, check_target
from cipherset.app.reading.embedded import Reading, embedded
from cipherset.app.sanitizing.rules import keyed_rules
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.files import replace_directory, stage_directory, write_atomic
from cipherset.core.manifest import Task
from cipherset.custody.keys import ephemeral_sealer
from cipherset.pipeline.ingest import Source, open_source
from cipherset.pipeline.train import train_model

REPORT: Final = "report.html"
# How much noise each of the others is drawn with, most revealing first.
WIDE: Final = (("none", (2.0, 4.0, 8.0)), ("pca:32", (2.0, 4.0)), ("pca:16", (2.0, 4.0, 8.0)))
DISCRIMINANT: Final = (2.0, 4.0, 8.0)
PUBLIC_ROWS: Final = 2500
# A setting that loses this much to the best is not worth more noise.
HOPELESS: Final = 0.15


def calibrate(session: Session, request: CalibrateRequest) -> CalibrateResult:
    """Measure the frontier of a source and write its page.

    Raises:
        InputError, UsageError, BackendError: as their messages say.
    """
    watch = Stopwatch()
    check_target(request.target, Made.CALIBRATION, overwrite=request.overwrite)
    source = open_source(request.source)  # first: what is refused may hold a password
    facts: dict[str, Fact] = {"max_reid": request.max_reid, "rules": request.rules.digest}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.CALIBRATE, source.name, facts, about=about_source(workspace, source)
        ) as act,
        stage_directory(workspace.home / "calibrate") as scratch,
    ):
        rows = source if request.consent is None else source.with_consent(request.consent)
        dataset, plan = _read(session, request, rows, scratch)
        result = _measured(session, request, (dataset, plan), watch)
        result = replace(result, text=dataset.roles.text)
        _write(request, result)
        best = result.recommended.most_useful
        act.facts["without_consent"] = rows.n_dropped
        act.facts[KEPT] = keep(workspace, source.name, result)
        act.facts["recommended"] = None if best is None else best.name
    return result


def _read(
    session: Session, request: CalibrateRequest, source: Source, scratch: Path
) -> tuple[Dataset, Plan]:
    """The rows, as vectors with the columns beside them, and which of them plays which part."""
    encoder = opened_for(request.roles, request.encoder, session.cache)
    rules, roles = keyed_rules(request.rules, Rehearsed(request.seed).key()), request.roles
    if encoder.texts is not None and not request.all_fields:
        measuring = Measuring(encoder.texts, rules, request.seed, session.progress)
        roles = replace(roles, text=measured_columns(source, roles, measuring)[0])
    reading = Reading(roles, encoder.texts, rules, images=encoder.images)
    read = partial(embedded, source, progress=session.progress)
    path, sealer = scratch / state.VECTORS, ephemeral_sealer()
    dataset = load(read, reading, path=path, sealer=sealer, progress=session.progress)
    plan = make_plan(dataset, Drawing(request.test_share, seed=request.seed, numeric=roles.ranked))
    columns = fitted_columns(dataset, plan, request.seed)
    return with_columns(dataset, columns, path, sealer), plan


def _measured(
    session: Session, request: CalibrateRequest, read: tuple[Dataset, Plan], watch: Stopwatch
) -> CalibrateResult:
    (dataset, plan), seed = read, request.seed
    task = plan.task or Task.CLASSIFICATION
    rehearsed = Rehearsed(seed)
    sweep = sweep_on(dataset, plan, task, key=rehearsed.key(), scheme=SCHEME, seed=seed)
    sweep = replace(sweep, pairing=rehearsed)
    public = plan.rows(dataset, sample(plan.test, PUBLIC_ROWS, seed=seed + 5))
    session.progress.start("plain vectors", None)
    plain = train_model(sweep.inner.x, sweep.inner.y, plain_spec(task), task=task, seed=seed)
    scores = row_scores(task, sweep.validation.y, plain.predict(sweep.validation.x))
    session.progress.finish()
    bench = Bench(sweep, public, scores)
    measured, stopped = _sweep(session, bench, len(dataset.classes), dataset.dim)
    points = [
        *our_points(session.progress, bench, measured),
        *permuted_points(session.progress, bench),
    ]
    return CalibrateResult(
        points=tuple(points),
        plain=float(scores.mean()),
        recommended=recommend(
            points,
            plain=float(scores.mean()),
            limit=MARGIN * request.max_reid,
            tolerated=request.tolerated,
            tie=TIE,
        ),
        limit=request.max_reid,
        tolerated=request.tolerated,
        rows=len(sweep.inner) + len(sweep.validation) + len(public),
        stopped_early=stopped,
        seed=seed,
        seconds=watch.seconds(),
        target=request.target,
        task=task,
    )


def _sweep(session: Session, bench: Bench, n_classes: int, dim: int) -> tuple[list[Measured], int]:
    """What ``protect`` would try, and wider settings; how many were stopped early.

    Of one minimizer more noise is only ever safer and less useful: once a setting is hopeless,
    those with more are left out.
    """
    task = bench.sweep.task
    grid = settings(task, n_classes, dim, Asked(None, None, fits_what_it_exports=True))
    measured = bench.sweep.run(grid, session.progress)
    best = max([float(bench.plain_scores.mean()), *(one.utility for one in measured)])
    others = [(name, factors) for name, factors in WIDE if _fits(name, dim)]
    if task is Task.CLASSIFICATION:
        there = len(np.unique(bench.sweep.inner.y))
        others.append((f"lda:{min(there - 1, dim)}", DISCRIMINANT))
    stopped = 0
    for name, factors in others:
        for position, factor in enumerate(factors):
            (one,) = bench.sweep.run([Setting(name, factor, shrink=0.0)], session.progress)
            measured.append(one)
            if one.utility < best - HOPELESS:
                stopped += len(factors) - position - 1
                break
    return measured, stopped


def _fits(name: str, dim: int) -> bool:
    return name == "none" or int(name.partition(":")[2]) < dim


def _write(request: CalibrateRequest, result: CalibrateResult) -> None:
    """The page and the figures; all or nothing."""
    with stage_directory(request.target, mode=0o755) as staged:
        write_atomic(staged / Made.CALIBRATION, canonical.encode(result.as_json()), mode=0o644)
        write_atomic(staged / REPORT, render(result).encode(), mode=0o644)
        replace_directory(staged, request.target, overwrite=request.overwrite)
