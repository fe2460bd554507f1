"""``redteam``: every attack on every target, compared with what was accepted, signed and recorded.

Each target is an act of its own at the gate. An attack that fails is written down as failed, and
the next one runs. What is finished is kept until the finding is in the ledger.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cipherset.app.assess.finding import signer_facts, suite_digest
from cipherset.app.assess.lines import Stopwatch
from cipherset.app.gate import About, Act, Action, Fact
from cipherset.app.labels.record import record_model, recorded_run
from cipherset.app.redteam.accepted import RUN, baseline, retired
from cipherset.app.redteam.attack import Attack, Ground
from cipherset.app.redteam.attacks.suite import chosen
from cipherset.app.redteam.finding import RedTeamFinding, instant, measured_by, write_finding
from cipherset.app.redteam.garak import Report, read_report
from cipherset.app.redteam.limits import Limits, read_limits
from cipherset.app.redteam.line import Line, LineVerdict
from cipherset.app.redteam.partial import Partial, Unit, open_partial
from cipherset.app.redteam.regression import compare
from cipherset.app.redteam.request import RedTeamRequest, RedTeamResult
from cipherset.app.redteam.targets import Target, What, find_targets, keyed
from cipherset.app.serving.relay.guards import Guards, KeptGuards
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import Caught, CiphersetError, PolicyError
from cipherset.core.files import disk_errors
from cipherset.custody.policy import Kind
from cipherset.evidence.views.picture import GUARDS
from cipherset.pipeline.train import load_bundle

# What there is too little of to attack is not attacked, and no attack that failed.
TOO_FEW: Final = frozenset(
    {"assess_rows", "few_to_copy", "few_rows", "no_rows", "n_queries", "no_label", "class_codes"}
)
_DENIED: Final = "not_allowed"


@dataclass(slots=True)
class Results:
    """What a run has got so far; ``missing`` says which targets are not there."""

    lines: list[Line] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    targets: list[Target] = field(default_factory=list)
    denials: list[PolicyError] = field(default_factory=list)
    n_resumed: int = 0

    def fail(self, attack: str, target: str, code: str) -> None:
        """Note an attack that ended otherwise than it should."""
        self.failed.append({"attack": attack, "target": target, "code": code})


@dataclass(frozen=True, slots=True)
class _Run:
    """A run under way; ``stop`` says whether it is to end before the next attack."""

    ground: Ground
    request: RedTeamRequest
    finding_id: str
    partial: Partial = field(repr=False)
    stop: Callable[[], bool] = field(repr=False)
    results: Results = field(default_factory=Results)


def never() -> bool:
    """Nobody wants it to stop."""
    return False


def redteam(
    session: Session, request: RedTeamRequest, *, stop: Callable[[], bool] = never
) -> RedTeamResult | None:
    """Attack what there is, and write down what came of it; None where it was stopped before.

    Raises:
        UsageError: ``redteam_attack``, ``redteam_target``, ``redteam_running``.
        InputError: ``redteam_limits``, ``redteam_injections``, ``garak_report``.
        PolicyError: ``not_allowed``: of everything.
        IntegrityError: ``redteam_changed``; what is in a place that was given was changed.
        BackendError: the ledger or the finding cannot be written.
    """
    watch, attacks = Stopwatch(), chosen(request.only)
    limits, reports = read_limits(session.home), [read_report(path) for path in request.garak]
    with (
        open_workspace(session) as workspace,
        open_partial(session.home, workspace.ring.signer()) as partial,
    ):
        ground = _ground(session, workspace, request, limits)
        run = _Run(ground, request, secrets.token_hex(16), partial, stop)
        found = find_targets(workspace, request.places)
        run.results.missing = found.missing
        for target in found.targets:
            if not _attacked(run, target, [each for each in attacks if each.what is target.what]):
                return None
        for report in reports:
            _take_in(run, report)
        if run.results.denials and not run.results.targets:
            raise run.results.denials[0]
        finding = _finding(run)
        path = _recorded(run, finding)
        partial.clear()
    return RedTeamResult(finding, path, run.results.n_resumed, watch.seconds())


def _ground(
    session: Session, workspace: Workspace, request: RedTeamRequest, limits: Limits
) -> Ground:
    @cache
    def guards() -> Guards:
        return KeptGuards(session).get()

    return Ground(
        session,
        workspace,
        limits,
        request.attackers,
        guards,
        _inputs(workspace, request),
        request.seed,
        request.is_quick,
    )


def _inputs(workspace: Workspace, request: RedTeamRequest) -> dict[str, str]:
    """What was handed to the attackers, files by their keyed digests."""
    handed = request.attackers
    sources = [each.source for each in (*handed.rows, *handed.canaries)]
    if handed.public is not None:
        sources.append(handed.public.source)
    paths = [Path(source) for source in sources if Path(source).is_file()]
    told = {"attackers": repr(handed)}
    for path in (*paths, *filter(None, (handed.injections,))):
        told[str(path)] = keyed(workspace, path)
    return told


def _attacked(run: _Run, target: Target, attacks: Sequence[Attack]) -> bool:
    """Run those attacks on a target; whether the run is to go on."""
    if not attacks:
        return True
    gate, results = run.ground.workspace.gate, run.results
    facts: dict[str, Fact] = {"finding": run.finding_id, "quick": run.request.is_quick}
    before = len(results.lines)
    try:
        with gate.act(Action.REDTEAM, target.name, facts, about=target.about) as act:
            _known(run.ground.workspace, target)
            results.targets.append(target)
            for attack in attacks:
                if run.stop():
                    act.facts["stopped"] = True
                    return False
                _tried(run, attack, target)
            _tell(act, run.finding_id, results.lines[before:])
            act.facts.update(measured_by(target, results.lines[before:]))
    except PolicyError as error:
        if error.code != _DENIED:
            raise
        results.denials.append(error)
        results.fail("all", target.name, error.code)
    return True


def _known(workspace: Workspace, target: Target) -> None:
    """Write down a target that the ledger may not know yet."""
    if target.what is What.MODEL:
        record_model(workspace, load_bundle(target.place))
    elif target.what is What.GUARD:
        about = target.about
        workspace.gate.ledger.record_asset(
            about.id,
            actor=workspace.gate.actor,
            kind=about.kind.value,
            name=about.name,
            attributes={"what": GUARDS},
        )


def _tried(run: _Run, attack: Attack, target: Target) -> None:
    """One attack: its lines, or why there are none."""
    results, progress = run.results, run.ground.session.progress
    unit = Unit(attack.name, target.name, run.ground.bound(target))
    kept = run.partial.finished.get(unit)
    if kept is not None:
        results.lines.extend(kept)
        results.n_resumed += 1
        return
    caught = Caught()
    progress.start(f"{attack.name} against {target.name}", None)
    with caught:
        _measured(run, attack, target, unit)
    progress.finish()
    if caught.kind:
        results.fail(attack.name, target.name, caught.kind)


def _measured(run: _Run, attack: Attack, target: Target, unit: Unit) -> None:
    results = run.results
    try:
        missing = attack.without(run.ground, target)
        made = attack.run(run.ground, target) if missing is None else ()
        lines = tuple(line.model_copy(update={"by": attack.name}) for line in made)
    except CiphersetError as error:
        if error.code in TOO_FEW:
            results.not_run.append(f"{attack.name} against {target.name}: {error.message}")
        else:
            results.fail(attack.name, target.name, error.code)
        return
    if missing is not None:
        results.not_run.append(f"{attack.name} against {target.name}: {missing}")
        return
    run.partial.add(unit, lines)
    results.lines.extend(lines)


def _take_in(run: _Run, report: Report) -> None:
    """The lines of a report, under an act about what it is of."""
    lines = report.lines(run.ground.limits.garak)
    about = About(Kind.SERVICE, canonical.digest({"garak target": report.target}), report.target)
    facts: dict[str, Fact] = {"finding": run.finding_id, "report": report.digest}
    with run.ground.workspace.gate.act(Action.REDTEAM, report.name, facts, about=about) as act:
        target = Target(What.GUARD, about, run.ground.workspace.home, report.name)
        run.results.targets.append(target)
        run.results.lines.extend(lines)
        _tell(act, run.finding_id, lines)


def _tell(act: Act, finding: str, lines: Sequence[Line]) -> None:
    """What the ledger's event says of a target."""
    over = [line for line in lines if line.verdict is LineVerdict.OVER_LIMIT]
    act.facts.update(
        finding=finding,
        lines=len(lines),
        over_limit=len(over),
        lines_sha256=canonical.digest([line.as_json() for line in lines]),
    )


