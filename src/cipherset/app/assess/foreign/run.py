"""The attacks on a file of ciphertexts made elsewhere, a core each, and what they come to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np

from cipherset.app.assess.attacks.unpaired import (
    WITH_LABELS,
    WITHOUT_LABELS,
    Held,
    Recover,
    scored,
)
from cipherset.app.assess.foreign.controls import planted, suite
from cipherset.app.assess.foreign.files import Files, Rows, read_files
from cipherset.app.assess.foreign.judgment import judged, with_pairs
from cipherset.app.assess.foreign.report import write_report
from cipherset.app.assess.foreign.request import ForeignRequest, ForeignResult
from cipherset.app.assess.lines import Aligned, Line, Scoring, Stopwatch, linked, reid
from cipherset.app.assess.verdict import Control
from cipherset.app.gate import Action, Fact
from cipherset.app.gate.subjects import about_source
from cipherset.app.places import Made, check_target
from cipherset.app.workers import a_core_each, one_thread
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.values import NoiseLaw
from cipherset.evidence.attack import Knowledge
from cipherset.evidence.attack.alignment.linear_map import LinearMap
from cipherset.evidence.attack.alignment.pairs import PairAligner
from cipherset.evidence.attack.alignment.rotation import Clouds
from cipherset.pipeline.ingest import open_source

PAIRS: Final = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
LEAST_CLASSES: Final = 2
# What an attacker supposes of noise he knows nothing of, per coordinate of a unit vector.
SUPPOSED: Final = 0.1


@dataclass(frozen=True, slots=True)
class Tried:
    """What attacks got: of those without a pair also the attacker's own objectives."""

    lines: tuple[Line, ...] = ()
    objectives: Mapping[str, float] = field(default_factory=dict)
    n_star: int | None = None


Task = Callable[[], Tried]


def assess_foreign(session: Session, request: ForeignRequest) -> ForeignResult:
    """Attack a file of ciphertexts made elsewhere, and write a page where a folder is named.

    Raises:
        UsageError: the folder is there (codes of ``check_target``).
        InputError: a source does not fit, or has too few rows; see ``read_files``.
        BackendError: the encoder's weights are not there.
    """
    watch = Stopwatch()
    if request.target is not None:
        check_target(request.target, Made.ASSESSMENT, overwrite=request.overwrite)
    source = open_source(request.ciphertexts)  # first: what is refused may hold a password
    facts: dict[str, Fact] = {"foreign": True}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.ASSESS, source.name, facts, about=about_source(workspace, source)
        ) as act,
    ):
        result = _attacked(session, request, read_files(session, request), watch)
        if request.target is not None:
            write_report(result, request.target, overwrite=request.overwrite)
        act.facts.update({"verdict": result.judged.verdict.value, "n_star": result.n_star})
    return result


def _attacked(
    session: Session, request: ForeignRequest, files: Files, watch: Stopwatch
) -> ForeignResult:
    scoring = None
    controls: tuple[Control, ...] = ()
    if files.victims is not None:
        session.progress.start("controls: is planted weakness found?", None)
        with one_thread():
            scoring = Scoring.of(files.victims.x, files.victims.clear, request.seed)
            controls = (*suite(files.victims, scoring), planted(files, scoring))
        session.progress.finish()
    tried = _all(session, list(_tasks(files, scoring, request)))
    lines = [line for one in tried for line in one.lines]
    lines.sort(key=lambda line: line.outcome.knowledge.value)
    n_star = tried[0].n_star
    objectives = {name: value for one in tried for name, value in one.objectives.items()}
    return ForeignResult(
        facts=files.facts,
        lines=tuple(lines),
        controls=controls,
        objectives=objectives,
        n_star=n_star,
        judged=with_pairs(judged(lines, controls, objectives, request.limit), n_star),
        limit=request.limit,
        seed=request.seed,
        seconds=watch.seconds(),
        target=request.target,
    )


def _all(session: Session, tasks: list[Task]) -> list[Tried]:
    """Every task, a core each."""
    progress, tried = session.progress, []
    progress.start("attacks", len(tasks))
    for one in a_core_each(lambda task: task(), tasks):
        tried.append(one)
        progress.advance(1)
    progress.finish()
    return tried


