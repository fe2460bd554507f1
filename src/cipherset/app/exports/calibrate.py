"""Choose minimizer, dimension and approximation factor by measuring them.

Every candidate is fitted on one part of the training rows and measured on another part that the
fit has not seen: the accuracy of a model trained on the encrypted part, and re-identification by
somebody who holds file, key and minimizer. The most useful candidate under the limit wins.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from cipherset.app.ciphers import open_cipher
from cipherset.app.exports.leak import CANDIDATES, measure_reid
from cipherset.app.exports.private.minimizer import private_minimizer
from cipherset.app.exports.utility import ON_EXPORT, Part, Protection, Rows, row_scores
from cipherset.app.workers import a_core_each
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.core.protocols import Progress
from cipherset.core.secret import KeyHandle
from cipherset.core.values import NoiseKind
from cipherset.evidence.attack import Reidentification, rows_to_decide
from cipherset.pipeline.encrypt import mechanism, parse_noise
from cipherset.pipeline.minimize import (
    MOST_SHRUNK_NOISE,
    FitSettings,
    FittedMinimizer,
    MinimizerKind,
    fit,
    parse_spec,
)
from cipherset.pipeline.train import train_model

# What is chosen on one sample is measured again on another; a little room keeps a setting that
# sits on the limit from failing there by luck.
MARGIN: Final = 0.8
# Ways to fit a bottleneck, as (epochs, hidden width). Where labels are noisy a full fit learns the
# noise too, and a short one or none but a linear map does better; where classes are many a short
# one has not learned enough, and their anchors are too close for a linear map.
FULL_FIT: Final = 30
HIDDEN: Final = 256
WAYS_FEW: Final = ((FULL_FIT, HIDDEN), (5, HIDDEN), (FULL_FIT, 0))
WAYS_MANY: Final = ((FULL_FIT, HIDDEN), (5, HIDDEN))
# Accuracies this close are one and the same on a validation part of this size; then the safer wins.
TIE: Final = 0.003


_T = TypeVar("_T")
FEW_CLASSES: Final = 10
BALL: Final = NoiseKind.BALL.value


@dataclass(frozen=True, slots=True)
class Setting:
    """A point of the sweep."""

    minimizer: str
    approximation_factor: float
    epochs: int = FULL_FIT
    hidden: int = HIDDEN
    shrink: float = 1.0
    noise: str = BALL

    def __str__(self) -> str:
        if self.noise != BALL:
            return f"{self.minimizer} at noise {self.noise}"
        return f"{self.minimizer} at approximation factor {self.approximation_factor:g}"

    @property
    def noise_radius(self) -> float:
        """The length of the noise that a fit expects: the largest, or the mean of a Gaussian.

        That is ``sigma * sqrt(dim)`` up to a factor of ``1 - 1 / (4 * dim)``.
        """
        guarantee, dim = parse_noise(self.noise), parse_spec(self.minimizer).dim
        if guarantee is None or dim is None:
            return self.approximation_factor / 4
        return mechanism(guarantee, dim=dim).sigma * math.sqrt(dim)

    def fit_settings(self, seed: int) -> FitSettings:
        """How its minimizer is fitted; equal where the same minimizer serves several factors."""
        radius = self.noise_radius
        return FitSettings(
            noise_radius=min(radius, MOST_SHRUNK_NOISE) if self.shrink > 0 else radius,
            seed=seed,
            epochs=self.epochs,
            hidden=self.hidden,
            shrink=self.shrink,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """A setting with what it was worth and what it gave away, on rows its fit had not seen.

    ``scores`` are those of the held-out rows, which ``utility`` is the mean of.
    """

    setting: Setting
    scores: npt.NDArray[np.float64] = field(repr=False)
    reid: Reidentification
    protection: Protection = field(repr=False)

    @property
    def utility(self) -> float:
        """Accuracy; R2 for numbers."""
        return float(self.scores.mean())


@dataclass(frozen=True, slots=True)
class Asked:
    """What the owner has settled already; None is for the sweep to find."""

    minimizer: str | None
    approximation_factor: float | None
    fits_what_it_exports: bool
    noise: str = BALL


def settings(task: Task, n_classes: int, dim_in: int, asked: Asked) -> list[Setting]:
    """The settings worth a try, most revealing first; what is asked for is kept.

    Where other rows are exported than fitted on, nothing is shrunk onto the classes: those rows
    are there to add something.
    """
    if task is Task.MULTILABEL:
        names, factors = [f"pls:{k}" for k in (16, 8, 4)], [8.0, 12.0, 16.0, 24.0, 32.0]
    elif task is Task.REGRESSION:
        names, factors = [f"pls:{k}" for k in (8, 4, 2)], [2.0, 4.0, 6.0, 8.0]
    elif n_classes <= FEW_CLASSES:
        names, factors = [f"bottleneck:{max(2, n_classes - 1)}"], [4.0, 6.0, 8.0, 12.0, 16.0]
    else:
        names, factors = ["bottleneck:32", "bottleneck:16"], [8.0, 16.0, 24.0, 32.0, 40.0, 48.0]
    # Vectors narrower than that keep their width.
    kind = names[0].partition(":")[0]
    fitting = [n for n in names if int(n.partition(":")[2]) <= dim_in]
    names = fitting or [f"{kind}:{dim_in}"] * (dim_in > 1)
    factor = asked.approximation_factor if asked.noise == BALL else 0.0
    return [
        Setting(name, f, epochs, hidden, float(asked.fits_what_it_exports), asked.noise)
        for name in ([asked.minimizer] if asked.minimizer else names)
        for f in ([factor] if factor is not None else factors)
        for epochs, hidden in _ways(name, n_classes)
    ]


def _ways(minimizer: str, n_classes: int) -> tuple[tuple[int, int], ...]:
    if parse_spec(minimizer).kind is not MinimizerKind.BOTTLENECK:
        return ((FULL_FIT, HIDDEN),)
    return WAYS_FEW if n_classes <= FEW_CLASSES else WAYS_MANY


def fit_for(task: Task | None, setting: Setting, rows: Rows, *, seed: int) -> FittedMinimizer:
    """The setting's minimizer, fitted on ``rows``."""
    targets = None if task is None else rows.y
    spec = parse_spec(setting.minimizer)
    if spec.guarantee is not None:
        return private_minimizer(spec, spec.guarantee, rows.x, targets, shrink=setting.shrink)
    return fit(spec, rows.x, targets, settings=setting.fit_settings(seed))


