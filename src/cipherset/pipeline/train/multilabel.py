"""Models that answer a set of labels: one score for each, above 0 where it is in the set.

Thresholds are part of the last layer's offset: a model travels as matrices alone, and whoever runs
it compares with 0. On rows without noise they are where F1 of each label is best on rows held out.
On noisy ones that would be wrong for queries without, whose scores are as far apart as before but
not as scattered; what is likelier than usual stays so (``balanced``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from cipherset.core.sets import prior_odds, thresholds
from cipherset.core.values import Floats

Layer = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
Truth = npt.NDArray[np.int8]
_MOST_STEPS: Final = 500
# Weakest last: of equals the simpler model is taken. Enough rows to tell them apart, no more.
PENALTIES: Final = (0.001, 0.01, 0.1, 1.0, 10.0)
_CHOOSING_ROWS: Final = 4000
_HELD_OUT: Final = 4
# Odds are clipped in the graph's sigmoid long before.
_LARGEST: Final = 30.0


@dataclass(frozen=True, slots=True)
class SetSpec:
    """A logistic regression a label, with its penalty or the best; or a network of ``hidden``."""

    inverse_penalty: float | None = None
    hidden: tuple[int, ...] = ()
    passes: int = 1


@dataclass(frozen=True, slots=True)
class SetModel:
    """Layers with a ramp between them; ``predict`` and ``scores`` take (n, dim)."""

    layers: tuple[Layer, ...] = field(repr=False)

    @property
    def n_features_in_(self) -> int:
        """The width of the vectors it takes."""
        return int(self.layers[0][0].shape[0])

    def scores(self, x: Floats) -> npt.NDArray[np.float64]:
        """One score for each label, shape (n, labels)."""
        rows = np.asarray(x, dtype=np.float64)
        for matrix, offset in self.layers[:-1]:
            rows = np.maximum(rows @ matrix + offset, 0.0)
        matrix, offset = self.layers[-1]
        return np.asarray(rows @ matrix + offset)

    def predict(self, x: Floats) -> Truth:
        """1 for each label that is in the set, else 0; shape (n, labels)."""
        return (self.scores(x) > 0).astype(np.int8)

    def above(self, at: Floats) -> "SetModel":
        """The same with scores less ``at``, shape (labels,)."""
        matrix, offset = self.layers[-1]
        return SetModel((*self.layers[:-1], (matrix, offset - at)))


def train_sets(x: Floats, y: Truth, spec: SetSpec, *, balanced: bool, seed: int) -> SetModel:
    """The model of vectors ``x`` (n, dim) and 0 or 1 for each label ``y`` (n, labels).

    A quarter of the rows is held out, and the penalty of a logistic model, and thresholds that are
    not ``balanced``, are chosen on it; then all are fitted on.
    """
    rows, truth = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.int8)
    order = np.random.default_rng(seed).permutation(len(rows))
    held, used = order[: len(rows) // _HELD_OUT], order[len(rows) // _HELD_OUT :]
    if not spec.hidden and spec.inverse_penalty is None:
        spec = replace(spec, inverse_penalty=_best_penalty(rows, truth, (used, held)))
    whole = _fitted(rows, truth, spec, seed)
    if balanced:
        return whole.above(prior_odds(truth))
    if len(held) == 0:
        return whole
    part = _fitted(rows[used], truth[used], spec, seed)
    return whole.above(thresholds(part.scores(rows[held]), truth[held]))


def _fitted(x: npt.NDArray[np.float64], y: Truth, spec: SetSpec, seed: int) -> SetModel:
    if spec.hidden:
        return _mlp(x, y, spec, seed)
    return logistic(x, y, inverse_penalty=spec.inverse_penalty or 1.0)


def logistic(x: Floats, y: Truth, *, inverse_penalty: float) -> SetModel:
    """One logistic regression for each label, all of them fitted at once.

    Minimizes ``sum(log(1 + exp(-signs * scores))) + (matrix ** 2).sum() / (2 * inverse_penalty)``,
    whose gradient is a single product of matrices; offsets are free, as in scikit-learn.
    Source: Hastie, Tibshirani and Friedman 2009, section 4.4, the penalized form of 4.20.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    dim, n_labels = x.shape[1], y.shape[1]
    start = np.vstack([np.zeros((dim, n_labels)), prior_odds(y)])

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.reshape(dim + 1, n_labels)
        scores = x @ weights[:-1] + weights[-1]
        value = np.logaddexp(0.0, scores).sum() - (scores * y).sum()
        value += (weights[:-1] ** 2).sum() / (2 * inverse_penalty)
        wrong = expit(scores) - y
        slope = np.vstack([x.T @ wrong + weights[:-1] / inverse_penalty, wrong.sum(axis=0)])
        return float(value), slope.ravel()

    found = minimize(
        loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS}
    ).x.reshape(dim + 1, n_labels)
    return SetModel(((found[:-1], np.clip(found[-1], -_LARGEST, _LARGEST)),))


