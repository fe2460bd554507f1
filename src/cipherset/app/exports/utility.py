"""What a model is worth, beside the two controls that keep an export honest.

``plain``          a linear model on the plain vectors
``owner_head``     the head that the owner's side fitted along with the minimizer
``anchor_control`` a model trained on rows that hold nothing but their label: class anchor + noise
``encrypted``      a model trained on the export

All are scored on held-out rows; the last three on noise-free queries, as in the gateway. What
the export adds is ``encrypted`` minus the better of the two controls.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.manifest import ModelKind, Task
from cipherset.core.sets import Indicators, balanced_hits
from cipherset.core.values import Float32s, Floats
from cipherset.evidence.attack import Interval, paired_bootstrap
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FittedMinimizer
from cipherset.pipeline.train import TrainSpec, train_model

ADDS_NOTHING: Final = (
    "the export adds nothing beyond its labels; the model was learned on the owner's side"
)
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float64] | Indicators
LINEAR: Final = TrainSpec(ModelKind.LOGISTIC)
# What learns on noisy rows and is asked without noise.
ON_EXPORT: Final = TrainSpec(ModelKind.LOGISTIC, balanced=True)


def plain_spec(task: Task) -> TrainSpec:
    """What learns on plain rows, in the way that it is scored by."""
    return ON_EXPORT if task is Task.MULTILABEL else LINEAR


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows in memory: plain vectors (n, d), targets and the code of the clear columns.

    Targets are (n,), or (n, labels) where a row has several.
    """

    x: Float32s = field(repr=False)
    y: Targets = field(repr=False)
    clear: npt.NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.x)

    def take(self, chosen: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "Rows":
        """Some of these rows."""
        return Rows(self.x[chosen], self.y[chosen], self.clear[chosen])


@dataclass(frozen=True, slots=True)
class Utility:
    """Scores in [0, 1] and the gain over the better control.

    Accuracy; R2 for numbers; the labels' mean balanced accuracy where a row has several.
    """

    plain: float
    owner_head: float
    anchor_control: float
    encrypted: float
    gain: Interval

    def figures(self) -> dict[str, float]:
        """Everything by name."""
        return {
            "plain": self.plain,
            "owner_head": self.owner_head,
            "anchor_control": self.anchor_control,
            "encrypted": self.encrypted,
            "gain": self.gain.value,
            "gain_low": self.gain.low,
            "gain_high": self.gain.high,
        }

    @property
    def verdict(self) -> str:
        """In words, whether the export taught the model anything."""
        if self.gain.low <= 0:
            return ADDS_NOTHING
        return f"the export adds {self.gain.value:.3f} over what the owner's side has learned"


def row_scores(task: Task, y: Targets, predicted: Targets) -> npt.NDArray[np.float64]:
    """Per row, what averages to accuracy, R2, or for sets balanced accuracy; shape (n,)."""
    if task is Task.MULTILABEL:
        return balanced_hits(predicted.astype(np.int8), y.astype(np.int8))
    if task is Task.CLASSIFICATION:
        return np.asarray(y == predicted, dtype=np.float64)
    variance = max(float(np.var(y)), 1e-12)
    return np.asarray(1 - (y - predicted) ** 2 / variance, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows and the ciphertexts they left as, shape (n, k)."""

    rows: Rows
    ciphertexts: Float32s = field(repr=False)


@dataclass(frozen=True, slots=True)
class Protection:
    """The owner's map from plain vectors to ciphertext: minimizer, then cipher."""

    task: Task | None
    minimizer: FittedMinimizer = field(repr=False)
    cipher: VectorCipher = field(repr=False)

    def query(self, x: Floats) -> Float32s:
        """Noise-free ciphertext, shape (n, k)."""
        return self.cipher.encrypt_query(self.minimizer.transform(x))

    def minimized(self, x: Floats, y: Targets) -> Float32s:
        """Rows with their targets as they are exported, before the cipher, shape (n, k)."""
        return self.minimizer.place(x, y).rows

    def export(self, x: Floats, y: Targets) -> Float32s:
        """Freshly noised ciphertext of rows with their targets, shape (n, k)."""
        return self.noised(self.minimized(x, y))

    def noised(self, z: Float32s) -> Float32s:
        """Freshly noised ciphertext of minimized rows, shape (n, k)."""
        return self.cipher.encrypt(z)

    def head(self, x: Floats) -> Targets:
        """What the owner's head answers."""
        z = self.minimizer.transform(x)
        if self.task is Task.CLASSIFICATION:
            return self.minimizer.head_predict(z)
        if self.task is Task.MULTILABEL:
            return self.minimizer.head_sets(z)
        return np.asarray(self.minimizer.head_value(z), dtype=np.float64)


def anchors(task: Task, z: Float32s, y: Targets) -> Float32s:
    """Rows that hold nothing but their target: the class mean, or linear in the targets."""
    if task is Task.CLASSIFICATION:
        classes, codes = np.unique(y, return_inverse=True)
        sums = np.zeros((len(classes), z.shape[1]))
        np.add.at(sums, codes, z)
        rows = sums[codes]
    else:
        design = np.column_stack([np.asarray(y, dtype=np.float64), np.ones(len(y))])
        coefficients, *_ = np.linalg.lstsq(design, z.astype(np.float64), rcond=None)
        rows = design @ coefficients
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)


def measure(protection: Protection, train: Part, test: Rows, *, seed: int) -> Utility:
    """Score a model trained on ``train``'s ciphertexts, and the controls, on ``test``."""
    task, query = protection.task or Task.CLASSIFICATION, protection.query(test.x)
    control_rows = protection.cipher.encrypt(
        anchors(task, protection.minimizer.transform(train.rows.x), train.rows.y)
    )
    export = train_model(train.ciphertexts, train.rows.y, ON_EXPORT, task=task, seed=seed)
    anchor = train_model(control_rows, train.rows.y, ON_EXPORT, task=task, seed=seed)
    plain = train_model(train.rows.x, train.rows.y, plain_spec(task), task=task, seed=seed)
    encrypted = row_scores(task, test.y, export.predict(query))
    control = row_scores(task, test.y, anchor.predict(query))
    head = row_scores(task, test.y, protection.head(test.x))
    better = head if head.mean() >= control.mean() else control
    return Utility(
        plain=float(row_scores(task, test.y, plain.predict(test.x)).mean()),
        owner_head=float(head.mean()),
        anchor_control=float(control.mean()),
        encrypted=float(encrypted.mean()),
        gain=paired_bootstrap(encrypted, better, seed=seed),
    )
