"""What an index of word n-grams finds of texts that were copied, altered, or are somebody else's.

Usage: OMP_NUM_THREADS=1 python benchmarks/shingles.py --data DIR [--tables FILE]

DIR holds banking77 and mts_dialog. Copies are passages of training rows, in the middle of benign
text; the others are the data's own test rows, without those that are nearly training rows, and
texts of another kind.
"""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tables import Table, arguments, hand_over, local

from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes
from cipherset.pipeline.sanitize.shingles import NgramIndex, build
from cipherset.pipeline.sanitize.shingles.words import words_of
from cipherset.pipeline.sanitize.training.duplicates import OVERLAP, NearRows
from cipherset.pipeline.sanitize.training.minhash import Sketcher
from cipherset.pipeline.sanitize.training.splits import leak

TRIALS = 1000
SEED = 0
Edit = Callable[[list[str], np.random.Generator], list[str]]


def column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def every(step: int) -> Edit:
    def edit(words: list[str], rng: np.random.Generator) -> list[str]:
        first = int(rng.integers(step))
        return [f"x{word}" if i % step == first else word for i, word in enumerate(words)]

    return edit


def dropped(step: int) -> Edit:
    def edit(words: list[str], rng: np.random.Generator) -> list[str]:
        first = int(rng.integers(step))
        return [word for i, word in enumerate(words) if i % step != first]

    return edit


def restyled(words: list[str], _: np.random.Generator) -> list[str]:
    return [f"{word.upper().strip('.,')}," for word in words]


EDITS: dict[str, tuple[int, Edit]] = {
    "8 words as they are": (8, lambda words, _: words),
    "12 words as they are": (12, lambda words, _: words),
    "12 words, other case and signs": (12, restyled),
    "20 words, every 8th replaced": (20, every(8)),
    "20 words, every 5th replaced": (20, every(5)),
    "20 words, every 4th replaced": (20, every(4)),
    "20 words, every 5th left out": (20, dropped(5)),
}


def found(index: NgramIndex, rows: Sequence[str], benign: Sequence[str], edit: str) -> float:
    rng = np.random.default_rng(SEED)
    n_words, change = EDITS[edit]
    long = [row.split() for row in rows if len(row.split()) >= n_words]
    hits = 0
    for _ in range(TRIALS):
        words = long[rng.integers(len(long))]
        start = int(rng.integers(len(words) - n_words + 1))
        passage = change(words[start : start + n_words], rng)
        around = benign[rng.integers(len(benign))]
        hits += bool(index.matches(f"{around} {' '.join(passage)} {around}"))
    return hits / TRIALS


def apart(train: Sequence[str], test: Sequence[str]) -> list[str]:
    """Test rows that are not nearly training rows."""
    known, sketcher = NearRows(), Sketcher()
    known.add(sketcher.sketch(train), OVERLAP)
    near = known.find(sketcher.sketch(test), OVERLAP)
    return [text for text, is_near in zip(test, near, strict=True) if not is_near]


def eights(text: str) -> set[tuple[bytes, ...]]:
    words = words_of(text).words
    return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}


class Copies:
    """The slow, exact answer: whether a text holds eight words in a row of one of the rows."""

    def __init__(self, rows: Sequence[str]) -> None:
        self._known = set().union(*map(eights, rows))

    def in_(self, text: str) -> bool:
        return not self._known.isdisjoint(eights(text))


def seconds(index: NgramIndex, text: str) -> float:
    times = []
    for _ in range(30):
        started = time.perf_counter()
        index.matches(text)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def share(index: NgramIndex, texts: Sequence[str], least: int) -> str:
    hits = sum(bool(index.matches(text, least_words=least)) for text in texts)
    return f"{hits / len(texts):.1%}"


def measured(
    name: str, train: list[str], test: list[str], others: dict[str, list[str]]
) -> Iterator[Table]:
    hashes = KeyedHashes(KeyHandle("benchmark", 1, Secret(bytes(32))), "shingles")
    started = time.perf_counter()
    index = build([train], hashes)
    built = time.perf_counter() - started
    benign = apart(train, test)
    rows = [[edit, f"{found(index, train, benign, edit):.1%}"] for edit in EDITS]
    copies = Copies(train)
    holding = sum(map(copies.in_, benign))
    rows += [
        [f"other rows of {name}, from {least} words on", share(index, benign, least)]
        for least in (8, 12, 16, 20)
    ]
    rows.append(["other rows that do hold 8 words of a row", f"{holding / len(benign):.1%}"])
    rows += [[f"texts of {other}", share(index, texts, 8)] for other, texts in others.items()]
    text = " ".join(benign)[:2500]
    leaking = leak([train], [test])
    yield Table(
        f"shingles/{name}",
        f"Copies of {len(train)} rows of {name} that are found",
        ("text", "found"),
        rows,
        (local(name),),
        (SEED,),
        f"{index.n_ngrams} n-grams, {index.size_bytes / 1e6:.1f} MB, built in {built:.1f} s; "
        f"a text of 2,500 characters takes {1000 * seconds(index, text):.1f} ms. Of {leaking.rows} "
        f"test rows {leaking.same} are training rows too and {leaking.near} nearly.",
    )


def tables(data: Path) -> Iterator[Table]:
    kinds = {"banking77": ("train.csv", "test.csv", "banking77", "text")}
    for part in ("dialogue", "section_text"):  # codespell:ignore dialogue
        kinds[f"mts_dialog {part}"] = ("train.csv", "test1.csv", "mts_dialog", part)
    split = {
        name: [column(data / folder / file, part) for file in files]
        for name, (*files, folder, part) in kinds.items()
    }
    for name, (train, test) in split.items():
        others = {other: texts[1] for other, texts in split.items() if other != name}
        yield from measured(name, train, test, others)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    hand_over(tables(asked.data), asked.tables)


if __name__ == "__main__":
    main()