def sets_to_onnx(model: SetModel, name: str) -> bytes:
    """The ONNX bytes: ``name``, float32 (n, dim), to 0 or 1 for each label, int64 (n, labels).

    ``floor(sigmoid(score) + 1/2)`` is 1 from a score of 0 on; a cast to whole numbers is a floor.
    """
    nodes, constants, last = [], [], name
    for at, (matrix, offset) in enumerate(model.layers):
        constants += _constants({f"w{at}": matrix, f"b{at}": offset})
        nodes.append(helper.make_node("Gemm", [last, f"w{at}", f"b{at}"], [f"z{at}"]))
        last = f"z{at}"
        if at + 1 < len(model.layers):
            nodes.append(helper.make_node("Relu", [last], [f"h{at}"]))
            last = f"h{at}"
    constants += _constants({"half": np.array([0.5])})
    nodes += [
        helper.make_node("Sigmoid", [last], ["probability"]),
        helper.make_node("Add", ["probability", "half"], ["raised"]),
        helper.make_node("Cast", ["raised"], ["labels"], to=TensorProto.INT64),
    ]
    n_labels = model.layers[-1][0].shape[1]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", model.n_features_in_])],
        [helper.make_tensor_value_info("labels", TensorProto.INT64, ["n", n_labels])],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def _constants(named: dict[str, npt.NDArray[np.float64]]) -> list[TensorProto]:
    return [numpy_helper.from_array(value.astype(np.float32), at) for at, value in named.items()]


def _best_penalty(
    x: npt.NDArray[np.float64], y: Truth, parts: Sequence[npt.NDArray[np.int64]]
) -> float:
    """The inverse penalty under which labels held out are likeliest; 1 where none are."""
    used, held = (part[:_CHOOSING_ROWS] for part in parts)
    if len(held) == 0:
        return 1.0
    found = []
    for penalty in PENALTIES:
        scores = logistic(x[used], y[used], inverse_penalty=penalty).scores(x[held])
        found.append(float((scores * y[held]).sum() - np.logaddexp(0.0, scores).sum()))
    return PENALTIES[int(np.argmax(found))]


def _mlp(x: npt.NDArray[np.float64], y: Truth, spec: SetSpec, seed: int) -> SetModel:
    """A small network with one sigmoid for each label."""
    from sklearn.neural_network import MLPClassifier

    random = np.random.RandomState(seed)
    batch_rows = min(200, len(x))
    mlp = MLPClassifier(spec.hidden, batch_size=batch_rows, random_state=random)
    # Of one label scikit-learn makes two classes, with one sigmoid all the same.
    is_one = y.shape[1] == 1
    truth, classes = (y[:, 0], np.arange(2)) if is_one else (y, np.arange(y.shape[1]))
    for _ in range(spec.passes):
        mlp.partial_fit(x, truth, classes=classes)
    return SetModel(tuple(zip(mlp.coefs_, mlp.intercepts_, strict=True)))
