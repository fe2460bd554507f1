"""What a model alone says of its classes: the input that it is surest of, beside the true mean."""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import numpy as np

from cipherset.core.errors import DimensionError, UsageError
from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import Answers, Doubles, Scorer, answered, checked_rows
from cipherset.evidence.attack.outcome import Knowledge, Metric, Outcome
from cipherset.evidence.attack.statistics import CONFIDENCE, Interval

_STEPS: Final = 40
_DIRECTIONS: Final = 64
# Of the norm: wide enough to see past the flat steps of trees, narrow enough for a linear head.
_REACH: Final = 0.2
_FIRST_RATE: Final = 0.5
_RESAMPLES: Final = 1000


@dataclass(frozen=True, slots=True)
class ModelInversion:
    """Mean cosine of the inputs found and the true class means, over the classes.

    ``chance`` is that of somebody without the model who names the mean of all classes for each,
    ``unrelated`` that of each input and the means of the *other* classes, ``anchor`` that of the
    best guess from elsewhere, if one was handed in.
    """

    cosine: Interval
    chance: float
    unrelated: float
    anchor: float | None
    n_classes: int
    seed: int
    seconds: float

    def outcome(self, attack: str) -> Outcome:
        """The line of the table."""
        return Outcome(
            attack=attack,
            knowledge=Knowledge.STOLEN_MODEL,
            metric=Metric.COSINE,
            value=self.cosine.value,
            ci=(self.cosine.low, self.cosine.high),
            chance=self.chance,
            unprotected=self.anchor,
            n=self.n_classes,
            seed=self.seed,
            seconds=self.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelInverter:
    """Climbs to the input of a given norm that the model is surest of, for each class.

    Knows: the model as a function; the width and the norm of its inputs.

    Source: M. Fredrikson, S. Jha, T. Ristenpart, Model Inversion Attacks that Exploit Confidence
    Information, CCS 2015; the gradient is estimated from pairs of opposite steps, T. Salimans et
    al., Evolution Strategies, 2017, arXiv:1703.03864, section 2.
    """

    model: Scorer = field(repr=False)
    dim: int
    norm: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what has no direction.

        Raises:
            UsageError: ``dim`` is below 1 or ``norm`` not above 0 (code ``model_size``).
        """
        if self.dim < 1 or not 0.0 < self.norm < np.inf:
            raise UsageError(
                f"inputs of width {self.dim} and norm {self.norm}",
                code="model_size",
                hint="give the width and the norm of the model's inputs",
            )

    def invert(self, seed: int) -> Doubles:
        """One input per class, shape (c, dim), each of norm ``norm``."""
        rng = np.random.default_rng(seed)
        start = _unit(rng.standard_normal((_DIRECTIONS, self.dim)))
        told = answered(self.model, self.norm * start, Answers.PROBABILITIES)
        points = start[told.argmax(axis=0)]
        for step in range(_STEPS):
            slope = self._slopes(points, rng)
            rate = _FIRST_RATE * (1 - step / _STEPS)
            points = _unit(points + rate * _unit(slope))
        return np.asarray(self.norm * points)

    def run(self, class_means: Floats, seed: int, anchors: Floats | None = None) -> ModelInversion:
        """How near the inputs come to ``class_means`` (c, dim), which only the scoring knows.

        Raises:
            DimensionError: shapes disagree (code ``dimension``).
            InputError: code ``no_rows`` or ``not_finite``.
        """
        started = perf_counter()
        means = _unit(checked_rows(class_means, "class_means", width=self.dim))
        found = _unit(self.invert(seed))
        if len(means) != len(found):
            raise DimensionError(
                f"{len(means)} class means, and a model of {len(found)} classes",
                code="dimension",
                hint="pass one mean per class of the model",
            )
        cosines = found @ means.T
        c = len(means)
        per_class = np.diag(cosines)
        guess = None
        if anchors is not None:
            given = _unit(checked_rows(anchors, "anchors", width=self.dim))
            guess = float(np.mean((given * means).sum(axis=1)))
        return ModelInversion(
            cosine=_over_classes(per_class, seed),
            chance=float(np.mean(means @ _unit(means.mean(axis=0, keepdims=True))[0])),
            unrelated=float((cosines.sum() - per_class.sum()) / (c * (c - 1))),
            anchor=guess,
            n_classes=c,
            seed=seed,
            seconds=perf_counter() - started,
        )

    def _slopes(self, points: Doubles, rng: np.random.Generator) -> Doubles:
        """Estimated gradient of each class's log-probability at its own point, (c, dim)."""
        c = len(points)
        steps = rng.standard_normal((_DIRECTIONS, self.dim)) / np.sqrt(self.dim)
        asked = points[:, None] + _REACH * np.concatenate([steps, -steps])
        rows = self.norm * asked.reshape(-1, self.dim)
        told = answered(self.model, rows, Answers.PROBABILITIES).reshape(c, 2 * _DIRECTIONS, c)
        own = told[np.arange(c), :, np.arange(c)]
        return np.asarray((own[:, :_DIRECTIONS] - own[:, _DIRECTIONS:]) @ steps)


def _over_classes(cosines: Doubles, seed: int) -> Interval:
    """Mean with its 95 % bootstrap interval over the classes."""
    rng = np.random.default_rng([seed, 1])
    means = cosines[rng.integers(len(cosines), size=(_RESAMPLES, len(cosines)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(cosines.mean()), float(low), float(high))


def _unit(rows: Floats) -> Doubles:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, np.finfo(np.float64).tiny), dtype=np.float64)
