"""Train and test rows: stratified by label, or by group so that no group is on both sides."""

import numpy as np
import numpy.typing as npt

from cipherset.app.exports.codes import Codes
from cipherset.core.errors import InputError

Mask = npt.NDArray[np.bool_]


def test_rows(strata: Codes, groups: Codes | None, *, share: float, seed: int) -> Mask:
    """True where a row is held out, about ``share`` (in (0, 1)) of all; shape (n,).

    Without groups the share holds within every stratum (class); a stratum of one row stays in
    the training split. With groups, whole groups are drawn until the share is reached.

    Raises:
        InputError: fewer than two groups, or too few rows to hold any out.
    """
    rng = np.random.default_rng([seed, 0x5917])
    held_out = _by_stratum(strata, share, rng) if groups is None else _by_group(groups, share, rng)
    if not held_out.any() or held_out.all():
        raise InputError(
            f"{len(strata)} rows are too few to split into train and test",
            code="too_few_rows",
            hint="give more rows, or another --test-share",
        )
    return held_out


def _by_stratum(strata: Codes, share: float, rng: np.random.Generator) -> Mask:
    held_out = np.zeros(len(strata), dtype=bool)
    order = rng.permutation(len(strata))
    by_stratum = order[np.argsort(strata[order], kind="stable")]
    counts = np.bincount(strata)
    for rows in np.split(by_stratum, np.cumsum(counts)[:-1]):
        take = min(round(share * len(rows)), len(rows) - 1)
        held_out[rows[: max(take, 0)]] = True
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
