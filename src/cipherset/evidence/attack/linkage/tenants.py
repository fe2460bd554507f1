"""Whose row is this in another tenant's export? Two exports under different keys, linked.

What a key hides is a rotation, and rows have features that no rotation touches: how far they lie
from the others. Two exports of the same rows under different keys are linked by those alone, unless
minimizing and noise leave nothing of them; so that is what this measures.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.statistics import Interval, clopper_pearson

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_QUANTILES: Final = np.linspace(0.02, 0.98, 25)
_LEAST_SPREAD: Final = 1e-9


@dataclass(frozen=True, slots=True)
class TenantLinkage:
    """How often a row's own counterpart is the first choice, of the ``n`` rows that have one.

    ``nearest``: as the rows lie, which finds them where both exports are under one key.
    ``profile``: by the features that no key hides. ``chance``: by drawing among the rows of the
    same group. ``interval``: of the better of the two, 95 percent.
    """

    n: int
    nearest: float
    profile: float
    chance: float
    interval: Interval

    @property
    def is_above_chance(self) -> bool:
        """Whether the better attack beats drawing by more than luck explains."""
        return self.interval.low > self.chance


def link_tenants(
    first: Floats, second: Floats, *, truth: Ints, first_groups: Ints, second_groups: Ints
) -> TenantLinkage:
    """Each row of ``first`` goes to the likeliest row of ``second`` in its group.

    Knows: both files with their clear groups, as codes that mean the same in both; no key, no
    minimizer, no plain row.

    Args:
        first: Ciphertexts, shape (n, k).
        second: Ciphertexts, shape (m, l).
        truth: For each row of ``first`` its counterpart in ``second``, shape (n,); -1 where it has
            none. Such a row lies among the others, and is not asked about.
        first_groups: Shape (n,).
        second_groups: Shape (m,).

    Raises:
        InputError: ``no_rows``: one of the two has none, or no row is in both; ``not_finite``.
        DimensionError: ``dimension``: groups or truth of another length.
    """
    a, b = _checked(first, first_groups), _checked(second, second_groups)
    if len(truth) != len(a):
        raise _lengths()
    asked = np.flatnonzero(truth >= 0)
    if not asked.size:
        raise _no_rows("no row that both exports have")
    same = first_groups[asked, np.newaxis] == second_groups[np.newaxis, :]
    chance = float((1.0 / np.maximum(same.sum(axis=1), 1)).mean())
    if a.shape[1] == b.shape[1]:
        nearest = _hits(_squared(_standard(a)[asked], _standard(b)), same, truth[asked])
    else:
        nearest = np.zeros(len(asked))
    codes = np.intersect1d(first_groups, second_groups)
    mine = _within_groups(_profiles(a, first_groups, codes), first_groups)
    theirs = _within_groups(_profiles(b, second_groups, codes), second_groups)
    profile = _hits(_squared(mine[asked], theirs), same, truth[asked])
    most = max(float(nearest.sum()), float(profile.sum()))
    interval = Interval(most / len(asked), *clopper_pearson(most, len(asked)))
    return TenantLinkage(len(asked), float(nearest.mean()), float(profile.mean()), chance, interval)


def _profiles(x: Doubles, groups: Ints, codes: Ints) -> Doubles:
    """What no rotation or scale hides of each row, shape (n, features).

    For each group of the file the quantiles of a row's distances to its rows, and the distance to
    the middle of the group, in which noise averages out.
    """
    parts = []
    for code in codes:
        members = x[groups == code]
        squared = np.maximum(_squared(x, members), 0.0)
        parts.append(np.quantile(squared, _QUANTILES, axis=1).T)
        parts.append(((x - members.mean(axis=0)) ** 2).sum(axis=1, keepdims=True))
    parts.append((x**2).sum(axis=1, keepdims=True))
    return np.hstack(parts)


def _within_groups(features: Doubles, groups: Ints) -> Doubles:
    """Each feature with mean 0 and spread 1 within each group, shape (n, features)."""
    centered = features.copy()
    for code in np.unique(groups):
        of = groups == code
        centered[of] = _standard(features[of])
    return centered


def _standard(x: Doubles) -> Doubles:
    spread = np.maximum(x.std(axis=0), _LEAST_SPREAD)
    return np.asarray((x - x.mean(axis=0)) / spread)


def _squared(a: Doubles, b: Doubles) -> Doubles:
    """Squared distances, shape (n, m); rounding may take them just below zero."""
    return np.asarray(
        (a**2).sum(axis=1)[:, np.newaxis] + (b**2).sum(axis=1)[np.newaxis, :] - 2.0 * (a @ b.T)
    )


def _hits(squared: Doubles, same: npt.NDArray[np.bool_], truth: Ints) -> Doubles:
    """1 where the own row is the nearest of its group; split where several are as near."""
    allowed = np.where(same, squared, np.inf)
    least = allowed.min(axis=1, keepdims=True)
    first = same & (allowed <= least + 1e-12)
    own = first[np.arange(len(truth)), truth]
    return np.where(own, 1.0 / np.maximum(first.sum(axis=1), 1), 0.0)


def _checked(x: Floats, groups: Ints) -> Doubles:
    if len(x) == 0:
        raise _no_rows("an export without rows")
    if len(groups) != len(x):
        raise _lengths()
    doubles = np.asarray(x, dtype=np.float64)
    if not np.isfinite(doubles).all():
        raise InputError(
            "a ciphertext is not finite", code="not_finite", hint="read the export again"
        )
    return doubles


def _no_rows(what: str) -> InputError:
    return InputError(what, code="no_rows", hint="give both some rows, and some of them to both")


def _lengths() -> DimensionError:
    return DimensionError(
        "rows, groups and counterparts differ in number",
        code="dimension",
        hint="give one group for each row, and one counterpart for each row of the first export",
    )
