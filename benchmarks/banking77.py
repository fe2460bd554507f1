"""BANKING77 as the benchmarks use it: its labels, its split, its vectors.

All 13,083 rows of train.csv and test.csv together; by the seed, 5,000 rows are set aside as
public text and a quarter of the rest is the test split, stratified by label.
"""

import csv
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split
from tables import local

from cipherset.app.encoders import get, open_encoder
from cipherset.core.values import Float32s

ENCODER = "minilm-l6-v2"
N_PUBLIC = 5000
TEST_SHARE = 0.25
COARSE = (
    ("transfer", ("transfer",)),
    ("top_up", ("top_up", "topping")),
    ("cash", ("cash",)),
    ("card", ("card",)),
    ("exchange", ("exchange",)),
    ("refund", ("refund",)),
)
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Banking:
    """Plain vectors (n, 384) and the two labels of each row; ``source`` says what it is."""

    vectors: Float32s
    fine: Codes
    coarse: Codes
    source: str


@dataclass(frozen=True)
class Split:
    """Rows by number: public text, training and test."""

    public: Codes
    train: Codes
    test: Codes


def coarse_label(intent: str) -> str:
    """The first of the coarse classes whose word is in the intent's name, else ``other``."""
    return next((name for name, words in COARSE if any(w in intent for w in words)), "other")


def read(data: Path, cache: Path) -> Banking:
    """The rows in ``data``, encoded by the product's encoder; vectors are kept between runs."""
    rows = rows_of(data)
    texts, intents = [row["text"] for row in rows], [row["category"] for row in rows]
    vectors = encoded(texts, cache)
    fine = np.unique(intents, return_inverse=True)[1].astype(np.int64)
    coarse = np.unique([coarse_label(i) for i in intents], return_inverse=True)[1].astype(np.int64)
    source = f"{local('BANKING77')}, {len(texts):,} rows"
    return Banking(vectors, fine, coarse, source)


def rows_of(data: Path) -> list[dict[str, str]]:
    """The rows of train.csv, then of test.csv: ``text`` and ``category``."""
    rows: list[dict[str, str]] = []
    for name in ("train.csv", "test.csv"):
        with (data / name).open(encoding="utf-8", newline="") as lines:
            rows += csv.DictReader(lines)
    return rows


def encoded(texts: Sequence[str], cache: Path) -> Float32s:
    """Unit vectors of ``texts``, from a file named by encoder and texts where it is there."""
    get(ENCODER, cache)
    encoder = open_encoder(ENCODER, cache)
    name = hashlib.sha256("\0".join([encoder.digest, *texts]).encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"banking77-{name}.npy"
    if not path.is_file():
        np.save(path, encoder.encode(texts))
    vectors: Float32s = np.load(path, allow_pickle=False)
    return vectors


def split(labels: Codes, seed: int) -> Split:
    """The split of one seed, stratified by ``labels``."""
    order = np.random.default_rng(seed).permutation(len(labels))
    public, rest = order[:N_PUBLIC], order[N_PUBLIC:]
    train, test = train_test_split(
        rest, test_size=TEST_SHARE, stratify=labels[rest], random_state=seed
    )
    return Split(public, train, test)
