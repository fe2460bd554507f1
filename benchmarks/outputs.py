"""What the filter of replies stops, lets pass and costs, on copies, altered copies and other texts.

Usage: OMP_NUM_THREADS=1 python benchmarks/outputs.py --data DIR [--tables FILE]

DIR holds banking77 and mts_dialog. The model is a lookup: whatever four words a row begins with, it
goes on as the row did. Harmless texts are rows that were not indexed and are not nearly such a row,
half of them to set the limit of rarity by and half to measure on, and texts of other kinds.
"""

import csv
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tables import Table, arguments, hand_over, local

from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes
from cipherset.guard.outputs import Finders, OutputFilter, OutputRules, Pace, Rows
from cipherset.pipeline.sanitize import default_rules
from cipherset.pipeline.sanitize.shingles import Counting, NgramIndex, Rarity, Threshold, build
from cipherset.pipeline.sanitize.shingles.words import words_of
from cipherset.pipeline.sanitize.training.duplicates import OVERLAP, NearRows
from cipherset.pipeline.sanitize.training.minhash import Sketcher

TRIALS = 150
SEED = 0
RATE = 0.01
REPLACE = '[copies]\nremedy = "replace"\n'
Edit = Callable[[list[str], np.random.Generator], str]
LOOKALIKES = str.maketrans("aceopxy", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443")  # Cyrillic


def column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def every(step: int) -> Edit:
    def edit(words: list[str], rng: np.random.Generator) -> str:
        first = int(rng.integers(step))
        return " ".join(f"x{word}" if i % step == first else word for i, word in enumerate(words))

    return edit


def swapped(words: list[str], rng: np.random.Generator) -> str:
    place = int(rng.integers(len(words) - 1))
    words = [*words[:place], words[place + 1], words[place], *words[place + 2 :]]
    return " ".join(words)


EDITS: dict[str, tuple[int, Edit]] = {
    "8 words as they are": (8, lambda words, _: " ".join(words)),
    "12 words as they are": (12, lambda words, _: " ".join(words)),
    "20 words as they are": (20, lambda words, _: " ".join(words)),
    "8 words, upper case and other signs": (8, lambda words, _: " - ".join(words).upper()),
    "8 words, zero width spaces in each": (8, lambda words, _: " ".join(map("\u200b".join, words))),
    "8 words, 1,000 blanks between": (8, lambda words, _: (" " * 1000).join(words)),
    "8 words, a line each": (8, lambda words, _: "\n- ".join(words)),
    "20 words, every 8th replaced": (20, every(8)),
    "20 words, every 5th replaced": (20, every(5)),
    "20 words, every 4th replaced": (20, every(4)),
    "20 words, two neighbors swapped": (20, swapped),
    "8 words, Cyrillic letters that look alike": (
        8,
        lambda words, _: " ".join(words).translate(LOOKALIKES),
    ),
    "8 words, letters apart": (8, lambda words, _: " ".join(" ".join(word) for word in words)),
}


def stopped(guarded: OutputFilter, rows: Sequence[str], benign: Sequence[str], edit: str) -> float:
    """The share of passages that did not get out, in a reply that arrives piece by piece."""
    rng = np.random.default_rng(SEED)
    n_words, change = EDITS[edit]
    long = [row.split() for row in rows if len(row.split()) >= n_words]
    hits = 0
    for _ in range(TRIALS):
        words = long[rng.integers(len(long))]
        start = int(rng.integers(len(words) - n_words + 1))
        passage = change(words[start : start + n_words], rng)
        around = " ".join(benign[rng.integers(len(benign))] for _ in range(int(rng.integers(9))))[
            :600
        ]
        text = f"{around} {passage} {around}"
        released = streamed(guarded, text, rng)
        hits += "[COPY]" in released and squeezed(passage) not in squeezed(released)
    return hits / TRIALS


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b]+", " ", text)


def streamed(guarded: OutputFilter, text: str, rng: np.random.Generator) -> str:
    stream, released, place = guarded.reply(), [], 0
    while place < len(text):
        length = int(rng.integers(1, 12))
        released.append(stream.feed(text[place : place + length]))
        place += length
    return "".join([*released, stream.finish()])