def pair(
    key: KeyHandle, scheme: str, task: Task | None, setting: Setting, minimizer: FittedMinimizer
) -> Protection:
    """A fitted minimizer with the key's cipher for its output."""
    cipher = open_cipher(
        key,
        dim=minimizer.dim,
        scheme=scheme,
        approximation_factor=setting.approximation_factor,
        noise=setting.noise,
    )
    return Protection(task, minimizer, cipher)


Pairing = Callable[[KeyHandle, str, Task | None, Setting, FittedMinimizer], Protection]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What every candidate is measured on; ``pairing`` puts fit and key together."""

    key: KeyHandle
    scheme: str
    task: Task
    inner: Rows
    validation: Rows
    seed: int
    pairing: Pairing = pair

    def run(self, settings: list[Setting], progress: Progress) -> list[Measured]:
        """Measure each setting, in the order given.

        A core each, on one BLAS thread: the matrices are small, and a fit gives the same to the
        last bit whatever else runs.
        """
        kinds = {(s.minimizer, s.fit_settings(self.seed)): s for s in settings}
        progress.start("calibrate", len(kinds) + len(settings))
        fits = _told(progress, a_core_each(self._fit, kinds.values()))
        minimizers = dict(zip(kinds, fits, strict=True))
        pairs = [(s, minimizers[s.minimizer, s.fit_settings(self.seed)]) for s in settings]
        measured = _told(progress, a_core_each(self._measure, pairs))
        progress.finish()
        return measured

    def _fit(self, setting: Setting) -> FittedMinimizer:
        return fit_for(self.task, setting, self.inner, seed=self.seed)

    def _measure(self, fitted: tuple[Setting, FittedMinimizer]) -> Measured:
        """Encrypt, train and attack at one setting."""
        setting, minimizer = fitted
        protection = self.pairing(self.key, self.scheme, self.task, setting, minimizer)
        ciphertexts = protection.export(self.inner.x, self.inner.y)
        model = train_model(ciphertexts, self.inner.y, ON_EXPORT, task=self.task, seed=self.seed)
        predicted = model.predict(protection.query(self.validation.x))
        targets = self.validation.take(np.arange(min(len(self.validation), CANDIDATES)))
        reid = measure_reid(protection, Part(targets, protection.export(targets.x, targets.y)))
        scores = row_scores(self.task, self.validation.y, predicted)
        return Measured(setting, scores, reid, protection)


def _told(progress: Progress, results: Iterator[_T]) -> list[_T]:
    done = []
    for one in results:
        done.append(one)
        progress.advance(1)
    return done


def choose(measured: list[Measured], max_reid: float) -> Measured:
    """The most useful setting whose upper bound stays under the limit; the safer one in a tie.

    Raises:
        PolicyError: none does, or there are too few rows to tell.
    """
    allowed = [m for m in measured if m.reid.decidable and m.reid.high <= MARGIN * max_reid]
    if not allowed:
        raise refusal(measured, max_reid)
    best = max(m.utility for m in allowed)
    return min((m for m in allowed if m.utility >= best - TIE), key=lambda m: m.reid.high)


def refusal(measured: list[Measured], max_reid: float) -> PolicyError:
    """Why no setting is good enough, with what was tried, and how many rows might do."""
    tried = "; ".join(
        f"{m.setting}: {m.reid.excess:.3f} (up to {m.reid.high:.3f})" for m in measured
    )
    return PolicyError(
        f"no setting keeps measured re-identification under {max_reid:g} with room for chance; "
        f"{len(measured)} tried, on {measured[0].reid.n} held-out rows: {tried}",
        code="no_setting_under_limit",
        hint=f"{_rows_hint(measured, max_reid)}raise --max-reid, merge rare labels, or record an "
        "exception with --accept-risk REASON (such an export can stay at home, for "
        "cipherset train --at-gate)",
    )


def _rows_hint(measured: list[Measured], max_reid: float) -> str:
    """How many rows it takes where only their number stands between a setting and the limit."""
    least = min(
        (m for m in measured if m.reid.decidable), key=lambda m: m.reid.excess, default=None
    )
    if least is None or least.reid.excess >= MARGIN * max_reid:
        return ""
    groups = round(least.reid.label_alone * least.reid.n)
    needed = rows_to_decide(MARGIN * max_reid, n_groups=groups, excess=max(least.reid.excess, 0.0))
    return f"give about {needed / least.reid.n:.1f} times as many rows, "
