"""A column that did not leave, predicted from the vectors: how much better than from the label."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.covariance import ledoit_wolf
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import (
    Codes,
    capped,
    check_length,
    check_vectors,
    check_width,
    parted,
)
from cipherset.evidence.attack.statistics import Interval, paired_bootstrap

MOST_ROWS: Final = 6_000
LABEL_ALONE: Final = "label alone"
_TUNING_SHARE: Final = 0.25
_FEW_CLASSES: Final = 12  # beyond it logistic regression and boosting take too long
_NARROW: Final = 64  # columns
_NEIGHBORS: Final = 25

Attribute = npt.NDArray[np.generic]  # strings or whole numbers
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AttributeAdvantage:
    """How often the attribute is guessed right with the vectors, and without.

    ``advantage`` is ``accuracy - label_alone`` over the same rows, with its 95 % interval. The
    balanced figures are means of the recall of each value of the attribute, so that a frequent
    value counts no more than a rare one. ``attack`` names the model, chosen on the attacker's own
    rows; it is ``label alone`` where none did better there.
    """

    attack: str
    accuracy: float
    label_alone: float
    advantage: Interval
    balanced: float
    balanced_label_alone: float
    n: int


class _Model(Protocol):
    def fit(self, x: Matrix, y: Codes) -> object: ...
    def predict(self, x: Matrix) -> Codes: ...


class AttributeInference:
    """A column predicted from vectors (n, d) and clear labels (n,).

    Knows: rows with vectors as the target's are, the attribute and the label. From the label alone
    the best guess is its most frequent value. With the vectors, linear discriminants with
    shrinkage, the 25 nearest rows, and, where there are few values, logistic regression and (of
    narrow vectors) boosting are tried; the best on a quarter of the attacker's rows is used.

    Raises:
        DimensionError: code ``dimension``.
        InputError: ``no_rows``, ``not_finite``; ``attribute_constant``, all rows have one value.
    """

    def __init__(self, vectors: Floats, attribute: Attribute, labels: Codes, *, seed: int) -> None:
        _check(vectors, attribute, labels)
        rng = np.random.default_rng(seed)
        rows = capped(len(vectors), MOST_ROWS, rng)
        self._values, codes = _coded(attribute[rows])
        if len(self._values) < 2:
            raise InputError(
                "the attribute has one value in all rows",
                code="attribute_constant",
                hint="name a column whose values differ",
            )
        self._width = vectors.shape[1]
        self._classes = np.unique(labels[rows])
        x, y = self._features(vectors[rows], labels[rows]), codes
        alone = _Majority(self._classes)
        fit_rows, tune_rows = parted(len(rows), _TUNING_SHARE, rng)
        models: dict[str, _Model] = {LABEL_ALONE: alone}
        models |= dict(_models(len(self._values), self._width, len(fit_rows), seed))
        right = {}
        for name, model in models.items():
            if len(np.unique(y[fit_rows])) > 1 or model is alone:
                model.fit(x[fit_rows], y[fit_rows])
                right[name] = float((model.predict(x[tune_rows]) == y[tune_rows]).mean())
        self.attack = max(right, key=right.__getitem__)
        self._model, self._alone = models[self.attack], _Majority(self._classes)
        self._model.fit(x, y)
        self._alone.fit(x, y)

    def predict(self, vectors: Floats, labels: Codes) -> Attribute:
        """The attribute of each row.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        return self._answer(self._model, vectors, labels)

    def score(
        self, vectors: Floats, attribute: Attribute, labels: Codes, *, seed: int
    ) -> AttributeAdvantage:
        """How well the target rows are predicted; ``attribute`` is for scoring only.

        Raises:
            DimensionError: code ``dimension``. InputError: ``no_rows`` or ``not_finite``.
        """
        _check(vectors, attribute, labels)
        right = self.predict(vectors, labels) == attribute
        alone = self._answer(self._alone, vectors, labels) == attribute
        codes = _coded(attribute)[1]
        return AttributeAdvantage(
            attack=self.attack,
            accuracy=float(right.mean()),
            label_alone=float(alone.mean()),
            advantage=paired_bootstrap(right, alone, seed=seed),
            balanced=_balanced(right, codes),
            balanced_label_alone=_balanced(alone, codes),
            n=len(right),
        )

    def _answer(self, model: _Model, vectors: Floats, labels: Codes) -> Attribute:
        check_vectors(vectors, "vectors")
        check_width(vectors, self._width, "vectors")
        check_length(labels, len(vectors), "labels")
        return self._values[model.predict(self._features(vectors, labels))]

    def _features(self, vectors: Floats, labels: Codes) -> Matrix:
        """The vectors and, in the last columns, which label it is."""
        one_hot = labels[:, np.newaxis] == self._classes
        return np.hstack([np.asarray(vectors, dtype=np.float64), one_hot])


