"""Training time and model size on minimized, encrypted vectors beside plain ones and fine-tuning.

Usage: OMP_NUM_THREADS=1 python benchmarks/lighter.py --data DIR [--seeds N] [--tasks N]
    [--kinds KIND ...] [--train N] [--peer-python PATH --model DIRECTORY]

DIR is BANKING77's folder. The same rows, labels, model families and recipes; only the vectors
differ: plain (384 dimensions), and as ``protect`` exports them, fitted on the training rows,
encrypted with ball noise. The encrypted model is asked about test rows as a gateway asks, without
noise. PATH is a Python that has torch and transformers, DIRECTORY the encoder's weights: with them
the encoder's last layer and a classifier on it are fine-tuned on the texts themselves
(``peer_lighter.py``).

``training`` is CPU seconds of the training alone, with the search for a penalty that a logistic
model makes. ``before`` is what comes before it, once: embedding the training rows, and the owner's
fit of the minimizer; where the encoder is tuned, its frozen layers, which run once. Sizes are those
of the ONNX model, or of the tuned parameters in float32, and of the training rows as float32.
Medians over the seeds; accuracies are means.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from banking77 import ENCODER, Banking, Codes, read, rows_of, split
from tables import Table, arguments, hand_over

from cipherset.app.encoders import open_encoder
from cipherset.core.manifest import ModelKind, Task
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, fit, parse_spec
from cipherset.pipeline.train import TrainSpec, to_onnx, train_model

KINDS = (ModelKind.LOGISTIC, ModelKind.MLP, ModelKind.BOOSTING)
TUNED = "its last layer, tuned"
SPEED_TEXTS = 1000
SETTINGS = {"7 classes": ("bottleneck:6", 4.0), "77 classes": ("bottleneck:32", 6.0)}


@dataclass(frozen=True)
class Rows:
    """Training rows and the test rows that are asked about, (n, d) each."""

    name: str
    train: Float32s
    test: Float32s
    fit_seconds: float = 0.0


@dataclass(frozen=True)
class Trained:
    """One model of one seed."""

    before: float
    seconds: float
    size_bytes: int
    accuracy: float
    rows_bytes: int


Found = dict[tuple[str, str], list[Trained]]


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


def trained(kind: ModelKind, rows: Rows, y: tuple[Codes, Codes], embedding: float) -> Trained:
    """``embedding`` is the seconds that one text takes."""
    spec = TrainSpec(kind=kind)
    start = time.process_time()
    model = train_model(rows.train, y[0], spec, task=Task.CLASSIFICATION, seed=0)
    seconds = time.process_time() - start
    right = float((model.predict(rows.test) == y[1]).mean())
    before = embedding * len(rows.train) + rows.fit_seconds
    return Trained(before, seconds, len(to_onnx(model)), right, rows.train.nbytes)


def rows_for(given: Any, y: Codes, seed: int) -> tuple[Codes, Codes]:  # noqa: ANN401 -- argparse
    """Training and test rows by number, the same for every way; a third as many are asked about."""
    parts = split(y, seed)
    n_train = given.train or len(parts.train)
    return parts.train[:n_train], parts.test[: n_train // 3]


def measure(given: Any, data: Banking, name: str, y: Codes, embedding: float) -> Found:  # noqa: ANN401 -- argparse
    spec, factor = SETTINGS[name]
    found: Found = {}
    for seed in range(given.seeds):
        train, test = rows_for(given, y, seed)
        plain = Rows("plain", data.vectors[train], data.vectors[test])
        small = cpu_seconds(
            lambda train=train, test=test, seed=seed: minimized(
                spec, factor, data.vectors, y, (train, test), seed
            )
        )
        for rows in (plain, small):
            for kind in map(ModelKind, given.kinds):
                made = trained(kind, rows, (y[train], y[test]), embedding)
                print(name, seed, rows.name, kind.value, made, file=sys.stderr)
                found.setdefault((rows.name, kind.value), []).append(made)
    return found


def tuned(given: Any, texts: list[str], y: Codes) -> list[Trained]:  # noqa: ANN401 -- argparse
    """The encoder's last layer and a classifier, for each seed, in a process of their own."""
    runs = []
    for seed in range(given.seeds):
        train, test = (rows.tolist() for rows in rows_for(given, y, seed))
        runs.append({"labels": y.tolist(), "seed": seed, "train": train, "test": test})
    n_bytes = [sum(len(texts[i].encode()) for i in run["train"]) for run in runs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.json"
        path.write_text(json.dumps({"texts": texts, "runs": runs}), encoding="utf-8")
        script = str(Path(__file__).with_name("peer_lighter.py"))
        command = [given.peer_python, script, str(path), given.model]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(shown.splitlines()[-1])
    print(found, file=sys.stderr)
    return [
        Trained(each["before"], each["seconds"], each["bytes"], each["accuracy"], size)
        for each, size in zip(found, n_bytes, strict=True)
    ]


def embedding_seconds(texts: list[str], cache: Path) -> float:
    """Of the processor, for one text; those that are measured are chosen at random."""
    encoder = open_encoder(ENCODER, cache)
    chosen = np.random.default_rng(0).permutation(len(texts))[:SPEED_TEXTS]
    encoder.encode(texts[:64])
    start = time.process_time()
    encoder.encode([texts[i] for i in chosen])
    return (time.process_time() - start) / len(chosen)


def line(task: str, way: tuple[str, str], made: list[Trained], least: float) -> tuple[str, ...]:
    before, seconds, size, rows = (
        median(values)
        for values in zip(
            *((each.before, each.seconds, each.size_bytes, each.rows_bytes) for each in made),
            strict=True,
        )
    )
    return (
        task, *way,
        f"{before:.1f}", f"{seconds:.2f}", f"{seconds / least:.0f}",
        f"{size / 1024:,.0f}", f"{rows / 2**20:.2f}",
        f"{np.mean([each.accuracy for each in made]):.3f}",
    )  # fmt: skip


def lines(task: str, found: Found) -> list[tuple[str, ...]]:
    """Each way's; the times are those of the quickest training on minimized vectors."""
    spec = SETTINGS[task][0]
    least = min(
        median(each.seconds for each in made) for way, made in found.items() if way[0] == spec
    )
    return [line(task, way, made, least) for way, made in found.items()]


HEADER = (
    "task", "learns from", "model", "before, cpu-s", "training, cpu-s", "times the quickest",
    "model, KiB", "training rows, MiB", "accuracy",
)  # fmt: skip


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=len(SETTINGS), help="only the first so many")
    parser.add_argument("--kinds", nargs="+", default=[each.value for each in KINDS])
    parser.add_argument("--train", type=int, help="at most so many training rows")
    parser.add_argument("--peer-python")
    parser.add_argument("--model")
    given = parser.parse_args()
    data = read(given.data, given.cache)
    texts = [row["text"] for row in rows_of(given.data)]
    embedding = embedding_seconds(texts, given.cache)
    labels = {"7 classes": data.coarse, "77 classes": data.fine}
    rows = []
    for name, y in list(labels.items())[: given.tasks]:
        found = measure(given, data, name, y, embedding)
        if given.peer_python:
            found["texts", TUNED] = tuned(given, texts, y)
        rows += lines(name, found)
    table = Table(
        "lighter/training",
        "Training on minimized vectors",
        HEADER,
        rows,
        (data.source,),
        tuple(range(given.seeds)),
        note=f"{len(rows_for(given, data.coarse, 0)[0]):,} training rows",
    )
    hand_over([table], given.tables)


if __name__ == "__main__":
    main()
