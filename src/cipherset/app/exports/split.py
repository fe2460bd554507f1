"""Train and test rows: stratified by label, or by group so that no group is on both sides.

Copies of a row, and rows that are nearly copies, are on its side: a model that learned a row by
heart would look good on its copy. Where rows are so much alike that this leaves too little to hold
out, only the same rows are kept together, and where that does, none: ``leaked`` counts them.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.exports.codes import Codes, ranked
from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.training.copies import Copies
from cipherset.pipeline.sanitize.training.splits import linked

Mask = npt.NDArray[np.bool_]

_FEW_COPIES: Final = 4
_LEAST_SHARE: Final = 0.5  # of the share that was asked for


def test_rows(
    strata: Codes, groups: Codes | None, copies: Copies | None = None, *, share: float, seed: int
) -> Mask:
    """True where a row is held out, about ``share`` (in (0, 1)) of all; shape (n,).

    Without groups the share holds within every stratum (class), but for copies; a stratum of one
    row stays in the training split. With groups, whole groups are drawn until the share is
    reached; groups that hold copies of each other's rows are drawn as one.

    Raises:
        InputError: fewer than two groups, or too few rows to hold any out.
    """
    least = _LEAST_SHARE * share * len(strata)
    for same in () if copies is None else (copies.near, copies.same):
        held_out = _apart(strata, groups, same, share=share, seed=seed)
        if held_out is not None and least <= held_out.sum() <= len(strata) - least:
            return held_out
    rng = np.random.default_rng([seed, 0x5917])
    if groups is None:
        held_out = _by_stratum(strata, share, rng)
    else:
        held_out = _by_group(ranked(groups) if copies is None else groups, share, rng)
    if not held_out.any() or held_out.all():
        raise InputError(
            f"{len(strata)} rows are too few to split into train and test",
            code="too_few_rows",
            hint="give more rows, or another --test-share",
        )
    return held_out


def repeated(copies: Copies | None) -> int:
    """How many rows repeat an earlier one, or nearly."""
    return 0 if copies is None else len(copies.near) - int(_among(copies.near, copies.near).sum())


def leaked(held_out: Mask, copies: Copies | None) -> int:
    """How many of the rows held out have a copy, or nearly one, among the others."""
    if copies is None:
        return 0
    left = _among(copies.near, copies.near[~held_out])
    return int(left[copies.near[held_out]].sum())


def _among(codes: Codes, chosen: Codes) -> Mask:
    """For each number from 0 on, up to the largest of ``codes``, whether it is ``chosen``."""
    found = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
    found[chosen] = True
    return found


def _apart(
    strata: Codes, groups: Codes | None, same: Codes, *, share: float, seed: int
) -> Mask | None:
    """The rows held out, no copy of which is left; None where groups hang together too much."""
    rng = np.random.default_rng([seed, 0x5917])
    if groups is None:
        return _with_copies(_by_stratum(strata, share, rng), strata, same, share)
    n_groups = int(groups.max()) + 1
    nodes = linked(groups, same + n_groups, n_groups + int(same.max()) + 1)
    together = np.unique(nodes[groups], return_inverse=True)[1].reshape(-1).astype(np.int64)
    largest = np.bincount(together).max()
    if largest > max(np.bincount(groups).max(), share * len(groups) / 2):
        return None
    return _by_group(together, share, rng)


def _with_copies(held_out: Mask, strata: Codes, same: Codes, share: float) -> Mask:
    """``held_out`` with copies where the first of them is; what is there very often is trained on.

    A stratum of which nothing would be left to train on keeps its rows, and their copies.
    """
    is_out = np.zeros(int(same.max()) + 1, dtype=bool)
    is_out[same[::-1]] = held_out[::-1]  # of several the last that is written stays: the first row
    is_out &= np.bincount(same) <= max(_FEW_COPIES, share * len(same) / 10)
    out = is_out[same]
    left = np.bincount(strata[~out], minlength=int(strata.max()) + 1)
    starved = (left == 0)[strata]
    if not starved.any():
        return out
    return np.asarray(out & ~_among(same, same[starved])[same], dtype=bool)


def _by_stratum(strata: Codes, share: float, rng: np.random.Generator) -> Mask:
    held_out = np.zeros(len(strata), dtype=bool)
    order = rng.permutation(len(strata))
    by_stratum = np.argsort(strata[order], kind="stable")
    counts = np.bincount(strata)
    for places in np.split(by_stratum, np.cumsum(counts)[:-1]):
        take = min(round(share * len(places)), len(places) - 1)
        held_out[order[places[: max(take, 0)]]] = True
    return held_out


def _by_group(groups: Codes, share: float, rng: np.random.Generator) -> Mask:
    sizes = np.bincount(groups)
    if len(sizes) < 2:
        raise InputError(
            "every row is in one group, so train and test cannot be apart",
            code="one_group",
            hint="leave --group out, or choose a finer column",
        )
    order = rng.permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = order[before + sizes[order] / 2 <= share * len(groups)]
    if len(chosen) == 0:
        chosen = order[:1]
    return np.isin(groups, chosen)
