"""What a plain model gets right, row by row, on texts made of some of the columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.app.exports.codes import Codes
from cipherset.app.exports.utility import row_scores
from cipherset.app.fields.rows import FieldRows, Targets
from cipherset.core.manifest import Task
from cipherset.core.protocols import Encoder, Progress
from cipherset.core.values import Float32s
from cipherset.pipeline.sanitize import SanitizeRules

FOLDS: Final = 5
Scores = npt.NDArray[np.float64]


@dataclass(slots=True)
class Trial:
    """Scores by cross-validation; a text is embedded once, however often it comes again.

    The model is linear, by least squares with a penalty of 1 on unit vectors: it is fitted in
    milliseconds, and what is compared is the same model on the same rows and folds.
    """

    rows: FieldRows
    encoder: Encoder
    rules: SanitizeRules
    seed: int
    progress: Progress
    _vectors: dict[str, Float32s] = field(default_factory=dict, repr=False)

    def scores(self, columns: Sequence[str], characters: int | None = None) -> Scores:
        """Per row, what averages to accuracy (R2 for numbers); at most so many characters each."""
        x = self.vectors(columns, characters)
        y, task = self.rows.targets, self.rows.task
        folds = _folds(y if task is Task.CLASSIFICATION else np.zeros(len(y)), self.seed)
        predicted: Targets = np.zeros_like(y)
        for fold in range(FOLDS):
            held = folds == fold
            predicted[held] = fit_plain(x[~held], y[~held], task).predict(x[held])
        return row_scores(task, y, predicted)

    def vectors(self, columns: Sequence[str], characters: int | None = None) -> Float32s:
        """Unit vectors of the rows' texts, shape (n, dim)."""
        texts = [text[:characters] or " " for text in self.rows.texts(columns, self.rules)]
        new = list(dict.fromkeys(text for text in texts if text not in self._vectors))
        if new:
            made = self.encoder.encode(new, progress=self.progress)
            self._vectors.update(zip(new, made, strict=True))
        return np.stack([self._vectors[text] for text in texts])


def fit_plain(x: Float32s, y: Targets, task: Task) -> Any:  # noqa: ANN401 -- scikit-learn's
    """A linear model of ``y`` (n,) on unit vectors ``x`` (n, dim)."""
    from sklearn.linear_model import Ridge, RidgeClassifier

    model = RidgeClassifier(alpha=1.0) if task is Task.CLASSIFICATION else Ridge(alpha=1.0)
    return model.fit(x, y)


def _folds(strata: Targets, seed: int) -> Codes:
    """A fold per row, 0 to FOLDS - 1, each stratum spread over them as evenly as can be."""
    shuffled = np.random.default_rng([seed, FOLDS]).permutation(len(strata))
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    folds = np.empty(len(strata), dtype=np.int64)
    folds[order] = np.arange(len(strata)) % FOLDS
    return folds