class _Majority:
    """The most frequent value of each label; of a label never seen, that of all rows."""

    def __init__(self, classes: Codes) -> None:
        self._n_labels = len(classes)

    def fit(self, x: Matrix, y: Codes) -> None:
        self._overall = int(np.bincount(y).argmax())
        counts = np.zeros((self._n_labels, int(y.max()) + 1))
        rows, labels = np.nonzero(x[:, -self._n_labels :])
        np.add.at(counts, (labels, y[rows]), 1)
        self._of = np.where(counts.any(axis=1), counts.argmax(axis=1), self._overall)

    def predict(self, x: Matrix) -> Codes:
        one_hot = x[:, -self._n_labels :]
        answers = self._of[one_hot.argmax(axis=1)]
        return np.where(one_hot.any(axis=1), answers, self._overall).astype(np.int64)


class _Discriminants:
    """Linear discriminants with one covariance for all values, shrunk after Ledoit and Wolf.

    scikit-learn's own shrinks the covariance of each value by itself, which fails at few rows.

    Source: T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd ed.,
    section 4.3, equation 4.10.
    """

    def fit(self, x: Matrix, y: Codes) -> None:
        self._present, codes = np.unique(y, return_inverse=True)
        counts = np.bincount(codes)
        order = np.argsort(codes, kind="stable")
        sums = np.add.reduceat(x[order], np.cumsum(counts) - counts, axis=0)
        means = sums / counts[:, np.newaxis]
        covariance = ledoit_wolf(x - means[codes], assume_centered=True)[0]
        self._axes = np.linalg.lstsq(covariance, means.T, rcond=None)[0]
        self._offset = np.log(counts / len(y)) - 0.5 * np.einsum("ij,ji->i", means, self._axes)

    def predict(self, x: Matrix) -> Codes:
        return np.asarray(self._present[(x @ self._axes + self._offset).argmax(axis=1)])


def _models(n_values: int, width: int, n: int, seed: int) -> Iterator[tuple[str, _Model]]:
    yield "discriminants", _Discriminants()
    yield "nearest rows", KNeighborsClassifier(min(_NEIGHBORS, n))
    if n_values <= _FEW_CLASSES:
        yield "logistic", LogisticRegression(max_iter=200, tol=1e-3)
        if width <= _NARROW:
            yield "boosting", HistGradientBoostingClassifier(max_iter=60, random_state=seed)


def _coded(attribute: Attribute) -> tuple[Attribute, Codes]:
    """The different values, and for each row the number of its own."""
    values, codes = np.unique(attribute, return_inverse=True)
    return values, codes.astype(np.int64)


def _balanced(right: npt.NDArray[np.bool_], codes: Codes) -> float:
    return float((np.bincount(codes, weights=right) / np.bincount(codes)).mean())


def _check(vectors: Floats, attribute: Attribute, labels: Codes) -> None:
    check_vectors(vectors, "vectors")
    check_length(attribute, len(vectors), "attribute")
    check_length(labels, len(vectors), "labels")
