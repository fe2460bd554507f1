"""Which record is this ciphertext? Asked by whoever stole the file, the key and the minimizer."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Floats, NoiseLaw
from cipherset.evidence.attack.linkage.joint import score_joint
from cipherset.evidence.attack.linkage.nearest import NearestScores, score_nearest
from cipherset.evidence.attack.linkage.trial import Block, Doubles, Trial, trial
from cipherset.evidence.attack.statistics import CONFIDENCE, clopper_pearson

ENOUGH_CANDIDATES: Final = 2000
NORMAL_95: Final = 1.96
_MOST_ROWS: Final = 2**40
# Below this share of rows that the clear columns leave open, there is nothing to measure.
_LEAST_OPEN: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Reidentification:
    """How often a ciphertext's own record is told from the others of its group.

    ``nearest`` and ``joint`` are the shares of ciphertexts that each attack gets right (``joint``
    is None where it was not run); ``rank1`` is the larger. ``label_alone`` is what the clear
    columns give without any vector: the mean of 1 / (candidates in the group). ``excess`` is
    ``(rank1 - label_alone) / (1 - label_alone)``, at most 1 and below 0 by chance, with the ends
    of its 95 % interval. ``mrr`` is the mean reciprocal rank of the nearest-neighbor attack,
    ``single_candidate`` the share of ciphertexts with one possible candidate: the only one within
    the radius of noise in a ball, or in the group, where Gaussian noise excludes none.
    ``decidable`` is false where the clear columns alone identify every row: the excess is then
    given as 0, its interval as [0, 1].
    """

    n: int
    candidates: int
    nearest: float
    joint: float | None
    label_alone: float
    excess: float
    low: float
    high: float
    mrr: float
    mrr_low: float
    mrr_high: float
    single_candidate: float
    decidable: bool

    @property
    def rank1(self) -> float:
        """The larger of the two attacks' shares."""
        return self.nearest if self.joint is None else max(self.nearest, self.joint)

    @property
    def strongest(self) -> str:
        """The name of the attack that ``rank1`` comes from."""
        return "nearest" if self.rank1 == self.nearest else "joint"

    @property
    def excess_nearest(self) -> float:
        """``excess`` of the nearest-neighbor attack alone, to compare with other reports."""
        return excess_over(self.nearest, self.label_alone) if self.decidable else 0.0

    @property
    def few_rows(self) -> bool:
        """Whether there were fewer candidates than the usual 2,000: fewer are easier to tell."""
        return self.candidates < ENOUGH_CANDIDATES


def reidentify(
    ciphertexts: Floats,
    candidates: Floats,
    *,
    truth: npt.ArrayLike,
    ciphertext_groups: npt.ArrayLike,
    candidate_groups: npt.ArrayLike,
    noise: NoiseLaw,
) -> Reidentification:
    """The share of ``ciphertexts`` whose own candidate is found, and what of it the vectors give.

    Knows: the file, the key (removed from ``ciphertexts`` by the caller), the minimizer (applied
    to ``candidates``), the clear columns, the law of the noise. The unprotected embedding is
    measured by the same call, with plain vectors on both sides and no noise.

    Args:
        ciphertexts: Rows back in the space of the candidates, noise included, shape (m, dim).
        candidates: Noise-free rows, each ciphertext's own among them, shape (N, dim).
        truth: Index of each ciphertext's own candidate, shape (m,); for scoring only.
        ciphertext_groups: Code of the combination of clear columns, shape (m,).
        candidate_groups: The same for the candidates, shape (N,).
        noise: The law of the noise in this space.

    Raises:
        DimensionError: shapes disagree (code ``dimension``).
        InputError: code ``no_rows``, ``not_finite``, ``truth``, ``groups`` or ``noise_size``.
    """
    asked = trial(
        [Block(ciphertexts, candidates, noise)],
        truth=truth,
        ciphertext_groups=ciphertext_groups,
        candidate_groups=candidate_groups,
    )
    return score(asked)


def score(asked: Trial) -> Reidentification:
    """What both attacks get of a checked trial."""
    return _summary(score_nearest(asked), score_joint(asked), len(asked.candidate_groups))


def _summary(rows: NearestScores, joint: Doubles | None, n_candidates: int) -> Reidentification:
    n = len(rows.success)
    nearest = float(rows.success.mean())
    together = None if joint is None else float(joint.mean())
    rank1 = nearest if together is None else max(nearest, together)
    alone = float((1.0 / rows.group_size).mean())
    decidable = 1.0 - alone >= _LEAST_OPEN
    excess, low, high = 0.0, 0.0, 1.0
    if decidable:
        ends = clopper_pearson(min(rank1 * n, float(n)), n)
        excess, low, high = (excess_over(rate, alone) for rate in (rank1, *ends))
    mrr = float(rows.reciprocal_rank.mean())
    half = NORMAL_95 * float(rows.reciprocal_rank.std()) / np.sqrt(n)
    return Reidentification(
        n=n,
        candidates=n_candidates,
        nearest=nearest,
        joint=together,
        label_alone=alone,
        excess=excess,
        low=low,
        high=high,
        mrr=mrr,
        mrr_low=max(mrr - half, 0.0),
        mrr_high=min(mrr + half, 1.0),
        single_candidate=float(np.mean(rows.possible == 1)),
        decidable=decidable,
    )


def excess_over(rate: float, label_alone: float) -> float:
    """``(rate - label_alone) / (1 - label_alone)``, at most 1: what the vectors add."""
    return min((rate - label_alone) / (1.0 - label_alone), 1.0)


def rows_to_decide(
    limit: float, *, n_groups: int = 0, excess: float = 0.0, confidence: float = CONFIDENCE
) -> int:
    """The least number of rows at which an export can be seen to be within the limit.

    ``excess`` is what the export really adds; 0, the least it can, gives the least number.

    With ``n_groups`` groups of clear columns such an export has ``n_groups`` rows identified by
    luck (one a group); with 0, none at all. The number is the least n at which the upper end of
    the excess, measured on n rows among themselves, lies under ``limit``.

    Raises:
        InputError: ``limit`` is not between 0 and 1 (code ``limit``), or so small that no
            number of rows would do.
    """
    if not 0.0 < limit < 1.0:
        raise InputError(
            f"limit is between 0 and 1; found {limit}", code="limit", hint="0.05 is usual"
        )

    def within(n: int) -> bool:
        alone = n_groups / n
        _, high = clopper_pearson(n * (alone + excess * (1 - alone)), n, confidence)
        return excess_over(high, alone) < limit

    enough = n_groups + 1
    while not within(enough):
        if enough > _MOST_ROWS:
            raise InputError(
                f"a limit of {limit:g} is too small to decide", code="limit", hint="raise the limit"
            )
        enough *= 2
    too_few = max(enough // 2, n_groups)
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if within(middle):
            enough = middle
        else:
            too_few = middle
    return enough
