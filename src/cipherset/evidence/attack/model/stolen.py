"""What a stolen model is worth without the key, to somebody with a few labeled public texts."""

from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from cipherset.core.errors import DimensionError
from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import (
    Answers,
    Doubles,
    Ints,
    Scorer,
    answered,
    checked_labels,
    checked_rows,
)
from cipherset.evidence.attack.model.head import LinearHead, fit_head, solve_head
from cipherset.evidence.attack.model.rates import Rate, rate
from cipherset.evidence.attack.outcome import Knowledge, Metric, Outcome
from cipherset.evidence.attack.statistics import Interval, paired_bootstrap

# Two: the third and later rounds changed nothing on the data it was tried on.
_ROUNDS: Final = 2
# Enough to average out what is not linear; the file is the attacker's, so asking is free.
_QUERIES: Final = 2000
_QUERIES_PER_DIM: Final = 4


class Family(StrEnum):
    """What kind of secret map the model was trained behind: the bundle names its scheme."""

    IDENTITY = "identity"
    PERMUTATION = "permutation"
    ROTATION = "rotation"


@dataclass(frozen=True, slots=True)
class StolenWorth:
    """How often the stolen model is right for the attacker, beside what he has without it.

    ``own`` is his own model from the same labels, ``gain`` what the stolen one adds to it.
    ``chance`` is the share of the most frequent class among the rows scored.
    """

    family: Family
    n_labels: int
    accuracy: Rate
    own: Rate
    gain: Interval
    chance: float
    seed: int
    seconds: float

    def outcome(self, attack: str, *, with_key: float | None = None) -> Outcome:
        """The line of the table; ``with_key`` is the model's accuracy for whoever has the key."""
        return Outcome(
            attack=attack,
            knowledge=Knowledge.STOLEN_MODEL,
            metric=Metric.ACCURACY,
            value=self.accuracy.value,
            ci=(self.accuracy.low, self.accuracy.high),
            chance=self.chance,
            unprotected=with_key,
            n=self.accuracy.n,
            seed=self.seed,
            seconds=self.seconds,
            given=f"{self.family}; {self.n_labels} labels, alone worth {self.own.value:.3f}",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StolenModel:
    """Matches the model's class weights with those of a model from the attacker's own labels.

    Knows: the model's file, as its weights (a ``LinearHead``) or as any function; the family of
    the scheme; labeled public vectors, and unlabeled ones if he has them; the norm of a
    ciphertext. After minimization his vectors are those of his own bottleneck, unless he has
    stolen the minimizer too.

    The map is the permutation or the orthogonal matrix that brings his weights nearest to the
    stolen ones. With unlabeled vectors he then lets the stolen model label them, fits his own
    again and matches once more. A function is first replaced by the linear head nearest to it.

    Source: for the matching, P. H. Schonemann, A Generalized Solution of the Orthogonal
    Procrustes Problem, Psychometrika 31(1), 1966; the attack is measured in evidence.md, section 1.

    Args:
        model: From ciphertexts (n, dim) to log-probabilities (n, c).
        dim: Width of a ciphertext.
        vectors: The attacker's labeled vectors, shape (n, q).
        labels: Their class codes as the model numbers them, shape (n,).
        family: Kind of the secret map; all but a rotation need ``q == dim``.
        public: Vectors without labels, shape (m, q), or None.
        norm: Norm of a ciphertext less its noise.
    """

    model: Scorer = field(repr=False)
    dim: int
    vectors: Floats = field(repr=False)
    labels: Ints = field(repr=False)
    family: Family = Family.ROTATION
    public: Floats | None = field(default=None, repr=False)
    norm: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be attacked.

        Raises:
            DimensionError: shapes disagree (code ``dimension``).
            InputError: code ``no_rows``, ``not_finite`` or ``class_codes``.
        """
        n, q = checked_rows(self.vectors, "vectors").shape
        checked_labels(self.labels, n, "labels")
        if self.public is not None:
            checked_rows(self.public, "public", width=q)
        if self.family is not Family.ROTATION and q != self.dim:
            raise DimensionError(
                f"vectors have {q} columns, ciphertexts {self.dim}",
                code="dimension",
                hint=f"a scheme of the family {self.family} keeps the width",
            )

    def recover(self, seed: int) -> Doubles:
        """The map from the attacker's space to that of the ciphertexts, shape (q, dim)."""
        if self.family is Family.IDENTITY:
            return np.eye(self.dim) * self.norm
        stolen = self._weights(seed)
        own = self._own_head(stolen.shape[1])
        found = self._matched(own, stolen)
        if self.public is None or len(self.public) <= len(self.vectors):
            return found
        rows: Doubles = np.vstack([self.vectors, self.public]).astype(np.float64)
        for _ in range(_ROUNDS):
            guessed = np.asarray(self.model(self.public @ found)).argmax(axis=1)
            codes = np.concatenate([self.labels, guessed])
            found = self._matched(fit_head(rows, np.eye(stolen.shape[1])[codes]), stolen)
        return found

    def run(self, rows: Floats, truth: Ints, seed: int) -> StolenWorth:
        """The worth on plain ``rows`` (n, q) of the attacker's space with labels ``truth`` (n,).

        Raises:
            DimensionError: shapes disagree (code ``dimension``).
            InputError: code ``no_rows``, ``not_finite`` or ``class_codes``.
        """
        started = perf_counter()
        x = checked_rows(rows, "rows", width=self.vectors.shape[1])
        codes = checked_labels(truth, len(x), "truth")
        told = answered(self.model, x @ self.recover(seed), Answers.PROBABILITIES)
        right = told.argmax(axis=1) == codes
        own = self._own_head(told.shape[1])(x).argmax(axis=1) == codes
        return StolenWorth(
            family=self.family,
            n_labels=len(self.labels),
            accuracy=rate(float(right.mean()), len(x)),
            own=rate(float(own.mean()), len(x)),
            gain=paired_bootstrap(right, own, seed=seed),
            chance=float(np.bincount(codes).max() / len(codes)),
            seed=seed,
            seconds=perf_counter() - started,
        )

    def _own_head(self, n_classes: int) -> LinearHead:
        return fit_head(self.vectors, np.eye(n_classes)[self.labels])

    def _weights(self, seed: int) -> Doubles:
        """Weights (dim, c) of the stolen head, or of the linear head nearest to the function."""
        if isinstance(self.model, LinearHead):
            return _centered(self.model.matrix)
        rng = np.random.default_rng(seed)
        asked = rng.standard_normal((max(_QUERIES, _QUERIES_PER_DIM * self.dim), self.dim))
        asked *= self.norm / np.linalg.norm(asked, axis=1, keepdims=True)
        told = answered(self.model, asked, Answers.PROBABILITIES)
        return _centered(solve_head(asked, told).matrix)

    def _matched(self, own: LinearHead, stolen: Doubles) -> Doubles:
        matched = matched_permutation if self.family is Family.PERMUTATION else matched_rotation
        return matched(_centered(own.matrix), stolen) * self.norm


def matched_rotation(own: Doubles, stolen: Doubles) -> Doubles:
    """The ``a`` (q, k) that maximizes ``trace(own.T @ a @ stolen)``: orthonormal rows or columns.

    Args:
        own: Weights in the attacker's space, shape (q, c).
        stolen: Weights in ciphertext space, shape (k, c).
    """
    left, _, right = np.linalg.svd(own @ stolen.T, full_matrices=False)
    return np.asarray(left @ right)


def matched_permutation(own: Doubles, stolen: Doubles) -> Doubles:
    """The permutation matrix ``a`` (k, k) that maximizes ``trace(own.T @ a @ stolen)``."""
    ours, theirs = linear_sum_assignment(own @ stolen.T, maximize=True)
    out = np.zeros((len(own), len(stolen)))
    out[ours, theirs] = 1.0
    return out


def _centered(weights: Floats) -> Doubles:
    """Less the mean over classes, which a softmax forgets."""
    return np.asarray(weights - weights.mean(axis=1, keepdims=True), dtype=np.float64)
