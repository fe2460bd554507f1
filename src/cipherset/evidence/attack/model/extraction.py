"""How many queries buy a copy of the model? Agreement with it against their number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Final

import numpy as np
from scipy.spatial.distance import cdist

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import (
    Answers,
    Doubles,
    Scorer,
    answered,
    checked_rows,
)
from cipherset.evidence.attack.model.head import fit_head, solve_head
from cipherset.evidence.attack.model.rates import Rate, rate
from cipherset.evidence.attack.outcome import Knowledge, Metric, Outcome

COUNTS: Final = (100, 400, 1600)
RANDOM: Final = "random unit vectors"
_FEWEST_QUERIES: Final = 10
_HELD_OUT: Final = 5  # one query in five decides which surrogate is kept
_KERNEL_RIDGE: Final = 1e-2
# The cubic solve of the kernel surrogate; more queries it does not see.
_MOST_KERNEL_ROWS: Final = 2000

Fit = Callable[[Floats, Doubles], Scorer]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a copy made from ``n_queries`` answers gives the label that the model gives.

    ``chance`` is the share of the label that the model gives most often. ``surrogate`` names the
    kind of copy, chosen by the attacker on queries held out.
    """

    answers: Answers
    source: str
    n_queries: int
    agreement: Rate
    chance: float
    surrogate: str
    seed: int
    seconds: float

    def outcome(self, attack: str) -> Outcome:
        """The line of the table."""
        return Outcome(
            attack=attack,
            knowledge=Knowledge.MODEL_QUERIES,
            metric=Metric.AGREEMENT,
            value=self.agreement.value,
            ci=(self.agreement.low, self.agreement.high),
            chance=self.chance,
            unprotected=None,
            n=self.agreement.n,
            seed=self.seed,
            seconds=self.seconds,
            given=f"{self.n_queries} queries; {self.source}; answers: {self.answers}",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extraction:
    """Copies the model from its answers.

    Knows: the model as a function (``victim``; of plain vectors, where the gateway minimizes and
    encrypts what it is asked) and vectors of the attacker's own to ask about. As a baseline,
    random unit vectors are asked too, which need no text at all.

    Source: F. Tramer et al., Stealing Machine Learning Models via Prediction APIs, USENIX
    Security 2016, sections 4.1 (solving from probabilities) and 6 (labels only).

    Args:
        victim: From rows (n, d) to log-probabilities (n, c).
        queries: The attacker's vectors, shape (m, d), in random order.
        rows: Rows that the copy is compared on, shape (n, d); for scoring only.
        counts: Numbers of queries, each from 10 on; those above m are left out.
        answers: What the model tells; one curve each.
    """

    victim: Scorer = field(repr=False)
    queries: Floats = field(repr=False)
    rows: Floats = field(repr=False)
    counts: tuple[int, ...] = COUNTS
    answers: tuple[Answers, ...] = tuple(Answers)

    def __post_init__(self) -> None:
        """Refuse what cannot be attacked.

        Raises:
            DimensionError: shapes disagree (code ``dimension``).
            InputError: code ``no_rows``, ``not_finite``, or ``n_queries``: no count to try.
        """
        m, width = checked_rows(self.queries, "queries").shape
        checked_rows(self.rows, "rows", width=width)
        if not self.counts or min(self.counts) < _FEWEST_QUERIES or min(self.counts) > m:
            raise InputError(
                f"counts {self.counts} with {m} vectors to ask about",
                code="n_queries",
                hint=f"take counts from {_FEWEST_QUERIES} to the number of vectors",
            )

    def run(self, seed: int) -> tuple[Agreement, ...]:
        """One point for each source of queries, kind of answer and number of queries."""
        rng = np.random.default_rng(seed)
        random = rng.standard_normal(self.queries.shape)
        random /= np.linalg.norm(random, axis=1, keepdims=True)
        sources: Mapping[str, Floats] = {"own vectors": self.queries, RANDOM: random}
        truth = answered(self.victim, self.rows, Answers.PROBABILITIES).argmax(axis=1)
        chance = float(np.bincount(truth).max() / len(truth))
        points = []
        for source, queries in sources.items():
            for answers in self.answers:
                told = answered(self.victim, queries, answers)
                for count in self.counts:
                    if count > len(queries):
                        continue
                    started = perf_counter()
                    name, copy = copied(queries[:count], told[:count], answers)
                    same = float(np.mean(copy(self.rows).argmax(axis=1) == truth))
                    seen = rate(same, len(truth))
                    took = perf_counter() - started
                    points.append(Agreement(answers, source, count, seen, chance, name, seed, took))
        return tuple(points)


def copied(queries: Floats, told: Doubles, answers: Answers) -> tuple[str, Scorer]:
    """The name and the copy that agrees best on held-out queries, fitted on all of them.

    Args:
        queries: Rows asked about, shape (n, d), in random order.
        told: What came back, as log-probabilities (n, c).
        answers: What kind of answer ``told`` is.
    """
    fits: dict[str, Fit] = {"linear": _fit_soft, "kernel": fit_kernel}
    if answers is Answers.PROBABILITIES:
        fits = {"solved": solve_head, **fits}
    held = np.arange(len(queries)) % _HELD_OUT == 0
    truth = told[held].argmax(axis=1)

    def held_out_agreement(name: str) -> float:
        copy = fits[name](queries[~held], told[~held])
        return float(np.mean(copy(queries[held]).argmax(axis=1) == truth))

    best = max(fits, key=held_out_agreement)
    return best, fits[best](queries, told)


def _fit_soft(queries: Floats, told: Doubles) -> Scorer:
    probabilities = np.exp(told)
    return fit_head(queries, probabilities / probabilities.sum(axis=1, keepdims=True))


def fit_kernel(queries: Floats, told: Doubles) -> Scorer:
    """Ridge regression of the log-probabilities on a Gaussian kernel of the queries.

    Its width is the median distance of the queries: for models that are not linear.
    """
    x, targets = queries[:_MOST_KERNEL_ROWS], told[:_MOST_KERNEL_ROWS]
    mean = targets.mean(axis=0)
    squares = cdist(x, x, "sqeuclidean")
    width = max(float(np.median(squares)), np.finfo(np.float64).tiny)
    kernel = np.exp(-squares / width)
    kernel[np.diag_indices_from(kernel)] += _KERNEL_RIDGE
    weights = np.linalg.solve(kernel, targets - mean)
    return partial(_kernel_scores, x, weights, (width, mean))


def _kernel_scores(
    x: Floats, weights: Doubles, scale: tuple[float, Doubles], rows: Floats
) -> Floats:
    width, mean = scale
    out: Floats = np.exp(-cdist(rows, x, "sqeuclidean") / width) @ weights + mean
    return out