def apart(rows: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those that are not nearly one of the rows."""
    known, sketcher = NearRows(), Sketcher()
    known.add(sketcher.sketch(rows), OVERLAP)
    near = known.find(sketcher.sketch(others), OVERLAP)
    return [text for text, is_near in zip(others, near, strict=True) if not is_near]


def flagged(guarded: OutputFilter, texts: Sequence[str]) -> str:
    hits = sum(bool(guarded.apply(text).verdict.findings) for text in texts)
    return f"{hits / len(texts):.1%}"


def regurgitated(guarded: OutputFilter, rows: Sequence[str]) -> float:
    """The share of the words beyond the prompt that get out of a model that repeats its rows."""
    out = there = 0
    for row in rows[:TRIALS]:
        words = row.split()
        if len(words) < 16:
            continue
        prompt, answer = " ".join(words[:4]), " ".join(words[4:])
        released = guarded.apply(answer, [prompt]).text
        out += len(words_of(released.replace("[COPY]", "")))
        there += len(words) - 4
    return out / there


def limited(finders: Finders, **limits: float) -> OutputFilter:
    lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
    return OutputFilter(finders, OutputRules.from_toml(REPLACE + lines))


def at_once(guarded: OutputFilter, text: str, _: np.random.Generator) -> str:
    return guarded.apply(text).text


def milliseconds(guarded: OutputFilter, text: str, work: Callable[..., str]) -> float:
    times = []
    for _ in range(20):
        started = time.process_time()
        work(guarded, text, np.random.default_rng(SEED))
        times.append(time.process_time() - started)
    return 1000 * float(np.median(times))


def rare(rarity: Rarity, rows: Sequence[str], bits: float, n_words: int) -> list[str]:
    """Passages of rows of so many words that reach the limit."""
    found = []
    for row in rows:
        words = row.split()
        passages = (" ".join(words[i : i + n_words]) for i in range(len(words) - n_words + 1))
        found += [each for each in passages if len(words_of(each)) and rarity.bits(each) >= bits]
    return found


def of_copies(name: str, rows: list[str], benign: list[str], others: dict[str, list[str]]) -> Table:
    hashes = KeyedHashes(KeyHandle("benchmark", 1, Secret(bytes(32))), "shingles")
    counting = Counting(hashes)
    index = build(counting.watching([rows]), hashes)
    rarity = counting.done()
    half = len(benign) // 2
    threshold = Threshold.for_rate(index, rarity, benign[:half], RATE)
    finders = Finders(rows=(Rows(name, index, rarity.bits),))
    filters = {
        "from 8 words": limited(finders),
        "from 12 words": limited(finders, least_words=12),
        f"from {threshold.bits:.0f} bits": limited(finders, least_bits=threshold.bits),
    }
    lines = [
        [edit, *(f"{stopped(each, rows, benign, edit):.1%}" for each in filters.values())]
        for edit in EDITS
    ]
    lines.append(["8 rare words as they are", *rare_row(filters, index, rarity, rows, threshold)])
    lines.append(
        ["words that a model which repeats its rows gets out"]
        + [f"{regurgitated(each, rows):.1%}" for each in filters.values()]
    )
    lines.append(
        ["harmless, of the same kind"] + [flagged(each, benign[half:]) for each in filters.values()]
    )
    lines += [
        [f"harmless, {other}", *(flagged(each, texts[:300]) for each in filters.values())]
        for other, texts in others.items()
    ]
    return Table(
        f"outputs/{name}",
        f"What of {len(rows)} rows of {name} is stopped, and what else",
        ("text", *filters),
        lines,
        (local(name.split()[0]),),
        (SEED,),
        f"The bits are set on {half} harmless texts so that at most {RATE:.0%} are flagged; of the "
        f"rows' own passages of 8, 12 and 16 words {share_rare(rarity, rows, threshold)} reach "
        f"them. Passages stand in a reply that arrives in pieces of 1 to 11 characters.",
    )


def rare_row(
    filters: dict[str, OutputFilter],
    index: NgramIndex,
    rarity: Rarity,
    rows: list[str],
    threshold: Threshold,
) -> list[str]:
    passages = rare(rarity, rows[:500], threshold.bits, 8)[:TRIALS]
    return [flagged(each, passages) for each in filters.values()]


def share_rare(rarity: Rarity, rows: list[str], threshold: Threshold) -> str:
    some = rows[:500]
    shares = [
        len(rare(rarity, some, threshold.bits, n)) / max(1, len(rare(rarity, some, 0.0, n)))
        for n in (8, 12, 16)
    ]
    return ", ".join(f"{share:.0%}" for share in shares)


def of_time(rows: list[str], texts: dict[str, list[str]]) -> Table:
    hashes = KeyedHashes(KeyHandle("benchmark", 1, Secret(bytes(32))), "shingles")
    copies = (Rows("rows", build([rows], hashes)),)
    detectors = default_rules().detectors
    kinds = {
        "copies": Finders(rows=copies),
        "personal data and secrets": Finders(detectors=detectors),
        "all": Finders(rows=copies, detectors=detectors),
    }
    rules = OutputRules.from_toml(REPLACE)
    lines = []
    for what, finders in kinds.items():
        for name, some in texts.items():
            guarded, text = OutputFilter(finders, rules), " ".join(some)[:2000]
            times = (milliseconds(guarded, text, each) for each in (at_once, streamed))
            lines.append([f"{what}: 2,000 characters of {name}", *(f"{t:.1f}" for t in times)])
    return Table(
        "outputs/time",
        "How long a reply takes",
        ("reply", "at once, CPU ms", "in pieces of 1 to 11 characters, CPU ms"),
        lines,
        (local("banking77"), local("mts_dialog")),
        (SEED,),
        held(copies, rules, " ".join(next(iter(texts.values())))[:20000]),
    )


def held(copies: tuple[Rows, ...], rules: OutputRules, text: str) -> str:
    """How much is held back while ordinary text arrives."""
    told = []
    for segments in (2, 4, 8):
        stream = OutputFilter(Finders(rows=copies), rules, Pace(segments=segments)).reply()
        sizes = []
        for start in range(0, len(text), 4):
            stream.feed(text[start : start + 4])
            sizes.append(stream.n_held)
        told.append(f"{segments} segments: {np.mean(sizes):.0f} on average, {max(sizes)} at most")
    return f"Characters held back with windows of {'; '.join(told)}."


def halves(folder: Path, part: str, *tests: str) -> tuple[list[str], list[str]]:
    """The rows that are indexed, and the others."""
    others = [text for test in tests for text in column(folder / test, part)]
    return column(folder / "train.csv", part), others


def tables(data: Path) -> Iterator[Table]:
    split = {"banking77": halves(data / "banking77", "text", "test.csv")}
    for part in ("dialogue", "section_text"):  # codespell:ignore dialogue
        tests = ("test1.csv", "test2.csv", "valid.csv")
        split[f"mts_dialog {part}"] = halves(data / "mts_dialog", part, *tests)
    yield of_time(split["banking77"][0], {name: texts[1] for name, texts in split.items()})
    for name, (rows, test) in split.items():
        others = {other: texts[1] for other, texts in split.items() if other != name}
        yield of_copies(name, rows, apart(rows, test), others)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    hand_over(tables(asked.data), asked.tables)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
