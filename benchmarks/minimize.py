"""What minimized exports of BANKING77 are worth and what they give away, with the controls.

Usage: python benchmarks/minimize.py --data DIR [--seeds 5] [--cache DIR]

Table 1 fits on all training rows and exports them all. Accuracy is that of the model that
`cipherset train` makes of the noisy export, on noise-free test queries, beside a logistic
regression on plain vectors (same run, same seed; each picks its penalty on held-out rows), the
owner's own head and the label-anchor control: each exported row replaced by the anchor of its
class and fresh noise. Re-identification is the label-aware excess with key and minimizer stolen,
the stronger of two attacks, on 2,000 test rows with the noise of the export (a stolen key takes
the rotation off, so none is applied here).

Table 2 fits on a share of the training rows and exports the others (at 100 %: all for both), and
says what the export adds over the better of owner's head and anchor control.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from banking77 import Banking, Codes, read, split
from sklearn.model_selection import train_test_split
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.core.manifest import Task as LabelKind
from cipherset.core.values import Float32s, NoiseLaw
from cipherset.evidence.attack import paired_bootstrap, reidentify
from cipherset.pipeline.minimize import (
    FitSettings,
    FittedMinimizer,
    ball_noise,
    class_means,
    fit,
    parse_spec,
)
from cipherset.pipeline.train import Model, TrainSpec, train_model

N_CANDIDATES = 2000
NOTHING = "adds nothing"  # beyond its labels: the model was learned on the owner's side
FRONTIER_HEAD = (
    "export", "plain", "on the export", "points to plain", "owner's head", "anchor control",
    "re-id excess, %", "nearest, %", "joint, %",
)  # fmt: skip
SHARES_HEAD = (
    "fitted on", "export", "owner's head", "anchor control", "on the export",
    "gain, points (95 %)", "re-id excess, %", "",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One way to export: minimizer, approximation factor, and how far its vectors are shrunk."""

    spec: str
    factor: float
    shrink: float = 0.0

    def __str__(self) -> str:
        shrunk = f", shrink {self.shrink:g}" if self.spec.startswith("bottleneck") else ""
        return f"{self.spec}{shrunk}, beta {self.factor:g}"


@dataclass(frozen=True)
class Task:
    """A labeling of the rows and the settings that are tried on it."""

    name: str
    coarse: bool
    settings: tuple[Setting, ...]
    shared: tuple[Setting, ...]


TASKS = (
    Task(
        "7 coarse classes",
        coarse=True,
        settings=(
            Setting("none", 8),
            Setting("pca:16", 4),
            Setting("lda:6", 6),
            Setting("bottleneck:6", 4),
            Setting("bottleneck:6", 6),
            Setting("bottleneck:6", 4, 1.0),
            Setting("bottleneck:6", 6, 1.0),
            Setting("bottleneck:6", 8, 1.0),
            Setting("bottleneck:6", 12, 1.0),
            Setting("bottleneck:6", 16, 1.0),
        ),
        shared=(Setting("bottleneck:6", 12, 1.0), Setting("bottleneck:6", 4), Setting("pca:32", 2)),
    ),
    Task(
        "77 classes",
        coarse=False,
        settings=(
            Setting("none", 8),
            Setting("lda:76", 6),
            Setting("bottleneck:32", 6),
            Setting("bottleneck:32", 6, 1.0),
            Setting("bottleneck:32", 16, 1.0),
            Setting("bottleneck:32", 24, 1.0),
            Setting("bottleneck:32", 32, 1.0),
        ),
        shared=(
            Setting("bottleneck:32", 24, 1.0),
            Setting("bottleneck:76", 4),
            Setting("pca:32", 2),
        ),
    ),
)
SHARES = (0.05, 0.2, 1.0)


@dataclass(frozen=True)
class Export:
    """A fitted minimizer with the rows it was fitted on and those that leave."""

    minimizer: FittedMinimizer
    fitted: Codes
    exported: Codes
    radius: float