def _finding(run: _Run) -> RedTeamFinding:
    results, ground = run.results, run.ground
    past = baseline(ground.workspace, is_quick=run.request.is_quick)
    before = [] if past is None else list(filter(run.request.asks_for, past.lines()))
    gone = {line.name for line in before} - {line.name for line in results.lines}
    compared = compare(results.lines, before, retired=retired(ground.workspace, gone))
    failed = [f"{each['attack']} against {each['target']}" for each in results.failed]
    return RedTeamFinding(
        finding_id=run.finding_id,
        created=instant(),
        quick=run.request.is_quick,
        seed=run.request.seed,
        suite=suite_digest(),
        limits=ground.limits.model_dump(mode="json"),
        lines=tuple(line.as_json() for line in results.lines),
        failed=tuple(results.failed),
        not_run=(*results.missing, *results.not_run),
        baseline=None if past is None else past.finding,
        worse=tuple(each.as_json() for each in compared.worse),
        over=tuple(line.key for line in compared.over),
        unmeasured=(*failed, *_untried(run), *compared.unmeasured),
        new=compared.new,
        signer=signer_facts(ground.workspace),
    )


def _untried(run: _Run) -> Iterator[str]:
    """What was asked for by its name and came to nothing, or that everything did."""
    results, only = run.results, run.request.only
    if only:
        yield from results.not_run
        tried = {line.by for line in results.lines} | {each["attack"] for each in results.failed}
        skipped = tuple(results.not_run)
        for name in dict.fromkeys(only):
            if name not in tried and not any(each.startswith(f"{name} ") for each in skipped):
                yield f"{name}: there was nothing to run it against, or it had no trial"
    if not results.lines:
        yield "anything: the run has no line"


def _recorded(run: _Run, finding: RedTeamFinding) -> Path:
    """The file of the finding, and the same in the ledger: a run whose inputs were attacked."""
    workspace = run.ground.workspace
    path = write_finding(workspace, finding)
    ids = sorted({target.about.id for target in run.results.targets})
    known = [each for each in ids if workspace.gate.ledger.asset(each) is not None]
    with disk_errors(path):
        digest = canonical.digest_bytes(path.read_bytes())
    with recorded_run(workspace, RUN, known, {**finding.told(), "sha256": digest}):
        pass
    return path
