"""Ridge regression around the means of each label, at every penalty for the price of one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import Codes

Singles = npt.NDArray[np.float32]
# In units of the mean eigenvalue: from plain least squares to next to nothing learned.
PENALTIES: Final = tuple(float(p) for p in np.logspace(-4, 4, 9))
_PRIOR_ROWS: Final = 2.0  # a label's mean counts as if so many average rows were among its own


class LabelMeans:
    """Means of ``values`` (n, m) by label, few rows drawn toward the mean of all."""

    def __init__(self, values: Floats, labels: Codes | None) -> None:
        overall = values.mean(axis=0, dtype=np.float64)
        self._classes: Codes = np.zeros(0, dtype=np.int64)
        table = [overall[np.newaxis]]
        if labels is not None:
            self._classes, codes = np.unique(labels, return_inverse=True)
            sums = np.zeros((len(self._classes), values.shape[1]))
            for code in range(len(sums)):
                sums[code] = values[codes == code].sum(axis=0, dtype=np.float64)
            counts = np.bincount(codes)[:, np.newaxis]
            table.insert(0, (sums + _PRIOR_ROWS * overall) / (counts + _PRIOR_ROWS))
        self._table: Singles = np.concatenate(table).astype(np.float32)

    def of(self, labels: Codes | None, n: int) -> Singles:
        """The mean for each row, shape (n, m); of a label never seen, the mean of all."""
        rows = np.full(n, len(self._classes))
        if labels is not None and len(self._classes):
            at = np.minimum(np.searchsorted(self._classes, labels), len(self._classes) - 1)
            rows = np.where(self._classes[at] == labels, at, rows)
        return np.asarray(self._table[rows])


class RidgePath:
    """Linear maps from ``x`` (n, d) to ``y`` (n, m), both less their label's means.

    At penalty p the map is ``inv(g + p * mean(eig(g)) * I) @ x.T @ y / n`` with
    ``g = x.T @ x / n``. With d = 0 only the means are left: what the label tells alone.

    Source: T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd ed.,
    section 3.4.1, equation 3.47.
    """

    def __init__(self, x: Floats, y: Floats, labels: Codes | None) -> None:
        self._x_means, self._y_means = LabelMeans(x, labels), LabelMeans(y, labels)
        centered = self._centered(x, labels)
        residual = y - self._y_means.of(labels, len(y))
        values, vectors = np.linalg.eigh((centered.T @ centered / len(x)).astype(np.float64))
        self._values = np.maximum(values, 0.0)
        self._unit = float(self._values.mean()) if len(values) and values[-1] > 0.0 else 1.0
        self._vectors: Singles = vectors.astype(np.float32)
        self._projected = self._vectors.T @ (centered.T @ residual.astype(np.float32) / len(x))

    def predict(self, x: Floats, labels: Codes | None, penalty: float) -> Singles:
        """The prediction for each row, shape (rows, m)."""
        shrunk = 1.0 / (self._values + penalty * self._unit)
        scaled = self._projected * shrunk[:, np.newaxis].astype(np.float32)
        rotated = self._centered(x, labels) @ self._vectors
        return np.asarray(rotated @ scaled + self._y_means.of(labels, len(x)), dtype=np.float32)

    def _centered(self, x: Floats, labels: Codes | None) -> Singles:
        return np.asarray(x, dtype=np.float32) - self._x_means.of(labels, len(x))
