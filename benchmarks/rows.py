"""How well repeats and wrong labels are found among rows.

Usage: OMP_NUM_THREADS=1 python benchmarks/rows.py --data DIR [--many N] [--tables FILE]

DIR is banking77. Near duplicates are held against the overlap of every pair of rows, computed from
the sets themselves; labels are flipped at random in a sample of 3,000 rows, which the default
encoder embeds. banking77 has wrong labels of its own, so not every unflipped row that is called
wrong is right.
"""

import csv
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from datasketch import MinHash, MinHashLSH
from tables import MADE_UP, Table, arguments, hand_over, local

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.pipeline.sanitize.training import Duplicates, Reason, misfits
from cipherset.pipeline.sanitize.training.minhash import N_ORDERS, RUN, plain

LEAST = 0.8
SAMPLE = 3000
SEED = 0


def runs(text: str) -> set[str]:
    padded = plain(text).ljust(RUN, "\0")
    return {padded[start : start + RUN] for start in range(len(padded) - RUN + 1)}


def true_overlaps(texts: Sequence[str]) -> dict[int, float]:
    """The largest overlap of each row with an earlier one that is not a near duplicate itself."""
    kept: dict[int, set[str]] = {}
    having: dict[str, list[int]] = defaultdict(list)
    largest = {}
    for row, text in enumerate(texts):
        own = runs(text)
        shared = Counter(other for run in own for other in having[run])
        overlaps = (n / (len(own) + len(kept[other]) - n) for other, n in shared.items())
        largest[row] = max(overlaps, default=0.0)
        if largest[row] < LEAST:
            kept[row] = own
            for run in own:
                having[run].append(row)
    return largest


def ours(texts: Sequence[str]) -> set[int]:
    duplicates, found = Duplicates(least_overlap=LEAST), set()
    for start in range(0, len(texts), 4096):
        verdicts = duplicates.judge_texts(texts[start : start + 4096])
        found |= {start + place for place, verdict in enumerate(verdicts) if verdict}
    return found


def peers(texts: Sequence[str]) -> set[int]:
    index, found = MinHashLSH(threshold=LEAST, num_perm=N_ORDERS), set()
    for row, text in enumerate(texts):
        sketch = MinHash(num_perm=N_ORDERS)
        sketch.update_batch([run.encode() for run in runs(text)])
        if index.query(sketch):
            found.add(row)
        else:
            index.insert(row, sketch)
    return found


def repeats(texts: Sequence[str]) -> Table:
    largest = true_overlaps(texts)
    rows = []
    for name, find in (("ours", ours), ("datasketch", peers)):
        started = time.process_time()
        found = find(texts)
        seconds = time.process_time() - started
        at_least = [
            {row for row, overlap in largest.items() if overlap >= least} for least in (LEAST, 0.9)
        ]
        below = [row for row in found if largest[row] < 0.7]
        rows.append(
            [
                name,
                str(len(found)),
                *(f"{len(found & true) / len(true):.1%}" for true in at_least),
                f"{len(below) / len(found):.1%}",
                f"{len(texts) / seconds:,.0f}",
            ]
        )
    return Table(
        "rows/repeats",
        f"Near duplicates among {len(texts)} rows, least overlap {LEAST}",
        (
            "by",
            "found",
            "of those from 0.8 on",
            "of those from 0.9 on",
            "found with less than 0.7",
            "rows per second",
        ),
        rows,
        (local("banking77"),),
        (),
        f"{sum(overlap >= LEAST for overlap in largest.values())} rows overlap an earlier one by "
        "0.8 or more. CPU seconds of one core.",
    )


def flips(texts: Sequence[str], labels: Sequence[str], cache: Path) -> Table:
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(len(texts), SAMPLE, replace=False)
    x = open_encoder(DEFAULT_ENCODER, cache).encode([texts[row] for row in chosen])
    names, codes = np.unique([labels[row] for row in chosen], return_inverse=True)
    rows = []
    for share in (0.0, 0.02, 0.05, 0.1, 0.2):
        flipped = rng.permutation(SAMPLE) < share * SAMPLE
        other = (codes + rng.integers(1, len(names), SAMPLE)) % len(names)
        verdicts = misfits(x, np.where(flipped, other, codes)).verdicts()
        called = np.array([verdict is Reason.LABEL_DISAGREES for verdict in verdicts])
        found = f"{called[flipped].mean():.1%}" if share else ""
        rows.append([f"{share:.0%}", found, f"{called[~flipped].mean():.1%}"])
    return Table(
        "rows/flips",
        f"Labels flipped at random in {SAMPLE} rows of {len(names)} classes",
        ("flipped", "found", "others called wrong"),
        rows,
        (local("banking77"),),
        (SEED,),
    )


def many(n_rows: int) -> Table:
    """Peak memory of this process as made-up rows of ten words go by, none near another."""
    syllables = [f"{a}{b}" for a in "bdfgklmnprst" for b in "aeiou"]
    words = np.array([f"{one}{other}" for one in syllables for other in ("r", "ten", "lo", "m")])
    rng, duplicates, rows = np.random.default_rng(SEED), Duplicates(), []
    before, started = peak_mb(), time.process_time()
    for done in range(0, n_rows, 4096):
        drawn = words[rng.integers(0, len(words), (min(4096, n_rows - done), 10))]
        duplicates.judge_texts([" ".join(row) for row in drawn])
        if (done // 4096 + 1) % 200 == 0 or done + 4096 >= n_rows:
            seconds = time.process_time() - started
            rows.append([f"{done + len(drawn):,}", f"{peak_mb() - before:.0f}", f"{seconds:.0f}"])
    head = ("rows", "peak memory beside the packages, MB", "CPU seconds")
    return Table(
        "rows/memory", "Near duplicates of many rows", head, rows, (MADE_UP,), (SEED,),
        f"The packages alone take {before:.0f} MB.",
    )  # fmt: skip


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tables(data: Path, cache: Path) -> Iterator[Table]:
    with (data / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [row["text"] for row in rows]
    yield repeats(texts)
    yield flips(texts, [row["category"] for row in rows], cache)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--many", type=int, help="only: memory of so many rows")
    asked = parser.parse_args()
    found = [many(asked.many)] if asked.many else tables(asked.data, asked.cache)
    hand_over(found, asked.tables)


if __name__ == "__main__":
    main()
