"""Linear maps from pairs: ridge with the penalty that leaves least to rows left out."""

from typing import Final

import numpy as np

from cipherset.evidence.attack.alignment.linear_map import Doubles

_PENALTIES: Final = np.logspace(-9, 2, 23)


def ridge(a: Doubles, b: Doubles) -> tuple[Doubles, Doubles]:
    """``matrix, offset`` for which ``a @ matrix + offset`` is near ``b``; shapes (k, q), (q,).

    Of the penalties 1e-9 to 1e2 times the largest squared singular value of the centered ``a``,
    the one with the least squared error of rows left out one at a time, ``e_i / (1 - h_ii)`` in
    closed form.

    Source: A. E. Hoerl, R. W. Kennard, Ridge Regression, Technometrics 12(1), 1970; rows left
    out: D. M. Allen, Technometrics 16(1), 1974.
    """
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    u, s, vt = _thin_svd(a - mean_a)
    centered = b - mean_b
    seen = u.T @ centered
    best, least = np.zeros((a.shape[1], b.shape[1])), np.inf
    unit = max(float(s[0]) ** 2, np.finfo(float).tiny)
    for penalty in _PENALTIES * unit:
        kept = s**2 / (s**2 + penalty)
        # The mean is fitted too, which takes 1 / n of each row.
        leverage = (u**2) @ kept + 1.0 / len(a)
        errors = (centered - u @ (kept[:, np.newaxis] * seen)) / np.maximum(1 - leverage, 1e-9)[
            :, np.newaxis
        ]
        loss = float((errors**2).sum())
        if loss < least:
            best, least = vt.T @ ((s / (s**2 + penalty))[:, np.newaxis] * seen), loss
    return best, np.asarray(mean_b - mean_a @ best)


def _thin_svd(a: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """The thin SVD of ``a`` (n, k), without directions that are rounding alone.

    Of many more rows than columns through ``a.T @ a``: many times faster, and what it loses, below
    1e-8 of the largest singular value, every penalty shrinks to nothing anyway.
    """
    if len(a) <= 2 * a.shape[1]:
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        return u, s, vt
    squares, v = np.linalg.eigh(a.T @ a)
    kept = squares > squares[-1] * 1e-14
    s = np.sqrt(squares[kept])[::-1]
    v = v[:, kept][:, ::-1]
    return a @ v / s, s, v.T
