"""Scale and noise, read off second moments; what the noise leaves of higher ones.

Ciphertexts are ``s * (x @ T + noise)`` with a secret orthogonal T and noise that is the same in
all directions. Then ``E[c c'] = s**2 * (T' E[x x'] T + v * I)``: the noise adds the same ``v`` to
each eigenvalue, and touches nothing off the diagonal.
"""

from dataclasses import dataclass, field

import numpy as np

from cipherset.evidence.attack.alignment.linear_map import Doubles

_TINY = 1e-12  # below any variance of float32 vectors


@dataclass(frozen=True, slots=True)
class Scale:
    """``scale``: the multiplier s; ``noise_variance``: v per coordinate, in units of s."""

    scale: float
    noise_variance: float


@dataclass(frozen=True, slots=True, eq=False)
class Cumulants:
    """Of each coordinate the mean, the variance without noise, the third central moment.

    ``values`` and their standard ``errors``, both of shape (k, 3).
    """

    values: Doubles = field(repr=False)
    errors: Doubles = field(repr=False)


def read_scale(ciphertexts: Doubles, public: Doubles, noise_radius: float | None) -> Scale:
    """Scale and noise of ``ciphertexts`` (n, k), given other vectors (m, k) of the same kind.

    With the radius r of the noise ball (in units of s) known, as the manifest tells it:
    ``s**2 = mean|c|**2 / (mean|x|**2 + r**2 * k / (k + 2))``, for ``E|u|**2 = r**2 * k / (k + 2)``
    where u is uniform in the ball. Else from the second moments with their multiple of the
    identity taken off: ``s**2 = norm(dev(E[c c'])) / norm(dev(E[x x']))``, which the noise does
    not touch, and ``v = (mean|c|**2 / s**2 - mean|x|**2) / k``.

    Source: own derivation from the model above.
    """
    k = public.shape[1]
    size_c, size_x = float((ciphertexts**2).sum(1).mean()), float((public**2).sum(1).mean())
    if noise_radius is not None:
        variance = noise_radius**2 / (k + 2)
        return Scale(float(np.sqrt(max(size_c, _TINY) / (size_x + k * variance))), variance)
    spread_c, spread_x = _deviation(ciphertexts), _deviation(public)
    # A noise variance below zero is impossible, so the norms bound the scale from above.
    most = size_c / max(size_x, _TINY)
    squared = most if spread_x < _TINY else min(spread_c / spread_x, most)
    squared = max(squared, _TINY)
    return Scale(float(np.sqrt(squared)), max((size_c / squared - size_x) / k, 0.0))


def cumulants(rows: Doubles, noise_variance: float) -> Cumulants:
    """What symmetric noise leaves of each coordinate's first three cumulants.

    Errors are ``sqrt(v / n)``, ``sqrt(2 / n) * v`` and ``sqrt(6 / n) * v**1.5``, those of a normal
    variable of variance v.

    Source: M. G. Kendall, A. Stuart, The Advanced Theory of Statistics, vol. 1, chapter 10.
    """
    n = len(rows)
    mean = rows.mean(axis=0)
    centered = rows - mean
    variance = (centered**2).mean(axis=0)
    third = (centered**3).mean(axis=0)
    errors = [np.sqrt(variance / n), np.sqrt(2 / n) * variance, np.sqrt(6 / n) * variance**1.5]
    return Cumulants(
        np.stack([mean, variance - noise_variance, third], axis=1), np.stack(errors, axis=1)
    )


def off_diagonal(rows: Doubles) -> Doubles:
    """The covariance matrix with zeros on its diagonal, shape (k, k)."""
    covariance = np.atleast_2d(np.cov(rows, rowvar=False))
    np.fill_diagonal(covariance, 0.0)
    return covariance


def _deviation(rows: Doubles) -> float:
    moment = rows.T @ rows / len(rows)
    moment[np.diag_indices_from(moment)] -= np.trace(moment) / len(moment)
    return float(np.linalg.norm(moment))
