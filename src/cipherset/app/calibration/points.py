"""Points of the frontier: each setting with what it adds, and with attackers of both kinds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.assess.lines import Aligned, reid, supposed
from cipherset.app.calibration import permutation
from cipherset.app.calibration.frontier import Point
from cipherset.app.calibration.permutation import PermutationScheme
from cipherset.app.exports.calibrate import FULL_FIT, Measured, Setting, Sweep, fit_for
from cipherset.app.exports.leak import CANDIDATES
from cipherset.app.exports.utility import ON_EXPORT, Rows, anchors, row_scores
from cipherset.app.workers import one_thread
from cipherset.core.manifest import Task
from cipherset.core.protocols import Progress
from cipherset.core.values import Floats, NoiseLaw
from cipherset.evidence.attack import (
    Interval,
    Reidentification,
    clopper_pearson,
    paired_bootstrap,
)
from cipherset.evidence.attack.alignment.centroids import CentroidAligner
from cipherset.evidence.attack.alignment.linear_map import LinearMap
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher
from cipherset.evidence.attack.alignment.rotation import RotationAligner
from cipherset.pipeline.minimize import FitSettings, FittedMinimizer
from cipherset.pipeline.train import train_model

SCHEME: Final = "rsap/1"
PERMUTED: Final = (1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What every point is measured on; ``public`` is what an attacker without a key has."""

    sweep: Sweep
    public: Rows = field(repr=False)
    plain_scores: npt.NDArray[np.float64] = field(repr=False)

    @property
    def victims(self) -> Rows:
        """The held-out rows that are attacked."""
        held = self.sweep.validation
        return held.take(np.arange(min(len(held), CANDIDATES)))


def our_points(progress: Progress, bench: Bench, measured: list[Measured]) -> Iterator[Point]:
    """Each setting with what it adds, and what it gives away without the key."""
    progress.start("controls, and attackers without the key", len(measured))
    surrogates: dict[tuple[str, FitSettings], FittedMinimizer] = {}
    for one in measured:
        with one_thread():
            gain = _gain(bench, one)
            safe = _key_safe(bench, one, surrogates)
        progress.advance(1)
        yield Point(
            minimizer=one.setting.minimizer,
            scheme=SCHEME,
            approximation_factor=one.setting.approximation_factor,
            utility=one.utility,
            utility_interval=_interval(bench.sweep.task, one.scores, bench.sweep.seed),
            gain=gain,
            reid=one.reid,
            reid_key_safe=safe,
            fitted=_fitted(one.setting),
        )
    progress.finish()


def _fitted(setting: Setting) -> str:
    """What tells this fit from others of its minimizer: none for the full one."""
    if not setting.minimizer.startswith("bottleneck"):
        return ""
    if setting.hidden == 0:
        return "no hidden layer"
    return "" if setting.epochs == FULL_FIT else f"{setting.epochs} epochs"


def _interval(task: Task, scores: npt.NDArray[np.float64], seed: int) -> tuple[float, float]:
    if task is Task.CLASSIFICATION:
        return clopper_pearson(float(scores.sum()), len(scores))
    found = paired_bootstrap(scores, np.zeros(len(scores)), seed=seed)
    return found.low, found.high


def _gain(bench: Bench, one: Measured) -> Interval:
    """Over the better of the owner's head and a model that saw nothing but labels."""
    sweep, protection = bench.sweep, one.protection
    held = sweep.validation
    z = protection.minimized(sweep.inner.x, sweep.inner.y)
    control = train_model(
        protection.noised(anchors(sweep.task, z, sweep.inner.y)),
        sweep.inner.y,
        ON_EXPORT,
        task=sweep.task,
        seed=sweep.seed,
    )
    answered = control.predict(protection.query(held.x))
    by_labels = row_scores(sweep.task, held.y, answered)
    by_owner = row_scores(sweep.task, held.y, protection.head(held.x))
    better = max(by_labels, by_owner, key=np.mean)
    return paired_bootstrap(one.scores, better, seed=sweep.seed)


def _key_safe(
    bench: Bench, one: Measured, surrogates: dict[tuple[str, FitSettings], FittedMinimizer]
) -> Reidentification:
    """The best attacker without key or pair, who fits a minimizer of his own as the owner's."""
    sweep, protection, victims = bench.sweep, one.protection, bench.victims
    candidates, public = victims.x, bench.public.x
    name = (one.setting.minimizer, one.setting.fit_settings(sweep.seed))
    if protection.minimizer.spec != "none":
        if name not in surrogates:
            seed = sweep.seed + 1
            surrogates[name] = fit_for(sweep.task, one.setting, bench.public, seed=seed)
        candidates, public = (surrogates[name].transform(x) for x in (candidates, public))
    c = protection.export(sweep.inner.x, sweep.inner.y)
    guesses = _without_key(bench, c, public, protection.cipher.noise_radius)
    law = supposed(protection.cipher.noise, protection.cipher.dim)
    exported = protection.export(victims.x, victims.y)
    return _best(guesses, exported, candidates, victims.clear, law)


def _without_key(bench: Bench, c: Floats, public: Floats, radius: float) -> list[LinearMap]:
    """What attackers make of ciphertexts without a key or a pair; the same for every scheme."""
    sweep = bench.sweep
    guesses = [
        PermutationMatcher(c, public, radius).recover(sweep.seed),
        RotationAligner(c, public, radius).recover(sweep.seed),
    ]
    if sweep.task is Task.CLASSIFICATION:
        by_class = CentroidAligner(c, sweep.inner.y, public, bench.public.y, radius)
        guesses += by_class.recover(sweep.seed)
    return guesses


def permuted_points(progress: Progress, bench: Bench) -> Iterator[Point]:
    """A permutation scheme on vectors of full width, for comparison."""
    sweep, victims = bench.sweep, bench.victims
    progress.start("a permutation scheme, for comparison", len(PERMUTED))
    for factor in PERMUTED:
        rng = np.random.default_rng([sweep.seed, 0x9E])
        scheme = PermutationScheme.drawn(sweep.inner.x.shape[1], factor, rng)
        c = scheme.encrypt(sweep.inner.x, rng)
        with one_thread():
            model = train_model(c, sweep.inner.y, ON_EXPORT, task=sweep.task, seed=sweep.seed)
        predicted = model.predict(scheme.query(sweep.validation.x))
        scores = row_scores(sweep.task, sweep.validation.y, predicted)
        exported, law = scheme.encrypt(victims.x, rng), NoiseLaw.ball(scheme.radius)
        guesses = _without_key(bench, c, bench.public.x, scheme.radius)
        supposed_law = supposed(law, victims.x.shape[1])
        yield Point(
            minimizer="none",
            scheme=permutation.NAME,
            approximation_factor=factor,
            utility=float(scores.mean()),
            utility_interval=_interval(sweep.task, scores, sweep.seed),
            gain=None,
            reid=reid(Aligned(scheme.remove_key(exported), victims.x, law), victims.clear),
            reid_key_safe=_best(guesses, exported, victims.x, victims.clear, supposed_law),
            is_ours=False,
        )
        progress.advance(1)
    progress.finish()


def _best(
    guesses: list[LinearMap],
    c: Floats,
    candidates: Floats,
    clear: npt.NDArray[np.int64],
    law: NoiseLaw,
) -> Reidentification:
    found = [reid(Aligned(guess.apply(c), candidates, law), clear) for guess in guesses]
    return max(found, key=lambda one: one.excess)
