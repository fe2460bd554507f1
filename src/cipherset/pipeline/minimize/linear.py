"""Linear minimizers: an offset and a matrix, then unit norm."""

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.minimize.network import Codes, deviations


def principal_axes(x: Floats, dim: int) -> Floats:
    """The ``dim`` leading eigenvectors of the covariance of ``x``, shape (d, dim)."""
    from scipy.linalg import eigh

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
    from scipy.linalg import eigh
    from sklearn.covariance import ledoit_wolf

    wide = np.asarray(x, dtype=np.float64)
    apart = deviations(wide, codes, int(codes.max()) + 1)
    means = wide - apart - wide.mean(axis=0)
    within, _ = ledoit_wolf(apart, assume_centered=True)
    within += np.eye(len(within)) * max(np.trace(within) / len(within), 1e-12) * 1e-6
    width = x.shape[1]
    _, axes = eigh(means.T @ means / len(x), within, subset_by_index=(width - dim, width - 1))
    return _signed(axes[:, ::-1])


def regression_axes(x: Floats, targets: Floats, dim: int) -> Floats:
    """Weights of partial least squares, scaled to scores of variance 1, shape (d, dim).

    A column is 0 from where ``x`` has nothing left that varies with ``targets`` (n, t).
    Source: de Jong 1993, SIMPLS: an alternative approach to partial least squares regression,
    table 1.
    """
    centered = np.asarray(x - x.mean(axis=0), dtype=np.float64)
    left = centered.T @ (targets - targets.mean(axis=0))
    enough = 1e-10 * max(float(np.linalg.norm(left)), 1e-10)
    axes, basis = np.zeros((x.shape[1], dim)), np.zeros((x.shape[1], dim))
    for i in range(dim):
        if np.linalg.norm(left) <= enough:
            break
        axis = np.linalg.svd(left, full_matrices=False)[0][:, 0]
        scores = centered @ axis
        length = float(np.linalg.norm(scores))
        loading = centered.T @ scores
        loading -= basis @ (basis.T @ loading)
        basis[:, i] = loading / np.linalg.norm(loading)
        left = left - np.outer(basis[:, i], basis[:, i] @ left)
        axes[:, i] = axis * (np.sqrt(len(x)) / length)
    return _signed(axes)


def _signed(axes: npt.NDArray[np.float64]) -> Float32s:
    """Each column with its largest entry positive, so that a fit means one matrix."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(axes * np.where(largest < 0, -1.0, 1.0), dtype=np.float32)
