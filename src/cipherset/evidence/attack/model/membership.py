"""Was this row among those that the model was trained on? Shadow models tell how likely.

Every row is asked about under each name in ``queries``: the ciphertext that is stored, a fresh
encryption of the same row, the noise-free query of the gateway. Noise makes the first easier (the
model has seen that very noise) and the second harder; a report says which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import (
    Answers,
    Doubles,
    Ints,
    Scorer,
    Trainer,
    answered,
    checked_labels,
    checked_rows,
)
from cipherset.evidence.attack.model.rates import Rate, area_under_roc, tpr_at_fpr
from cipherset.evidence.attack.outcome import Knowledge, Metric, Outcome
from cipherset.evidence.attack.statistics import Interval

Bools = npt.NDArray[np.bool_]
# Beyond this, a confidence says nothing more; a single huge one would rule the variance.
_MOST_LOGIT: Final = 50.0
_LEAST_SPREAD: Final = 1e-3
_FEWEST_SHADOWS: Final = 4


@dataclass(frozen=True, slots=True)
class Membership:
    """How well members are told from other rows of the same source.

    ``query`` names what the model was asked about, ``answers`` what it told. ``auc`` is .5 by
    chance; the two rates are .01 and .001. ``false_positives`` is how many other rows pass at
    .01 and at .001: where it is 1 or 0, the rate below it is rough. ``train_accuracy`` and
    ``other_accuracy`` are those of the attacked models on the same queries.
    """

    query: str
    answers: Answers
    at_001: Rate
    at_0001: Rate
    auc: Interval
    false_positives: tuple[int, int]
    train_accuracy: float
    other_accuracy: float
    seed: int
    seconds: float

    def outcomes(
        self, attack: str, knowledge: Knowledge, *, unprotected: "Membership | None" = None
    ) -> tuple[Outcome, Outcome]:
        """The two lines of the table, at 1 % and at .1 % false positives."""
        plain = (None, None) if unprotected is None else (unprotected.at_001, unprotected.at_0001)
        return (
            self._outcome(attack, knowledge, self.at_001, plain[0]),
            self._outcome(attack, knowledge, self.at_0001, plain[1]),
        )

    def _outcome(
        self, attack: str, knowledge: Knowledge, seen: Rate, plain: Rate | None
    ) -> Outcome:
        first = seen is self.at_001
        return Outcome(
            attack=attack,
            knowledge=knowledge,
            metric=Metric.TPR_AT_FPR_001 if first else Metric.TPR_AT_FPR_0001,
            value=seen.value,
            ci=(seen.low, seen.high),
            chance=0.01 if first else 0.001,
            unprotected=None if plain is None else plain.value,
            n=seen.n,
            seed=self.seed,
            seconds=self.seconds,
            given=f"query: {self.query}; answers: {self.answers}",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShadowMembership:
    """The likelihood-ratio attack (LiRA): online, few shadow models, one variance for all rows.

    Knows: the recipe of the model (``train``), all rows that may be members with their labels,
    and the model's ``answers`` to ``queries``; not which rows it was trained on. Shadows are
    trained on the rows as they are stored, also where the query is another encryption: an
    attacker without the file gets less.

    Source: N. Carlini et al., Membership Inference Attacks From First Principles, 2022,
    arXiv:2112.03570, algorithm 1, and section VI for the variance over all rows.

    Args:
        train: The recipe; its scorers know every class of ``labels``.
        rows: What a model is trained on, shape (n, d).
        labels: Class codes, shape (n,).
        queries: Name of a way to ask, and the same rows asked in that way, shape (n, d).
        n_shadows: How many shadow models, an even number from 4 on.
        n_targets: How many models are attacked in ``run``, an even number from 2 on.
    """

    train: Trainer = field(repr=False)
    rows: Floats = field(repr=False)
    labels: Ints = field(repr=False)
    queries: Mapping[str, Floats] = field(repr=False)
    answers: Answers = Answers.PROBABILITIES
    n_shadows: int = 16
    n_targets: int = 4

    def __post_init__(self) -> None:
        """Refuse what cannot be attacked.

        Raises:
            DimensionError: shapes disagree (code ``dimension``).
            InputError: code ``no_rows``, ``not_finite``, ``class_codes``, or ``shadows``: an odd
                or too small number of models.
        """
        n, width = checked_rows(self.rows, "rows").shape
        checked_labels(self.labels, n, "labels")
        for name, asked in self.queries.items():
            checked_labels(self.labels, len(checked_rows(asked, name, width=width)), "labels")
        few = self.n_shadows < _FEWEST_SHADOWS or self.n_targets < 2
        if few or self.n_shadows % 2 or self.n_targets % 2:
            raise InputError(
                f"{self.n_shadows} shadow models and {self.n_targets} targets",
                code="shadows",
                hint="take even numbers, at least 4 shadows and 2 targets",
            )

    def run(self, seed: int) -> tuple[Membership, ...]:
        """One result per way to ask, over ``n_targets`` models of the same recipe.

        Each is trained on a random half of the rows, so the other half are its non-members.
        """
        started = perf_counter()
        rng = np.random.default_rng([seed, 0])
        inside = halves(rng, self.n_targets, len(self.rows))
        targets = [self._trained(members, rng) for members in inside]
        return self._attack(targets, inside, seed=seed, started=started)

    def against(self, target: Scorer, members: Bools, seed: int) -> tuple[Membership, ...]:
        """One result per way to ask, for this very model, trained on the rows of ``members``.

        Raises:
            InputError: members or others are missing (code ``no_rows``).
        """
        inside = np.asarray(members, dtype=np.bool_).reshape(1, -1)
        checked_labels(self.labels, inside.shape[1], "labels")
        return self._attack([target], inside, seed=seed, started=perf_counter())

    def _attack(
        self, targets: list[Scorer], inside: Bools, *, seed: int, started: float
    ) -> tuple[Membership, ...]:
        rng = np.random.default_rng([seed, 1])
        shadow_inside = halves(rng, self.n_shadows, len(self.rows))
        shadows = [self._trained(members, rng) for members in shadow_inside]
        found = []
        for name, asked in self.queries.items():
            of_shadows, of_targets = (
                self._confidences(shadows, asked),
                [answered(target, asked, self.answers) for target in targets],
            )
            of_targets_logit = np.array([logit(told, self.labels) for told in of_targets])
            scores = likelihood_ratios(of_targets_logit, of_shadows, shadow_inside)
            right = np.array([told.argmax(axis=1) == self.labels for told in of_targets])
            found.append(
                _membership(
                    (name, self.answers), scores, inside, right, (seed, perf_counter() - started)
                )
            )
        return tuple(found)

    def _trained(self, members: Bools, rng: np.random.Generator) -> Scorer:
        chosen = np.flatnonzero(members)
        return self.train(self.rows[chosen], self.labels[chosen], int(rng.integers(2**31)))

    def _confidences(self, models: list[Scorer], asked: Floats) -> Doubles:
        return np.array(
            [logit(answered(model, asked, self.answers), self.labels) for model in models]
        )


def halves(rng: np.random.Generator, n_models: int, n: int) -> Bools:
    """Who is in which model, shape (models, n): each row in half of them, drawn at random."""
    order = rng.random((n_models, n)).argsort(axis=0).argsort(axis=0)
    inside: Bools = order < n_models // 2
    return inside


def logit(told: Floats, labels: Ints) -> Doubles:
    """``log(p / (1 - p))`` of the true class, shape (n,), from log-probabilities (n, c).

    From the other classes' sum and not from ``1 - p``, which has lost every digit where the model
    is sure. Source: arXiv:2112.03570, section V-B.
    """
    at = np.arange(len(told))
    others = np.array(told, dtype=np.float64)
    others[at, labels] = -np.inf
    out = told[at, labels] - logsumexp(others, axis=1)
    return np.asarray(np.clip(out, -_MOST_LOGIT, _MOST_LOGIT))


def likelihood_ratios(targets: Doubles, shadows: Doubles, inside: Bools) -> Doubles:
    """``log N(x; in) - log N(x; out)`` of each target's confidence in each row, (targets, n).

    Means are the row's own over the shadows that have it and over those that do not; the two
    variances are over all rows.

    Args:
        targets: Logit of the true class, shape (targets, n).
        shadows: The same of the shadow models, shape (shadows, n).
        inside: Whether the shadow has the row, shape (shadows, n); each row in some, not in all.
    """
    total = np.zeros_like(targets)
    for sign, mask in ((1.0, inside), (-1.0, ~inside)):
        mean = np.where(mask, shadows, 0.0).sum(axis=0) / mask.sum(axis=0)
        apart = np.where(mask, shadows - mean, 0.0)
        # A mean of m values takes one degree of freedom of each row.
        freedom = max(int(mask.sum()) - mask.shape[1], 1)
        spread = max(float(np.sqrt((apart**2).sum() / freedom)), _LEAST_SPREAD)
        total += sign * (-0.5 * ((targets - mean) / spread) ** 2 - np.log(spread))
    return total


def _membership(
    way: tuple[str, Answers],
    scores: Doubles,
    inside: Bools,
    right: Bools,
    run: tuple[int, float],
) -> Membership:
    # A row tried with several targets counts once.
    members, others = int(inside.any(axis=0).sum()), int((~inside).any(axis=0).sum())
    flat, is_member = scores.ravel(), inside.ravel()
    n_others = int((~inside).sum())
    return Membership(
        query=way[0],
        answers=way[1],
        at_001=tpr_at_fpr(flat, is_member, 0.01, n=(members, others)),
        at_0001=tpr_at_fpr(flat, is_member, 0.001, n=(members, others)),
        auc=area_under_roc(flat, is_member, n=min(members, others)),
        false_positives=(int(0.01 * n_others), int(0.001 * n_others)),
        train_accuracy=float(right[inside].mean()),
        other_accuracy=float(right[~inside].mean()),
        seed=run[0],
        seconds=run[1],
    )
