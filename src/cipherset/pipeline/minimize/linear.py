"""Linear minimizers: an offset and a matrix, then unit norm."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf
from sklearn.cross_decomposition import PLSRegression

from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.minimize.network import Codes, deviations


def principal_axes(x: Floats, dim: int) -> Floats:
    """The ``dim`` leading eigenvectors of the covariance of ``x``, shape (d, dim)."""
    centered = np.asarray(x - x.mean(axis=0), dtype=np.float64)
    width = x.shape[1]
    _, axes = eigh(centered.T @ centered, subset_by_index=(width - dim, width - 1))
    return _signed(axes[:, ::-1])


def discriminant_axes(x: Floats, codes: Codes, dim: int) -> Floats:
    """Leading solutions v of ``between @ v = r * within @ v``, shape (d, dim), within-variance 1.

    ``within`` is shrunk after Ledoit and Wolf, so that fewer rows than dimensions are enough.
    Source: Ledoit and Wolf 2004, A well-conditioned estimator for large-dimensional covariance
    matrices, section 3; Fisher's criterion for the rest.
    """
    wide = np.asarray(x, dtype=np.float64)
    apart = deviations(wide, codes, int(codes.max()) + 1)
    means = wide - apart - wide.mean(axis=0)
    within, _ = ledoit_wolf(apart, assume_centered=True)
    within += np.eye(len(within)) * max(np.trace(within) / len(within), 1e-12) * 1e-6
    width = x.shape[1]
    _, axes = eigh(means.T @ means / len(x), within, subset_by_index=(width - dim, width - 1))
    return _signed(axes[:, ::-1])


def regression_axes(x: Floats, targets: Floats, dim: int) -> Floats:
    """Rotations of a partial least squares fit, scaled to scores of variance 1, shape (d, dim)."""
    fitted = PLSRegression(n_components=dim, scale=False).fit(x, targets)
    axes = np.asarray(fitted.x_rotations_, dtype=np.float64)
    spread = np.std((x - x.mean(axis=0)) @ axes, axis=0)
    return _signed(axes / np.maximum(spread, 1e-12))


def _signed(axes: npt.NDArray[np.float64]) -> Float32s:
    """Each column with its largest entry positive, so that a fit means one matrix."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(axes * np.where(largest < 0, -1.0, 1.0), dtype=np.float32)
