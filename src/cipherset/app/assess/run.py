"""``assess``: open the export, hand out knowledge, run the suite, sign what it got."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from cipherset.app.assess.attacks import models, pairs, records, stolen, surface, unpaired
from cipherset.app.assess.attacks.controls import controls
from cipherset.app.assess.attacks.pairs import Fewest, fewest_pairs
from cipherset.app.assess.attacks.proved import clear_columns, proved
from cipherset.app.assess.case import Case, Public, Step, Values, read_rows
from cipherset.app.assess.finding import (
    FINDING,
    REPORT,
    SAMPLES,
    Finding,
    bound_to,
    cap,
    most_found,
    signed,
    signer_facts,
)
from cipherset.app.assess.lines import Line, Scoring, Stopwatch, length
from cipherset.app.assess.report import render_report, render_samples
from cipherset.app.assess.request import AssessRequest, AssessResult
from cipherset.app.assess.sources import read_public, read_records
from cipherset.app.assess.verdict import Control, judge
from cipherset.app.exports.earlier.repeat import Measured
from cipherset.app.gate import Act, Action, Fact
from cipherset.app.gate.subjects import about_cipherset
from cipherset.app.gateway import Gateway, open_gateway
from cipherset.app.labels.record import recorded_run
from cipherset.app.workers import a_core_each
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import InputError, UsageError
from cipherset.core.files import disk_errors, replace_directory, stage_directory, write_atomic
from cipherset.custody.keys import KeyUse
from cipherset.pipeline.export import Cipherset, open_cipherset
from cipherset.pipeline.minimize import (
    FittedMinimizer,
    MinimizerKind,
    fit,
    likely_fits,
    parse_spec,
)

ASSESS: Final = "assess"
LIMIT: Final = "max_reid"
USUAL_LIMIT: Final = 0.05


FAST: Final = (
    *surface.STEPS,
    *unpaired.STEPS,
    *pairs.STEPS,
    *stolen.STEPS,
    *records.STEPS,
    *models.STEPS,
)
SLOW: Final = (*records.SLOW_STEPS, *models.SLOW_STEPS)


@dataclass(frozen=True, slots=True)
class Opened:
    """An export under assessment, opened by its owner, and what was asked."""

    session: Session
    workspace: Workspace
    request: AssessRequest
    gateway: Gateway
    there: Cipherset
    finding_id: str = field(default_factory=partial(secrets.token_hex, 16))


@dataclass(frozen=True, slots=True)
class Results:
    """What the suite got."""

    lines: list[Line] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)


def assess(session: Session, request: AssessRequest) -> AssessResult:
    """Attack an export with everything at hand, and sign the finding.

    Raises:
        IntegrityError: the cipherset was changed, or a sealed part is missing.
        KeyAccessError: its key is not here.
        InputError: a source does not fit.
        PolicyError: too few rows.
    """
    watch = Stopwatch()
    facts: dict[str, Fact] = {"cipherset": request.cipherset.name, "full": request.full}
    with (
        open_workspace(session) as workspace,
        _assessing(workspace, request, facts) as (act, there),
    ):
        gateway = open_gateway(
            workspace, there.manifest.cipherset_id, there.manifest, use=KeyUse.MEASURE
        )
        opened = Opened(session, workspace, request, gateway, there)
        with recorded_run(workspace, ASSESS, [there.manifest_digest], _told(opened)):
            case = open_case(opened)
            finding = _finding(opened, case)
            folder = _write(opened, finding, case)
        act.facts.update(_facts(finding) | _digests(folder))
    return AssessResult(finding, folder, watch.seconds())


@contextmanager
def _assessing(
    workspace: Workspace, request: AssessRequest, facts: dict[str, Fact]
) -> Iterator[tuple[Act, Cipherset]]:
    there = open_cipherset(request.cipherset, signer=workspace.fingerprint)
    about = about_cipherset(there, request.cipherset)
    with workspace.gate.act(Action.ASSESS, str(request.cipherset), facts, about=about) as act:
        yield act, there


def _facts(finding: Finding) -> dict[str, Fact]:
    return {
        "finding": finding.finding_id,
        "cipherset_id": finding.bound.cipherset_id,
        "manifest": finding.bound.manifest,
        "verdict": finding.verdict.value,
        "reid": most_found(finding),
        "n_star": finding.n_star,
        "n_star_noise_free": finding.n_star_noise_free,
        "pair_cap": cap(finding, finding.n_star),
        "limit": finding.limit,
        "suite": finding.bound.suite,
        "minimizer": finding.bound.minimizer,
    }


def _digests(folder: Path) -> dict[str, Fact]:
    """Of what was written, so that it is known to be what it was."""
    return {
        "finding_digest": digest_bytes((folder / FINDING).read_bytes()),
        "report_digest": digest_bytes((folder / REPORT).read_bytes()),
    }


def _told(opened: Opened) -> dict[str, Any]:
    """What is measured, with what, as lineage shows it."""
    bound = bound_to(opened.workspace, opened.gateway, opened.there)
    return {
        "finding": opened.finding_id,
        "full": opened.request.full,
        "suite": bound.suite,
        "minimizer_digest": bound.minimizer,
        "encoder": opened.there.manifest.encoder.name,
        "encoder_digest": opened.there.manifest.encoder.digest,
        "key_id": bound.key_id,
        "key_version": bound.key_version,
    }


def open_case(opened: Opened) -> Case:
    """What is at hand, and what may be handed out; inside an act that was allowed.

    Raises: as ``assess``; UsageError: ``synthetic_release``.
    """
    session, request, gateway = opened.session, opened.request, opened.gateway
    meta = gateway.export.meta
    if meta.synthetic is not None:
        raise UsageError(
            "no row of a synthetic release is one of the source's, so none can be found again",
            code="synthetic_release",
            hint="what it keeps of each row is in its manifest; how well somebody tells who was in "
            "it, protect has printed",
        )
    texts: tuple[str, ...] = ()
    columns: dict[str, Values] = {}
    session.progress.start("open the export", None)
    if request.records is not None:
        ring = opened.workspace.ring
        key = ring.open(meta.key_id, meta.key_version, purpose=KeyUse.MEASURE)
        texts, columns = read_records(request.records, meta, key, request.attributes, gateway.rules)
    victims, others = read_rows(gateway, opened.there, texts=texts, seed=request.seed)
    session.progress.finish()
    if request.public is None:
        public = Public(others.x, others.y if meta.label else None, others.texts)
    else:
        public = read_public(session, meta, request.public, gateway.rules)
    return Case(
        protection=gateway.protection,
        victims=victims,
        others=others,
        public=public,
        surrogates=_surrogates(opened, public),
        attributes={
            name: (values[victims.source], values[others.source])
            for name, values in columns.items()
        },
        scoring=Scoring.of(victims.x, victims.clear, request.seed),
        joined=Measured.model_validate_json(gateway.export.measured).leak.joined,
        noise=meta.settings.noise,
        most_pairs=request.pairs if request.full else min(request.pairs, pairs.QUICK_PAIRS),
        limit=_limit(opened.there),
        seed=request.seed,
    )


def _limit(there: Cipherset) -> float:
    found = there.manifest.settings.get(LIMIT)
    return float(found) if isinstance(found, int | float) else USUAL_LIMIT


def _surrogates(opened: Opened, public: Public) -> tuple[FittedMinimizer, ...]:
    """Minimizers as the owner's, of public text; none where there is nothing to stand in for."""
    protection, progress = opened.gateway.protection, opened.session.progress
    spec = parse_spec(protection.minimizer.spec).without_noise
    unsupervised = spec.kind is MinimizerKind.PCA and protection.task is None
    if spec.kind is MinimizerKind.NONE or (public.y is None and not unsupervised):
        return ()
    progress.start("fit the attacker's minimizers", None)
    cipher = protection.cipher
    ways = likely_fits(
        protection.minimizer,
        radius=length(cipher.noise, cipher.dim),
        seed=opened.request.seed + 1,
    )
    y = None if unsupervised else public.y
    try:
        return tuple(a_core_each(lambda way: fit(spec, public.x, y, settings=way), ways))
    except InputError:  # too few labels, or too few rows, for a minimizer of this kind
        return ()
    finally:
        progress.finish()