@dataclass(frozen=True)
class Row:
    """One line of a table for one seed: shares, and answers right or wrong per test row."""

    plain: float
    export: float
    head: float
    anchor: float
    nearest: float
    joint: float
    excess: float
    gain: tuple[float, float, float]


def on_plain(z: Float32s, y: Codes) -> Model:
    return train_model(z, y, TrainSpec(), task=LabelKind.CLASSIFICATION, seed=0)


def on_noisy(z: Float32s, y: Codes) -> Model:
    """What ``cipherset train`` makes of an export."""
    return train_model(z, y, TrainSpec(balanced=True), task=LabelKind.CLASSIFICATION, seed=0)


def noisy(z: Float32s, radius: float, rng: np.random.Generator) -> Float32s:
    return z + ball_noise(rng, shape=(len(z), z.shape[1]), radius=radius)


def stolen(z: Float32s, y: Codes, radius: float, seed: int) -> tuple[float, float, float]:
    """Excess of nearest neighbor, of the joint attack (NaN where not run), and of the stronger."""
    rng = np.random.default_rng([seed, 2])
    chosen = rng.permutation(len(z))[:N_CANDIDATES]
    z, y = z[chosen], y[chosen]
    told = reidentify(
        noisy(z, radius, rng),
        z,
        truth=np.arange(len(z)),
        ciphertext_groups=y,
        candidate_groups=y,
        noise=NoiseLaw.ball(radius),
    )
    alone = told.label_alone
    nearest, joint = (
        (np.nan if rate is None else (rate - alone) / (1 - alone))
        for rate in (told.nearest, told.joint)
    )
    return nearest, joint, told.excess


def anchored(z: Float32s, y: Codes, exported: Codes) -> tuple[Float32s, Codes]:
    """Each exported label as the unit-norm anchor of its class; classes not fitted on fall out."""
    classes, codes = np.unique(y, return_inverse=True)
    means = class_means(z, codes)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    known = exported[np.isin(exported, classes)]
    return means[np.searchsorted(classes, known)].astype(np.float32), known


def measured(data: Banking, y: Codes, test: Codes, export: Export, seed: int) -> Row:
    """One line for one seed."""
    rng = np.random.default_rng([seed, 1])
    vectors, minimizer, radius = data.vectors, export.minimizer, export.radius
    z = minimizer.transform(vectors[export.exported])
    queries = minimizer.transform(vectors[test])
    on_export = on_noisy(noisy(z, radius, rng), y[export.exported]).predict(queries) == y[test]
    on_fit = minimizer.transform(vectors[export.fitted])
    anchors, labels = anchored(on_fit, y[export.fitted], y[export.exported])
    on_anchors = on_noisy(noisy(anchors, radius, rng), labels).predict(queries) == y[test]
    head = minimizer.head_predict(queries) == y[test]
    better = head if head.mean() >= on_anchors.mean() else on_anchors
    gain = paired_bootstrap(on_export, better, seed=seed)
    nearest, joint, excess = stolen(queries, y[test], radius, seed)
    return Row(
        plain=0.0,
        export=float(on_export.mean()),
        head=float(head.mean()),
        anchor=float(on_anchors.mean()),
        nearest=nearest,
        joint=joint,
        excess=excess,
        gain=(gain.value, gain.low, gain.high),
    )


def exported(
    vectors: Float32s, y: Codes, rows: tuple[Codes, Codes], setting: Setting, seed: int
) -> Export:
    """The minimizer fitted on ``rows[0]``, to export ``rows[1]``."""
    radius = setting.factor / 4
    settings = FitSettings(noise_radius=radius, seed=seed, shrink=setting.shrink)
    fitted = rows[0]
    minimizer = fit(parse_spec(setting.spec), vectors[fitted], y[fitted], settings=settings)
    return Export(minimizer, *rows, radius)