def _tasks(files: Files, scoring: Scoring | None, request: ForeignRequest) -> Iterator[Task]:
    """The attacks that can be tried; the longest comes first."""
    held, seed = _held(files), request.seed
    yield partial(_with_pairs, files, scoring, request.limit)
    for name, recover in (WITHOUT_LABELS | OPEN).items():
        yield partial(_without_pairs, name, recover, held, scoring, seed)
    if _shared_classes(files) >= LEAST_CLASSES:
        labeled = replace(held, given=f"{held.given} and their labels")
        for name, recover in WITH_LABELS.items():
            yield partial(_without_pairs, name, recover, labeled, scoring, seed)


def _held(files: Files) -> Held:
    """What the attacker holds; without records there is nobody to link, and nothing is."""
    truth = files.victims
    return Held(
        c=files.c,
        y=files.y,
        public=files.public,
        public_y=files.public_y,
        victims=files.c if truth is None else truth.c,
        candidates=files.public if truth is None else truth.x,
        noise=NoiseLaw.gaussian(SUPPOSED),
        given=f"{len(files.public)} public texts",
    )


def _shared_classes(files: Files) -> int:
    if files.y is None or files.public_y is None:
        return 0
    return len(np.intersect1d(files.y, files.public_y))


def _as_they_are(held: Held, seed: int) -> tuple[LinearMap, ...]:
    """No secret map at all; only the scale is taken off."""
    clouds = Clouds.of(
        held.c.astype(np.float64), held.public.astype(np.float64), None, np.random.default_rng(seed)
    )
    eye = np.eye(held.c.shape[1])
    none = np.zeros(len(eye))
    return (LinearMap("as they are", eye / clouds.scale, none, clouds.objective(eye)),)


OPEN: Final[dict[str, Recover]] = {"vectors taken as they are": _as_they_are}


def _without_pairs(
    name: str, recover: Recover, held: Held, scoring: Scoring | None, seed: int
) -> Tried:
    watch = Stopwatch()
    guesses = recover(held, seed)
    lines = () if scoring is None else tuple(scored(name, guesses, held, scoring, watch))
    return Tried(lines, {name: max(guess.objective for guess in guesses)})


def _with_pairs(files: Files, scoring: Scoring | None, limit: float) -> Tried:
    """Lines for some numbers of pairs, and the fewest that pass the limit at the lower end.

    More pairs never hurt an attacker, so the count is searched by halving, from the most down.
    """
    if scoring is None or files.victims is None or files.known is None:
        return Tried()
    most = len(files.known)
    counts = [*(count for count in PAIRS if count < most), most]
    tried: dict[int, tuple[Line, ...]] = {}
    low, high = -1, len(counts)
    middle = high - 1
    while high - low > 1:
        count = counts[middle]
        tried[count] = _paired(files.victims, files.known, scoring, count)
        if any(one.excess is not None and one.excess[1] > limit for one in tried[count]):
            high = middle
        else:
            low = middle
        middle = (low + high) // 2
    lines = tuple(line for count in sorted(tried) for line in tried[count])
    return Tried(lines, n_star=counts[high] if high < len(counts) else None)


def _paired(victims: Rows, known: Rows, scoring: Scoring, n_pairs: int) -> tuple[Line, ...]:
    """The best map from so many pairs, chosen on the victims: the attacker's luck.

    A map that does less than half as well as another on pairs left out is not looked at.
    """
    watch = Stopwatch()
    maps = PairAligner(known.c[:n_pairs], known.x[:n_pairs]).recover(scoring.seed)
    most = max(one.objective for one in maps)
    guesses = [
        Aligned(one.apply(victims.c), victims.x, NoiseLaw.gaussian(SUPPOSED))
        for one in maps
        if one.objective >= most / 2
    ]
    best = guesses[0]
    if len(guesses) > 1:
        best = max(guesses, key=lambda one: reid(one, scoring.clear).excess)
    found = linked(
        scoring,
        best,
        attack="map learned from pairs",
        knowledge=Knowledge.KNOWN_PAIRS,
        given=f"{n_pairs} known pairs",
        watch=watch,
    )
    return tuple(found)
