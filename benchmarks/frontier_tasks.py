"""The tasks of the frontier: 2 to 150 classes, 500 rows, two labels at once, numbers."""

import csv
import gzip
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from banking77 import Codes, encoded, read
from sklearn.cluster import KMeans
from sklearn.model_selection import train_test_split

from cipherset.app.demo.reviews import write_reviews
from cipherset.app.exports.calibrate import Setting
from cipherset.app.exports.utility import Part, Protection, Rows, Targets
from cipherset.core.manifest import Task
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FittedMinimizer

ROWS = 12_000
N_PUBLIC = 4000
TEST_SHARE = 0.25
KEY = bytes(range(32))


@dataclass(frozen=True)
class Labeled:
    """Vectors (n, d) with labels (n,), the settings to try and the limit to hold them to."""

    name: str
    x: Float32s
    y: Targets
    settings: tuple[Setting, ...]
    limit: float = 0.01
    kind: Task = Task.CLASSIFICATION
    n_rows: int = ROWS
    shares: tuple[float, ...] = ()

    def split(self, seed: int) -> tuple[Codes, Codes, Codes]:
        """Public, training and test rows; at most ``n_rows`` in the last two."""
        order = np.random.default_rng(seed).permutation(len(self.y))
        public, rest = order[:N_PUBLIC], order[N_PUBLIC:][: self.n_rows]
        strata = self.y[rest] if self.kind is Task.CLASSIFICATION else None
        train, test = train_test_split(
            rest, test_size=TEST_SHARE, stratify=strata, random_state=seed
        )
        return public, train, test

    def rows(self, chosen: Codes) -> Rows:
        """Some rows; their label is what is in the clear."""
        codes = np.unique(self.y, return_inverse=True)[1]
        return Rows(self.x[chosen], self.y[chosen], codes[chosen])


def protection(minimizer: FittedMinimizer, factor: float, task: Task) -> Protection:
    """A map with a fixed key; the attacks take it off again."""
    cipher = VectorCipher(KEY, dim=minimizer.dim, approximation_factor=factor)
    return Protection(task, minimizer, cipher)


def part(shield: Protection, rows: Rows) -> Part:
    return Part(rows, shield.export(rows.x, rows.y))


def tasks(data: Path, cache: Path) -> list[Labeled]:
    """All of them; the first is of 7 classes, the second of the 77 intents of the same rows."""
    banking = read(data / "banking77", cache)
    x, fine, coarse = banking.vectors, banking.fine, banking.coarse
    texts = _texts(data / "banking77")
    lengths = np.log(np.array([len(text) for text in texts], dtype=np.float64))
    long = (lengths > np.median(lengths)).astype(np.int64)
    tenths = np.searchsorted(np.quantile(lengths, np.linspace(0.1, 0.9, 9)), lengths)
    few, many = (0.02, 0.05), (0.02, 0.05, 0.2)
    wide = (Setting("bottleneck:32", 8), Setting("bottleneck:32", 24))
    halves = _halved(x, fine, 73)
    return [
        Labeled("7 classes", x, coarse, _settings(6, 8, 12), shares=few),
        Labeled("77 classes", x, fine, wide, limit=0.05, shares=many),
        Labeled("150 classes", x, halves, (Setting("bottleneck:32", 12),), 0.05, shares=(0.05,)),
        Labeled("7 classes, 500 rows", x, coarse, _settings(6, 12), limit=0.08, n_rows=500),
        Labeled("7 classes x 2 at once", x, coarse * 2 + long, _settings(13, 12)),
        Labeled("numbers in tenths", x, tenths / 10 + 0.05,
                (Setting("pls:8", 4), Setting("pls:4", 8)), kind=Task.REGRESSION),
        _reviews(cache),
        *_airline(data / "airline_support_tweets", cache),
        *_emotions(data / "goemotions_group", cache),
    ]  # fmt: skip


def _settings(
    dim: int, *factors: float, epochs: int = 30, hidden: int = 256
) -> tuple[Setting, ...]:
    return tuple(Setting(f"bottleneck:{dim}", f, epochs, hidden) for f in factors)


def _halved(x: Float32s, y: Codes, n: int) -> Codes:
    """``y`` with its ``n`` largest classes split in two by their vectors."""
    out = y.copy()
    for i, label in enumerate(np.argsort(-np.bincount(y))[:n]):
        rows = np.flatnonzero(y == label)
        halves = KMeans(2, n_init=3, random_state=0).fit(x[rows]).labels_
        out[rows[halves == 1]] = y.max() + 1 + i
    return out


def _texts(folder: Path) -> list[str]:
    texts = []
    for name in ("train.csv", "test.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as lines:
            texts += [row["text"] for row in csv.DictReader(lines)]
    return texts


def _labeled(
    name: str,
    texts: Sequence[str],
    labels: Sequence[str],
    cache: Path,
    settings: tuple[Setting, ...],
) -> Labeled:
    y: npt.NDArray[np.int64] = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return Labeled(name, encoded(texts, cache), y, settings)


def _some(found: dict[str, str]) -> tuple[list[str], list[str]]:
    """At most ``ROWS`` texts and their labels, at random."""
    texts = list(found)
    chosen = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[:ROWS]]
    return chosen, [found[text] for text in chosen]


def _reviews(cache: Path) -> Labeled:
    target = cache / "reviews.csv"
    write_reviews(cache, target)
    with target.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    texts, labels = [row["text"] for row in rows], [row["verdict"] for row in rows]
    return _labeled("reviews, 2 classes", texts, labels, cache, _settings(2, 12, hidden=0))


def _airline(folder: Path, cache: Path) -> list[Labeled]:
    packed = folder / "airline_support_tweets.csv.gz"
    if not packed.is_file():
        return []
    text = gzip.decompress(packed.read_bytes()).decode("utf-8")
    found = {}
    for row in csv.DictReader(io.StringIO(text, newline="")):
        found.setdefault(re.sub(r"@\w+", "@user", row["text"]), row["airline_sentiment"])
    settings = _settings(2, 12, hidden=0)
    return [_labeled("tweets, 3 classes", *_some(found), cache, settings)]


def _emotions(folder: Path, cache: Path) -> list[Labeled]:
    path = folder / "train.tsv"
    if not path.is_file():
        return []
    found: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for text, labels, _ in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if "," not in labels:
                found.setdefault(text, labels)
    settings = _settings(3, 12, hidden=0)
    return [_labeled("emotions, 4 classes", *_some(found), cache, settings)]
