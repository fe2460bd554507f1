"""The most exposed: an average hides the rows that noise protects least."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats, NoiseLaw
from cipherset.evidence.attack.linkage.joint import score_joint
from cipherset.evidence.attack.linkage.nearest import score_nearest
from cipherset.evidence.attack.linkage.trial import Block, Doubles, Trial, trial

TOP_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Exposure:
    """Shares of re-identified draws: of all rows, and of those that fare worst.

    ``top`` is the rate of the most exposed 1 % of the rows, chosen on the first half of the
    draws and scored on the other; ``top_excess`` is the same with a row's rate taken in excess of
    what its clear columns give, ``(rate - alone) / (1 - alone)``, 0 for a row alone in its group.
    ``smallest_group`` is the rate of the rows whose group is the
    smallest (all such groups), ``smallest_group_alone`` what their clear columns give without a
    vector. ``marked`` is the rate of the rows that the caller marked, such as the misclassified,
    None where there are none. Rates are of the stronger of the two attacks, and but for
    ``top_excess`` are not excesses.
    """

    rows: int
    draws: int
    attack: str
    overall: float
    top: float
    top_rows: int
    top_excess: float
    smallest_group: float
    smallest_group_rows: int
    smallest_group_alone: float
    marked: float | None
    marked_rows: int


def expose(
    vectors: Floats,
    draws: Sequence[Floats],
    *,
    groups: npt.ArrayLike,
    marked: npt.NDArray[np.bool_],
    noise: NoiseLaw,
) -> Exposure:
    """How often the rows that fare worst are re-identified, over several draws of the noise.

    Knows: as ``reidentify``.

    Args:
        vectors: Noise-free rows, the candidates, shape (n, dim).
        draws: An even number of encryptions of all the rows in this order, each with its own
            noise and the key removed, shape (n, dim).
        groups: Code of the combination of clear columns, shape (n,).
        marked: Rows to be reported apart, shape (n,).
        noise: The law of the noise in this space.

    Raises:
        DimensionError: shapes disagree (code ``dimension``).
        InputError: no draws or an odd number (code ``draws``), or as ``reidentify``.
    """
    if len(draws) < 2 or len(draws) % 2:
        raise InputError(
            f"expected an even number of draws; found {len(draws)}",
            code="draws",
            hint="half choose the most exposed rows, half score them",
        )
    index = np.arange(len(vectors))
    trials = [
        trial(
            [Block(draw, vectors, noise)],
            truth=index,
            ciphertext_groups=groups,
            candidate_groups=groups,
        )
        for draw in draws
    ]
    if marked.shape != index.shape or len(trials[0].truth) != len(index):
        raise DimensionError(
            f"marked: expected shape {index.shape}; found {marked.shape}",
            code="dimension",
            hint="pass one boolean per row",
        )
    attack, success = _success(trials)
    return _rates(attack, success, trials[0].candidate_groups, marked)


def _success(trials: Sequence[Trial]) -> tuple[str, Doubles]:
    """The attack that does better on the first half of the draws, and its (draws, n) successes."""
    nearest = np.stack([score_nearest(drawn).success for drawn in trials])
    joint = [score_joint(drawn) for drawn in trials]
    together = [success for success in joint if success is not None]
    if len(together) < len(trials):
        return "nearest", nearest
    half = len(trials) // 2
    if nearest[:half].mean() >= np.mean(together[:half]):
        return "nearest", nearest
    return "joint", np.stack(together)


def _rates(
    attack: str, success: Doubles, groups: npt.NDArray[np.int64], marked: npt.NDArray[np.bool_]
) -> Exposure:
    draws, n = success.shape
    top_rows = math.ceil(n * TOP_SHARE)
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    alone = 1.0 / sizes[code]
    excess = np.where(alone < 1.0, (success - alone) / np.maximum(1.0 - alone, 0.5), 0.0)
    top, top_excess = (_top(rates, draws // 2, top_rows) for rates in (success, excess))
    smallest = sizes[code] == sizes.min()
    return Exposure(
        rows=n,
        draws=draws,
        attack=attack,
        overall=float(success.mean()),
        top=top,
        top_rows=top_rows,
        top_excess=top_excess,
        smallest_group=float(success[:, smallest].mean()),
        smallest_group_rows=int(smallest.sum()),
        smallest_group_alone=1.0 / int(sizes.min()),
        marked=float(success[:, marked].mean()) if marked.any() else None,
        marked_rows=int(marked.sum()),
    )


def _top(rates: Doubles, half: int, rows: int) -> float:
    """The mean of the ``rows`` that fare worst in the first ``half`` of the draws, in the other."""
    chosen = np.argsort(-rates[:half].mean(axis=0), kind="stable")[:rows]
    return float(rates[half:, chosen].mean())
