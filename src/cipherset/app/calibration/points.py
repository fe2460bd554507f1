"""Points of the frontier: each setting with what it adds, and with attackers of both kinds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from cipherset.app.calibration import permutation
from cipherset.app.calibration.frontier import Point
from cipherset.app.calibration.permutation import PermutationScheme
from cipherset.app.exports.calibrate import FULL_FIT, Measured, Setting, Sweep, fit_for
from cipherset.app.exports.leak import CANDIDATES
from cipherset.app.exports.utility import ON_EXPORT, Rows, anchors, row_scores
from cipherset.core.manifest import Task
from cipherset.core.protocols import Progress
from cipherset.core.values import Floats, NoiseKind, NoiseLaw
from cipherset.evidence.attack import (
    Interval,
    Reidentification,
    clopper_pearson,
    paired_bootstrap,
    reidentify,
)
from cipherset.evidence.attack.alignment.centroids import CentroidAligner
from cipherset.evidence.attack.alignment.linear_map import LinearMap
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher
from cipherset.evidence.attack.alignment.rotation import RotationAligner
from cipherset.pipeline.minimize import FittedMinimizer
from cipherset.pipeline.train import train_model

SCHEME: Final = "rsap/1"
PERMUTED: Final = (1.0, 2.5, 5.0, 10.0)
ALIGNED_ROWS: Final = 2500
LEAST_SUPPOSED: Final = 0.01


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
    surrogates: dict[str, FittedMinimizer] = {}
    for one in measured:
        with threadpool_limits(1):
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
        protection.cipher.encrypt(anchors(sweep.task, z, sweep.inner.y)),
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
    bench: Bench, one: Measured, surrogates: dict[str, FittedMinimizer]
) -> Reidentification:
    """The better of two attackers without key or pair: by class centroids, and by axes."""
    sweep, protection, victims = bench.sweep, one.protection, bench.victims
    name, candidates, public = one.setting.minimizer, victims.x, bench.public.x
    if protection.minimizer.spec != "none":
        if name not in surrogates:
            seed = sweep.seed + 1
            surrogates[name] = fit_for(sweep.task, one.setting, bench.public, seed=seed)
        candidates, public = (surrogates[name].transform(x) for x in (candidates, public))
    c = protection.export(sweep.inner.x, sweep.inner.y)
    c, y = c[:ALIGNED_ROWS], sweep.inner.y[:ALIGNED_ROWS]
    radius = protection.cipher.noise_radius
    guesses = [RotationAligner(c, public, radius).recover(sweep.seed)]
    if sweep.task is Task.CLASSIFICATION:
        by_class = CentroidAligner(c, y, public, bench.public.y, radius)
        guesses += by_class.recover(sweep.seed)
    exported = protection.export(victims.x, victims.y)
    law = _supposed(protection.cipher.noise, protection.cipher.dim)
    found = [_linked(guess, exported, candidates, victims.clear, law) for guess in guesses]
    return max(found, key=lambda reid: reid.excess)


def permuted_points(progress: Progress, bench: Bench) -> Iterator[Point]:
    """A permutation scheme on vectors of full width, for comparison."""
    sweep, victims = bench.sweep, bench.victims
    progress.start("a permutation scheme, for comparison", len(PERMUTED))
    for factor in PERMUTED:
        rng = np.random.default_rng([sweep.seed, 0x9E])
        scheme = PermutationScheme.drawn(sweep.inner.x.shape[1], factor, rng)
        c = scheme.encrypt(sweep.inner.x, rng)
        with threadpool_limits(1):
            model = train_model(c, sweep.inner.y, ON_EXPORT, task=sweep.task, seed=sweep.seed)
        predicted = model.predict(scheme.query(sweep.validation.x))
        scores = row_scores(sweep.task, sweep.validation.y, predicted)
        exported, law = scheme.encrypt(victims.x, rng), NoiseLaw.ball(scheme.radius)
        index = np.arange(len(victims))
        guess = PermutationMatcher(c[:ALIGNED_ROWS], bench.public.x, scheme.radius).recover(
            sweep.seed
        )
        yield Point(
            minimizer="none",
            scheme=permutation.NAME,
            approximation_factor=factor,
            utility=float(scores.mean()),
            utility_interval=_interval(sweep.task, scores, sweep.seed),
            gain=None,
            reid=reidentify(
                scheme.remove_key(exported),
                victims.x,
                truth=index,
                ciphertext_groups=victims.clear,
                candidate_groups=victims.clear,
                noise=law,
            ),
            reid_key_safe=_linked(
                guess, exported, victims.x, victims.clear, _supposed(law, victims.x.shape[1])
            ),
            is_ours=False,
        )
        progress.advance(1)
    progress.finish()


def _linked(
    guess: LinearMap,
    c: Floats,
    candidates: Floats,
    clear: npt.NDArray[np.int64],
    law: NoiseLaw,
) -> Reidentification:
    return reidentify(
        guess.apply(c),
        candidates,
        truth=np.arange(len(c)),
        ciphertext_groups=clear,
        candidate_groups=clear,
        noise=law,
    )


def _supposed(law: NoiseLaw, dim: int) -> NoiseLaw:
    """The noise as an attacker supposes it who only guessed the map: he rules nothing out."""
    size = law.size if law.kind is NoiseKind.GAUSSIAN else law.size / np.sqrt(dim)
    return NoiseLaw.gaussian(max(float(size), LEAST_SUPPOSED))
