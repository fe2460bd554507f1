"""Figures that every machine can repeat: attacks and exports on the demo's film reviews.

Usage: python benchmarks/reviews.py [--cache DIR]

8,000 of the reviews at random. 2,000 are public text. As in benchmarks/attacks.py 2,200 others are
encrypted as they are: 2,000 candidates, and 200 of which a plain vector may be known. As in
benchmarks/minimize.py all 6,000 that are not public are split, three quarters to fit on and to
export, the rest to test and to attack. tests/evidence runs this anew and compares.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attacks import by_pairs, sealed, unpaired
from banking77 import Banking, encoded
from minimize import Setting, exported, gained, measured, on_plain
from sklearn.model_selection import train_test_split
from tables import REVIEWS, Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.app.demo.reviews import write_reviews
from cipherset.core.values import Float32s

SEED = 0
N_ROWS = 8000
N_PUBLIC = 2000
N_ENCRYPTED = 2200  # the last are the known pairs
PAIRS = (100, 200)
SETTINGS = (Setting("none", 8), Setting("bottleneck:2", 12, 1.0))
ATTACKS_HEAD = ("scheme", "beta", "known pairs", "recovered", "re-id", "its own objective")
EXPORTS_HEAD = (
    "export", "plain", "on the export", "owner's head", "anchor control", "gain, points (95 %)",
    "re-id excess, %",
)  # fmt: skip


def read(cache: Path) -> Banking:
    """Vectors and verdicts; both labels are the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.csv"
        write_reviews(cache, path)
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    chosen = [rows[i] for i in np.random.default_rng(SEED).permutation(len(rows))[:N_ROWS]]
    y = np.array([row["verdict"] == "fresh" for row in chosen], dtype=np.int64)
    return Banking(encoded([row["text"] for row in chosen], cache), y, y, REVIEWS)


def attacks(plain: Float32s, public: Float32s) -> Table:
    rows = []
    for factor in (2.5, 5.0):
        sample = sealed(plain, "permutation", factor)
        rows.append(["permutation", f"{factor:g}", "0", *unpaired(sample, public, factor)[:3]])
    sample = sealed(plain, "rotation", 2.0)
    rows.append(["rotation", "2", "0", *unpaired(sample, public, 2.0)[:3]])
    for n in PAIRS:
        rows.append(["rotation", "2", f"{n}", "", f"{max(by_pairs(sample, n, None)):.3f}", ""])
    title = "Film reviews encrypted as they are, public text of the same domain"
    return Table("reviews/attacks", title, ATTACKS_HEAD, rows, (REVIEWS,), (SEED,))


def exports(data: Banking) -> Table:
    y = data.fine
    rest = np.arange(N_PUBLIC, len(y))
    train, test = train_test_split(rest, test_size=0.25, stratify=y[rest], random_state=SEED)
    plain = on_plain(data.vectors[train], y[train]).predict(data.vectors[test]) == y[test]
    rows = []
    for setting in SETTINGS:
        export = exported(data.vectors, y, (train, train), setting, SEED)
        row = measured(data, y, test, export, SEED)
        rates = (plain.mean(), row.export, row.head, row.anchor)
        cells = [*(f"{rate:.3f}" for rate in rates), gained(*row.gain), f"{100 * row.excess:.2f}"]
        rows.append([str(setting), *cells])
    title = "Film reviews, 2 classes: fitted on all training rows, all exported"
    return Table("reviews/exports", title, EXPORTS_HEAD, rows, (REVIEWS,), (SEED,))


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.cache)
    public, rest = data.vectors[:N_PUBLIC], data.vectors[N_PUBLIC:]
    yield attacks(rest[:N_ENCRYPTED], public)
    yield exports(data)


def main() -> None:
    asked = arguments(__doc__).parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()
