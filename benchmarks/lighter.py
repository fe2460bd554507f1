"""Training time and model size on minimized, encrypted vectors beside plain embeddings.

Usage: OMP_NUM_THREADS=1 python benchmarks/lighter.py --data DIR [--seeds N] [--tasks N]

DIR is BANKING77's folder. The same rows, labels, model families and recipes; only the vectors
differ: plain (384 dimensions), and as ``protect`` exports them, fitted on the training rows,
encrypted with ball noise. The encrypted model is asked about test rows as a gateway asks, without
noise. Time is CPU seconds of the training alone, with the search for a penalty that a logistic
model makes; fitting the minimizer is the owner's work, once, and has a column of its own. Sizes are
those of the ONNX model, and of the training rows as float32. Medians over the seeds.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from banking77 import Banking, Codes, read, split
from tables import Table, arguments, hand_over

from cipherset.core.manifest import ModelKind, Task
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, fit, parse_spec
from cipherset.pipeline.train import TrainSpec, to_onnx, train_model

KINDS = (ModelKind.LOGISTIC, ModelKind.MLP, ModelKind.BOOSTING)
SETTINGS = {"7 classes": ("bottleneck:6", 4.0), "77 classes": ("bottleneck:32", 6.0)}


@dataclass(frozen=True)
class Rows:
    """Training rows and the test rows that are asked about, (n, d) each."""

    name: str
    train: Float32s
    test: Float32s
    owner_seconds: float = 0.0


@dataclass(frozen=True)
class Trained:
    """One model of one seed."""

    seconds: float
    size_bytes: int
    accuracy: float


def cpu_seconds(work: Callable[[], Rows]) -> Rows:
    start = time.process_time()
    made = work()
    return Rows(made.name, made.train, made.test, time.process_time() - start)


def minimized(
    spec: str, factor: float, x: Float32s, y: Codes, rows: tuple[Codes, Codes], seed: int
) -> Rows:
    train, test = rows
    settings = FitSettings(seed=seed, noise_radius=factor / 4)
    fitted = fit(parse_spec(spec), x[train], y[train], settings=settings)
    cipher = VectorCipher(bytes(range(32)), dim=fitted.dim, approximation_factor=factor)
    ciphertexts = cipher.encrypt(fitted.transform(x[train]))
    return Rows(spec, ciphertexts, cipher.encrypt_query(fitted.transform(x[test])))


def trained(kind: ModelKind, rows: Rows, y: tuple[Codes, Codes]) -> Trained:
    spec = TrainSpec(kind=kind)
    start = time.process_time()
    model = train_model(rows.train, y[0], spec, task=Task.CLASSIFICATION, seed=0)
    seconds = time.process_time() - start
    right = float((model.predict(rows.test) == y[1]).mean())
    return Trained(seconds, len(to_onnx(model)), right)


def measure(data: Banking, name: str, y: Codes, n_seeds: int) -> list[tuple[str, ...]]:
    spec, factor = SETTINGS[name]
    found: dict[tuple[str, ModelKind], list[tuple[Rows, Trained]]] = {}
    for seed in range(n_seeds):
        parts = split(y, seed)
        train, test = parts.train, parts.test
        plain = Rows("plain", data.vectors[train], data.vectors[test])
        small = cpu_seconds(
            lambda train=train, test=test, seed=seed: minimized(
                spec, factor, data.vectors, y, (train, test), seed
            )
        )
        for rows in (plain, small):
            for kind in KINDS:
                made = trained(kind, rows, (y[train], y[test]))
                print(name, seed, rows.name, kind.value, made, file=sys.stderr)
                found.setdefault((rows.name, kind), []).append((rows, made))
    return [line(name, kind, found) for kind in KINDS]


def line(
    name: str, kind: ModelKind, found: dict[tuple[str, ModelKind], list[tuple[Rows, Trained]]]
) -> tuple[str, ...]:
    spec = SETTINGS[name][0]
    plain, small = found["plain", kind], found[spec, kind]
    seconds = [median(made.seconds for _, made in each) for each in (plain, small)]
    sizes = [median(made.size_bytes for _, made in each) for each in (plain, small)]
    rights = [float(np.mean([made.accuracy for _, made in each])) for each in (plain, small)]
    rows = [each[0][0].train.nbytes for each in (plain, small)]
    return (
        name, kind.value, spec,
        f"{seconds[0]:.2f}", f"{seconds[1]:.2f}", f"{seconds[0] / seconds[1]:.1f}",
        f"{sizes[0] / 1024:.0f}", f"{sizes[1] / 1024:.0f}", f"{sizes[0] / sizes[1]:.1f}",
        f"{rows[0] / 2**20:.1f}", f"{rows[1] / 2**20:.2f}",
        f"{rights[0]:.3f}", f"{rights[1]:.3f}",
        f"{median(rows.owner_seconds for rows, _ in small):.1f}",
    )  # fmt: skip


HEADER = (
    "task", "model", "minimizer", "training, plain, cpu-s", "minimized", "times",
    "ONNX, plain, KiB", "minimized", "times", "rows, plain, MiB", "minimized",
    "accuracy, plain", "minimized", "the owner's fit, cpu-s",
)  # fmt: skip


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=len(SETTINGS), help="only the first so many")
    given = parser.parse_args()
    data = read(given.data, given.cache)
    labels = {"7 classes": data.coarse, "77 classes": data.fine}
    chosen = list(labels.items())[: given.tasks]
    rows = [row for name, y in chosen for row in measure(data, name, y, given.seeds)]
    table = Table(
        "lighter/training",
        "Training on minimized vectors",
        HEADER,
        rows,
        (data.source,),
        tuple(range(given.seeds)),
    )
    hand_over([table], given.tables)


if __name__ == "__main__":
    main()
