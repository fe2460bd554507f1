"""Where a model trained on an export learns more than the owner's few labels and the anchors tell.

Few labeled rows are the owner's to fit on; the others are exported with their labels. For each
minimizer the most that was gained below each leak, over four amounts of noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from frontier_tasks import Labeled, part, protection
from sklearn.cluster import KMeans
from sklearn.model_selection import train_test_split

from cipherset.app.exports.leak import first, measure_reid
from cipherset.app.exports.utility import LINEAR, ON_EXPORT, Protection, Rows
from cipherset.core.manifest import Task
from cipherset.core.values import Float32s
from cipherset.evidence.attack import Interval, paired_bootstrap
from cipherset.pipeline.minimize import (
    FitSettings,
    FittedMinimizer,
    class_means,
    fit,
    parse_spec,
)
from cipherset.pipeline.train import Model, TrainSpec, train_model

CLUSTERS = 100
FACTORS = (10.0, 16.0, 24.0, 32.0)
LEAKS = (0.05, 0.1, 0.3)
GAIN_HEAD = (
    "task", "labels at the owner's", "minimizer", "owner's model", "at the gate",
    *(f"most gained at up to {leak:.0%}" for leak in LEAKS),
)  # fmt: skip
Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Roles:
    """The owner's labeled rows, the exported, the held out; who is right on these at home."""

    few: Rows
    many: Rows
    held: Rows
    own: Right


@dataclass(frozen=True)
class Point:
    """One amount of noise: what leaks, the lab's accuracy, what it adds."""

    factor: float
    leak: float
    accuracy: float
    added: Interval


def minimizers(public: Float32s, few: Rows, seed: int) -> Iterator[tuple[str, FittedMinimizer]]:
    """Four of which no label is part, and one of the few labels."""
    made = FitSettings(noise_radius=1.0, seed=seed, shrink=0.0)
    for dim in (32, 64):
        axes = fit(parse_spec(f"pca:{dim}"), public, None, settings=made)
        yield f"pca:{dim} of public text", axes
    found = KMeans(CLUSTERS, n_init=1, random_state=seed).fit(public).labels_.astype(np.int64)
    for shrink in (0.0, 1.0):
        of_clusters = fit(
            parse_spec("bottleneck:64"), public, found, settings=replace(made, shrink=shrink)
        )
        yield f"bottleneck:64 of {CLUSTERS} clusters of public text, shrink {shrink:g}", of_clusters
    dim = min(64, max(6, len(np.unique(few.y)) - 1))
    of_labels = fit(parse_spec(f"bottleneck:{dim}"), few.x, few.y, settings=made)
    yield f"bottleneck:{dim} of the labels, shrink 0", of_labels


def gain(task: Labeled, share: float, seed: int) -> list[tuple[str, ...]]:
    """Lines of the table."""
    public, train, test = task.split(seed)
    strata = task.y[train] if share * np.bincount(task.y[train]).min() >= 1 else None
    labeled, rest = train_test_split(train, train_size=share, stratify=strata, random_state=seed)
    few, many, held = task.rows(labeled), task.rows(rest), task.rows(test)
    own = _model(few.x, few.y, LINEAR).predict(held.x) == held.y
    every = task.rows(train)
    gate = float((_model(every.x, every.y, LINEAR).predict(held.x) == held.y).mean())
    roles = Roles(few, many, held, own)
    lines = []
    for name, minimizer in minimizers(task.x[public], few, seed):
        points = list(_points(minimizer, roles, seed))
        shown = [_most([p for p in points if p.leak <= leak]) for leak in LEAKS]
        lines.append((task.name, str(len(few)), name, f"{own.mean():.3f}", f"{gate:.3f}", *shown))
    return lines


def _model(z: Float32s, y: npt.NDArray[np.int64], spec: TrainSpec) -> Model:
    return train_model(z, y, spec, task=Task.CLASSIFICATION, seed=0)


def _points(minimizer: FittedMinimizer, roles: Roles, seed: int) -> Iterator[Point]:
    for factor in FACTORS:
        shield = protection(minimizer, factor, Task.CLASSIFICATION)
        told = measure_reid(shield, first(part(shield, roles.held), seed))
        if told.excess <= max(LEAKS):
            accuracy, added = _added(shield, roles, seed)
            yield Point(factor, told.excess, accuracy, added)


def _added(shield: Protection, roles: Roles, seed: int) -> tuple[float, Interval]:
    """Accuracy of the lab's model, and what it adds to the better of the controls."""
    few, many, held = roles.few, roles.many, roles.held
    query = shield.query(held.x)
    lab = _model(shield.export(many.x, many.y), many.y, ON_EXPORT)
    classes, codes = np.unique(few.y, return_inverse=True)
    means = class_means(shield.minimizer.transform(few.x), codes)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    known = many.y[np.isin(many.y, classes)]
    rows = means[np.searchsorted(classes, known)].astype(np.float32)
    control = _model(shield.cipher.encrypt(rows), known, ON_EXPORT).predict(query) == held.y
    right = lab.predict(query) == held.y
    better = max((roles.own, control), key=lambda one: float(one.mean()))
    return float(right.mean()), paired_bootstrap(right, better, seed=seed)


def _most(points: list[Point]) -> str:
    if not points:
        return "none tried leaks so little"
    best = max(points, key=lambda p: p.added.value)
    value, low, high = (100 * v for v in (best.added.value, best.added.low, best.added.high))
    return (
        f"{best.accuracy:.3f}: {value:+.1f} ({low:+.1f} to {high:+.1f}), "
        f"leak {100 * best.leak:.1f} %, beta {best.factor:g}"
    )
