"""From what an attack got to lines of the table."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cipherset.app.exports.codes import Codes
from cipherset.core.values import NO_NOISE, Floats, NoiseKind, NoiseLaw
from cipherset.evidence.attack import (
    Knowledge,
    Metric,
    Outcome,
    Reidentification,
    clopper_pearson,
    reidentify,
)

LEAST_SUPPOSED: Final = 0.01


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; of re-identification also what it adds to the clear columns alone.

    ``excess`` is value and interval of ``(rank1 - chance) / (1 - chance)``: what the limit is
    held against.
    """

    outcome: Outcome
    excess: tuple[float, float, float] | None = None

    def as_json(self) -> dict[str, object]:
        """The line as the command prints it."""
        one = self.outcome
        shown: dict[str, object] = {
            "name": one.attack,
            "knowledge": one.knowledge.value,
            "metric": one.metric.value,
            "value": one.value,
            "ci": list(one.ci),
            "chance": one.chance,
            "unprotected": one.unprotected,
            "n": one.n,
            "seed": one.seed,
            "seconds": round(one.seconds, 3),
            "given": one.given,
        }
        if self.excess is not None:
            shown |= {"excess": self.excess[0], "excess_ci": list(self.excess[1:])}
        return shown


@dataclass(slots=True)
class Stopwatch:
    """Seconds since it was started."""

    started: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        """How long it has been."""
        return time.perf_counter() - self.started


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Both sides in one space: what the attacker made of the ciphertexts, and his candidates.

    ``noise`` is the law he takes the difference to follow.
    """

    estimates: Floats = field(repr=False)
    candidates: Floats = field(repr=False)
    noise: NoiseLaw


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """How guesses about the victims are scored: their clear columns, and what is known of them.

    ``plain`` is what re-identification gets of their vectors unprotected, among those of the same
    clear columns, ``plain_everywhere`` among all.
    """

    clear: Codes = field(repr=False)
    plain: Reidentification
    plain_everywhere: Reidentification
    seed: int

    @classmethod
    def of(cls, x: Floats, clear: Codes, seed: int) -> "Scoring":
        """For victims with plain vectors ``x``, shape (n, d)."""
        same = Aligned(x, x, NO_NOISE)
        return cls(clear, reid(same, clear), reid(same, np.zeros_like(clear)), seed)


def linked(
    scoring: Scoring,
    aligned: Aligned,
    *,
    attack: str,
    knowledge: Knowledge,
    given: str,
    watch: Stopwatch,
) -> Iterator[Line]:
    """Lines for a guess of which record each victim's ciphertext is.

    The first counts: within the row's own clear columns. The second does without them, the third
    is the mean reciprocal rank within them.
    """
    clear = scoring.clear
    inside = reid(aligned, clear)
    everywhere = inside if np.ptp(clear) == 0 else reid(aligned, np.zeros_like(clear))
    n, seconds = len(clear), watch.seconds()
    sizes = np.bincount(clear)[clear]
    figures = (
        (Metric.REID_RANK1_IN_CLASS, rate(inside), inside.label_alone, scoring.plain.rank1),
        (Metric.REID_RANK1, rate(everywhere), 1 / n, scoring.plain_everywhere.rank1),
        (
            Metric.REID_MRR,
            (inside.mrr, inside.mrr_low, inside.mrr_high),
            float(np.mean(harmonic(sizes) / sizes)),
            scoring.plain.mrr,
        ),
    )
    for metric, (value, low, high), chance, unprotected in figures:
        outcome = Outcome(
            attack=attack,
            knowledge=knowledge,
            metric=metric,
            value=value,
            ci=(low, high),
            chance=chance,
            unprotected=unprotected,
            n=n,
            seed=scoring.seed,
            seconds=seconds,
            given=given,
        )
        counts = metric is Metric.REID_RANK1_IN_CLASS
        yield Line(outcome, (inside.excess, inside.low, inside.high) if counts else None)


def supposed(law: NoiseLaw, dim: int) -> NoiseLaw:
    """The noise as an attacker supposes it who only guessed the map: he rules nothing out."""
    return NoiseLaw.gaussian(max(length(law, dim) / math.sqrt(dim), LEAST_SUPPOSED))


def length(law: NoiseLaw, dim: int) -> float:
    """How long the noise of a row is: at most in a ball, about of a Gaussian."""
    return law.size if law.kind is NoiseKind.BALL else law.size * math.sqrt(dim)


def reid(aligned: Aligned, groups: Codes) -> Reidentification:
    """What both attacks on ``aligned`` get; row i's own candidate is candidate i."""
    return reidentify(
        aligned.estimates,
        aligned.candidates,
        truth=np.arange(len(groups)),
        ciphertext_groups=groups,
        candidate_groups=groups,
        noise=aligned.noise,
    )


def rate(found: Reidentification) -> tuple[float, float, float]:
    """``rank1`` and its 95 % interval."""
    return (found.rank1, *clopper_pearson(min(found.rank1 * found.n, found.n), found.n))


def harmonic(n: Codes) -> Floats:
    """``1 + 1/2 + ... + 1/n``, so that ``harmonic(n) / n`` is the mean reciprocal of a rank."""
    return np.cumsum(1.0 / np.arange(1, int(n.max()) + 1))[n - 1]
