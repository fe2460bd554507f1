"""Reference models on ciphertexts, in the lab or at the gate; scikit-learn estimators.

Each family is fitted for a fixed number of steps or to convergence, from a seed, on one thread
or those that OMP_NUM_THREADS allows; nothing is searched. Ciphertexts have norms of order one
(design.md, section 3), so no scaling is needed and optimizers keep their defaults.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError, UsageError
from cipherset.core.manifest import ModelKind, Task
from cipherset.core.values import Floats
from cipherset.pipeline.train.multilabel import SetSpec, train_sets

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

# lbfgs needs tens of steps on unit-norm rows; the bound only ends what would not end.
_MOST_STEPS: Final = 2000
# Strongest penalty first: of equals the simpler model is taken.
PENALTIES: Final = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
# A pass over few rows is few steps: a small network then needs more passes than it was given.
_LEAST_STEPS: Final = 1000
_BATCH_ROWS: Final = 200

Labels = npt.NDArray[Any]


class Model(Protocol):
    """A fitted estimator of scikit-learn's form, as far as it is used here."""

    @property
    def n_features_in_(self) -> int: ...
    def predict(self, x: Floats) -> Labels: ...


class Classifier(Model, Protocol):
    """A fitted classifier; column j of its probabilities is for ``classes_[j]``."""

    classes_: Labels

    def predict_proba(self, x: Floats) -> npt.NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """A declared recipe: the family and its sizes; those of other families play no part.

    ``epochs`` is the number of passes of an mlp over the rows; few rows get more, until it has
    made a thousand steps. ``inverse_penalty`` None takes the best of ``PENALTIES`` on a quarter of
    the rows. ``balanced`` (logistic and boosting) leaves out how frequent each class is: a model
    that learns on noisy rows leans on frequencies where the noise hides the class, and would go
    on leaning on them when it is asked without noise.
    """

    kind: ModelKind = ModelKind.LOGISTIC
    inverse_penalty: float | None = None
    balanced: bool = False
    hidden: tuple[int, ...] = (64,)
    epochs: int = 50
    trees: int = 100

    def __post_init__(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            UsageError: an external model, or a size below one.
        """
        if self.kind is ModelKind.EXTERNAL:
            raise UsageError(
                "external models are not trained here",
                code="model_kind",
                hint="choose logistic, mlp or boosting",
            )
        penalty = 1.0 if self.inverse_penalty is None else self.inverse_penalty
        if min(self.epochs, self.trees, *self.hidden, 1) < 1 or not penalty > 0:
            raise UsageError(
                "a size of the model is below one",
                code="model_size",
                hint="give positive sizes",
            )


def train_model(x: Floats, y: Labels, spec: TrainSpec, *, task: Task, seed: int) -> Model:
    """The estimator that ``spec`` declares, fitted.

    Args:
        x: Ciphertexts, shape (n, dim).
        y: Shape (n,): class names (or whole numbers), or floats for regression. Where rows have
            several labels, 0 or 1 for each, shape (n, labels).
        spec: The family and its sizes; ``logistic`` is ridge regression for numbers.
        task: What the labels are for.
        seed: Of the weights' start and the order of the rows; never of anything secret.

    Raises:
        InputError: no rows, one class only, or numbers that are not finite.
        DimensionError: not one label for each row.
        UsageError: ``model_kind``: trees for rows of several labels.
    """
    _check(x, y, task)
    if task is Task.REGRESSION:
        return _regressor(x, np.asarray(y, dtype=np.float64), spec, seed)
    if task is Task.MULTILABEL:
        return train_sets(x, y, _set_spec(spec, len(x)), balanced=spec.balanced, seed=seed)
    return _classifier(x, y, spec, seed)


def _set_spec(spec: TrainSpec, n: int) -> SetSpec:
    if spec.kind is ModelKind.BOOSTING:
        raise UsageError(
            "boosted trees are grown for one label a row",
            code="model_kind",
            hint="choose logistic or mlp for rows of several labels",
        )
    if spec.kind is ModelKind.MLP:
        return SetSpec(hidden=spec.hidden, passes=_passes(spec, n))
    return SetSpec(inverse_penalty=spec.inverse_penalty)


def train_classifier(x: Floats, y: Labels, spec: TrainSpec, *, seed: int) -> Classifier:
    """``train_model`` for classes; tells probabilities too. Arguments and errors as there."""
    _check(x, y, Task.CLASSIFICATION)
    return _classifier(x, y, spec, seed)


def _classifier(x: Floats, y: Labels, spec: TrainSpec, seed: int) -> Classifier:
    if spec.kind is ModelKind.LOGISTIC:
        model = _logistic(spec.inverse_penalty or _best_penalty(x, y, spec, seed), spec, seed)
    elif spec.kind is ModelKind.BOOSTING:
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=spec.trees,
            early_stopping=False,
            random_state=seed,
            class_weight=_weights(spec),
        )
    else:
        return _mlp_classifier(x, y, spec, seed)
    fitted: Classifier = model.fit(x, y)
    return fitted


def linear_classifier(matrix: Floats, offset: Floats, classes: Labels) -> Classifier:
    """The logistic model whose scores are ``x @ matrix + offset``, learned elsewhere.

    Args:
        matrix: Shape (dim, c), c from 2 on.
        offset: Shape (c,).
        classes: What each column stands for, sorted, shape (c,).
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression()
    if len(classes) == 2:  # sklearn keeps one column, the second's
        matrix, offset = matrix[:, 1:] - matrix[:, :1], offset[1:] - offset[:1]
    model.classes_, model.n_features_in_ = classes, len(matrix)
    model.coef_, model.intercept_ = np.ascontiguousarray(matrix.T), offset
    made: Classifier = model
    return made


def _mlp_classifier(x: Floats, y: Labels, spec: TrainSpec, seed: int) -> Classifier:
    from sklearn.neural_network import MLPClassifier

    random = np.random.RandomState(seed)
    batch_size = min(_BATCH_ROWS, len(x))
    mlp = MLPClassifier(spec.hidden, batch_size=batch_size, random_state=random)
    classes = np.unique(y)
    for _ in range(_passes(spec, len(x))):
        mlp.partial_fit(x, y, classes=classes)
    fitted: Classifier = mlp
    return fitted


def _best_penalty(x: Floats, y: Labels, spec: TrainSpec, seed: int) -> float:
    """The inverse penalty that does best on a quarter of the rows held out; 1 where that fails."""
    order = np.random.default_rng(seed).permutation(len(x))
    held, used = order[: len(x) // 4], order[len(x) // 4 :]
    if len(held) == 0 or len(np.unique(y[used])) < 2:
        return 1.0
    models = [_logistic(penalty, spec, seed).fit(x[used], y[used]) for penalty in PENALTIES]
    score = _log_likelihood if spec.balanced else _accuracy
    scores = [score(model, x[held], y[held]) for model in models]
    return PENALTIES[int(np.argmax(scores))]


def _accuracy(model: "LogisticRegression", x: Floats, y: Labels) -> float:
    return float(np.mean(model.predict(x) == y))


def _log_likelihood(model: "LogisticRegression", x: Floats, y: Labels) -> float:
    """Mean log probability of the true class.

    On rows so noisy that every model is nearly at chance, accuracy cannot tell them apart; this
    still can.
    """
    at = np.searchsorted(model.classes_, y).clip(max=len(model.classes_) - 1)
    known = model.classes_[at] == y
    truth = model.predict_proba(x)[np.arange(len(y)), at]
    return float(np.log(np.maximum(np.where(known, truth, 0.0), 1e-12)).mean())


def _logistic(inverse_penalty: float, spec: TrainSpec, seed: int) -> "LogisticRegression":
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=inverse_penalty,
        class_weight=_weights(spec),
        max_iter=_MOST_STEPS,
        random_state=seed,
    )


def _weights(spec: TrainSpec) -> str | None:
    return "balanced" if spec.balanced else None


def _regressor(x: Floats, y: npt.NDArray[np.float64], spec: TrainSpec, seed: int) -> Model:
    if spec.kind is ModelKind.LOGISTIC:
        from sklearn.linear_model import Ridge

        model = Ridge(alpha=1 / (spec.inverse_penalty or 1.0))
    elif spec.kind is ModelKind.BOOSTING:
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(
            max_iter=spec.trees, early_stopping=False, random_state=seed
        )
    else:
        return _mlp_regressor(x, y, spec, seed)
    fitted: Model = model.fit(x, y)
    return fitted


def _mlp_regressor(x: Floats, y: npt.NDArray[np.float64], spec: TrainSpec, seed: int) -> Model:
    from sklearn.neural_network import MLPRegressor

    random = np.random.RandomState(seed)
    batch_size = min(_BATCH_ROWS, len(x))
    mlp = MLPRegressor(hidden_layer_sizes=spec.hidden, batch_size=batch_size, random_state=random)
    # Adam's steps are of fixed size: labels far from zero and one would take forever to reach.
    center, spread = float(y.mean()), float(y.std()) or 1.0
    for _ in range(_passes(spec, len(x))):
        mlp.partial_fit(x, (y - center) / spread)
    # The last layer is linear, so the labels' own scale goes back into its weights exactly.
    mlp.coefs_[-1] = mlp.coefs_[-1] * spread
    mlp.intercepts_[-1] = mlp.intercepts_[-1] * spread + center
    fitted: Model = mlp
    return fitted


def _passes(spec: TrainSpec, n: int) -> int:
    steps_a_pass = -(-n // _BATCH_ROWS)
    return max(spec.epochs, -(-_LEAST_STEPS // steps_a_pass))


def _check(x: Floats, y: Labels, task: Task) -> None:
    n_axes, labels = (2, "(n, labels)") if task is Task.MULTILABEL else (1, "(n,)")
    if x.ndim != 2 or y.ndim != n_axes or len(y) != len(x):
        raise DimensionError(
            f"{x.shape} vectors and {y.shape} labels, expected (n, dim) and {labels}",
            code="dimension",
            hint="pass one label for each vector; of several, 0 or 1 for each",
        )
    if len(x) == 0:
        raise InputError(
            "there are no rows to train on", code="no_rows", hint="check the split and the source"
        )
    if task is Task.CLASSIFICATION and len(np.unique(y)) < 2:
        raise InputError(
            f"{len(x)} rows hold one class only",
            code="one_class",
            hint="a classifier needs rows of at least two classes",
        )
    numbers = (x, y) if task is Task.REGRESSION else (x,)
    if not all(np.isfinite(array).all() for array in numbers):
        raise InputError(
            "a vector or label is not finite",
            code="not_finite",
            hint="check where the rows came from",
        )