def parted(train: Codes, y: Codes, share: float, seed: int) -> tuple[Codes, Codes]:
    """Rows to fit on and rows to export."""
    if share == 1.0:
        return train, train
    fitted, rest = train_test_split(train, train_size=share, stratify=y[train], random_state=seed)
    return fitted, rest


def run_seed(data: Banking, seed: int) -> dict[tuple[str, float, str], Row]:
    """Every line of both tables for one seed, by task, share and setting; one thread."""
    lines = {}
    with threadpool_limits(1):
        for task in TASKS:
            y = data.coarse if task.coarse else data.fine
            rows = split(y, seed)
            model = on_plain(data.vectors[rows.train], y[rows.train])
            plain = float((model.predict(data.vectors[rows.test]) == y[rows.test]).mean())
            for share in SHARES:
                wanted = task.shared
                if share == 1.0:
                    wanted = tuple(dict.fromkeys(task.settings + task.shared))
                parts = parted(rows.train, y, share, seed)
                for setting in wanted:
                    export = exported(data.vectors, y, parts, setting, seed)
                    row = measured(data, y, rows.test, export, seed)
                    lines[task.name, share, str(setting)] = replace(row, plain=plain)
    return lines


def middle(rows: list[Row], name: str) -> float:
    return float(np.median([getattr(row, name) for row in rows]))


def spread(rows: list[Row], name: str) -> str:
    values: npt.NDArray[np.float64] = np.array([getattr(row, name) for row in rows])
    if np.isnan(values).any():
        return "not run"
    return f"{100 * np.median(values):.2f} ({100 * values.min():.2f} to {100 * values.max():.2f})"


def frontier(task: Task, by_line: dict[tuple[str, float, str], list[Row]]) -> list[list[str]]:
    lines = []
    for setting in task.settings:
        rows = by_line[task.name, 1.0, str(setting)]
        points = 100 * float(np.median([r.export - r.plain for r in rows]))
        accuracies = [f"{middle(rows, n):.3f}" for n in ("plain", "export")]
        controls = [f"{middle(rows, n):.3f}" for n in ("head", "anchor")]
        leaks = [spread(rows, n) for n in ("excess", "nearest", "joint")]
        lines.append([str(setting), *accuracies, f"{points:+.1f}", *controls, *leaks])
    return lines


def shares(task: Task, by_line: dict[tuple[str, float, str], list[Row]]) -> list[list[str]]:
    lines = []
    for share in SHARES:
        for setting in task.shared:
            rows = by_line[task.name, share, str(setting)]
            gain = sorted(r.gain for r in rows)[(len(rows) - 1) // 2]
            accuracies = [f"{middle(rows, n):.3f}" for n in ("head", "anchor", "export")]
            said = NOTHING if gain[1] <= 0 else "adds"
            added = gained(*gain)
            cells = [f"{share:.0%}", str(setting), *accuracies, added, spread(rows, "excess"), said]
            lines.append(cells)
    return lines


def gained(value: float, low: float, high: float) -> str:
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.data, asked.cache)
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(partial(run_seed, data), range(asked.seeds)))
    by_line = {line: [run[line] for run in runs] for line in runs[0]}
    note = "Median of the seeds (least to most)"
    for task in TASKS:
        of = task.name.split()[0]
        made = partial(Table, data=(data.source,), seeds=tuple(range(asked.seeds)))
        yield made(
            f"minimize/{of}",
            f"{task.name}: fitted on all training rows, all exported",
            FRONTIER_HEAD,
            frontier(task, by_line),
            note=f"{note}.",
        )
        yield made(
            f"minimize/{of}-shares",
            f"{task.name}: fitted on a share of the training rows, which is not exported",
            SHARES_HEAD,
            shares(task, by_line),
            note=f"{note}; a gain's interval is that of the seed with the median gain.",
        )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()