def _finding(opened: Opened, case: Case) -> Finding:
    progress, request, results = opened.session.progress, opened.request, Results()
    progress.start("controls: is planted weakness found?", None)
    results.controls.extend(controls(case))
    progress.finish()
    _run(opened, case, results)
    progress.start("the fewest pairs that pass the limit", None)
    fewest = fewest_pairs(case, every=request.full)
    progress.finish()
    return _payload(opened, case, results, fewest)


def _run(opened: Opened, case: Case, results: Results) -> None:
    """Every attack that can be run; what cannot is named, with what it needs or why."""
    progress, steps = opened.session.progress, FAST + (SLOW if opened.request.full else ())
    missing = {step.name: step.without(case) for step in steps}
    if not opened.request.full:
        missing |= {step.name: "takes minutes: --full" for step in SLOW}
    results.not_run.extend(f"{name}: {why}" for name, why in missing.items() if why is not None)
    possible = [step for step in steps if missing[step.name] is None]
    progress.start("attacks", len(possible))
    for found in a_core_each(lambda step: _tried(step, case), possible):
        if isinstance(found, str):
            results.not_run.append(found)
        else:
            results.lines.extend(found)
        progress.advance(1)
    progress.finish()


def _tried(step: Step, case: Case) -> list[Line] | str:
    """The lines of an attack, or why it cannot be run on these rows."""
    try:
        return list(step.run(case))
    except InputError as error:
        return f"{step.name}: {error.message}"


def _payload(opened: Opened, case: Case, results: Results, fewest: Fewest) -> Finding:
    judged = judge(results.lines, results.controls, case.limit)
    return Finding(
        finding_id=opened.finding_id,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        bound=bound_to(opened.workspace, opened.gateway, opened.there),
        verdict=judged.verdict,
        reasons=judged.reasons,
        limit=case.limit,
        n_star=fewest.n_star,
        n_star_noise_free=fewest.n_star_noise_free,
        pairs_tested=fewest.most_tested,
        pair_curve=tuple(asdict(point) for point in fewest.points),
        attacks=tuple(line.as_json() for line in results.lines),
        controls=tuple(control.as_json() for control in results.controls),
        proved=proved(case),
        clear_columns=tuple(clear_columns(opened.there)),
        not_run=tuple(results.not_run),
        seed=case.seed,
        signer=signer_facts(opened.workspace),
    )


def _write(opened: Opened, finding: Finding, case: Case) -> Path:
    """The finding, its page, and, where asked for, what was recovered; all or nothing."""
    workspace = opened.workspace
    findings = workspace.home / "findings"
    with disk_errors(findings):
        findings.mkdir(mode=0o700, exist_ok=True)
    folder = findings / finding.finding_id
    with stage_directory(folder) as staged:
        write_atomic(staged / FINDING, signed(workspace, finding))
        write_atomic(staged / REPORT, render_report(finding, opened.there.manifest).encode())
        if opened.request.samples:
            write_atomic(staged / SAMPLES, render_samples(case).encode())
        replace_directory(staged, folder, overwrite=False)
    return folder
