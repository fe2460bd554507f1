"""An index of the n-grams of words in the rows of a dataset, to find what was copied from them.

Each n-gram is kept as a keyed 64-bit hash with the first row that has it and how many rows do: 14
bytes. Two shapes of n-gram are kept for every word of a row: six words in a row, by which every
copy of eight words and more is found (signs between blanks count, as long as six of the eight have
a letter or digit), and nine words of which the middle one is left open, by which a longer copy is
found in which single words were altered, if four in a row on either side were not. What was
reworded more than that is not found.

Order rules: ``build``, ``save`` inside ``core.files.stage_directory``, ``open_index``.
Sources: A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997 (shingles);
B. Ma, J. Tromp and M. Li, "PatternHunter", Bioinformatics 18 (2002) (a shape with a gap).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.protocols import KeyedHash, Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.pipeline.sanitize.shingles.words import Words, n_pieces, words_of

# 1: the word counts; 0: any word. The first shape is without a gap.
SHAPES: Final = ("111111", "111101111")
FULL: Final = len(SHAPES[0])
LEAST_WORDS: Final = 8
MOST_NGRAMS: Final = 100_000_000  # 1.4 GB

_SPOOL: Final = "shingles/1"
_FACTS: Final = b"cipherset.shingles"
_CHECK: Final = b"cipherset/shingles/1/check"
_MOST_COUNT: Final = 2**16 - 1
_CHUNK_ROWS: Final = 1 << 16
_LEAST_ALTERED: Final = 13
_LINK_WORDS: Final = 4  # windows that share so many words are one copy

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Match:
    """``text[start:end]`` is a copy of ``n_words`` words, altered ones within included.

    ``exact_words``: the longest run of words in it that is copied as it is. ``rows``: how many
    rows it takes from, at least. ``shared_by``: its rarest n-gram is in so many rows (up to
    65,535): 1 for what is one row's own, more for turns of phrase.
    """

    start: int
    end: int
    n_words: int
    exact_words: int
    rows: int
    shared_by: int


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Distinct ``keys`` ascending, the first row and the number of rows of each."""

    keys: Keys = field(repr=False)
    rows: npt.NDArray[np.uint32] = field(repr=False)
    counts: npt.NDArray[np.uint16] = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)


class NgramIndex:
    """Finds in any text what was copied from the rows of one dataset."""

    def __init__(self, ngrams: Ngrams, hashes: KeyedHash, n_rows: int) -> None:
        """Over ``ngrams`` of ``n_rows`` rows, made by the same ``hashes``."""
        self._ngrams = ngrams
        self._hashes = hashes
        self._sizes: npt.NDArray[np.int64] | None = None
        self.n_rows = n_rows

    @property
    def n_ngrams(self) -> int:
        """How many distinct n-grams are in the index."""
        return len(self._ngrams)

    @property
    def size_bytes(self) -> int:
        """What the index takes in memory."""
        kept = self._ngrams
        return kept.keys.nbytes + kept.rows.nbytes + kept.counts.nbytes

    def longest_copy(self, text: str) -> int:
        """The length in words of the longest run in ``text`` that is copied as it is.

        0 where no six words in a row are. A run in which neighboring six-word windows come from
        different rows counts as one: the index does not know the order of a row's n-grams.
        """
        hits = self._hits(words_of(text))
        return max((run.n_words for run in _runs(hits)), default=0)

    def matches(self, text: str, *, least_words: int = LEAST_WORDS) -> list[Match]:
        """The copies in ``text`` of at least ``least_words`` words, in order.

        As they are, where a piece of signs between blanks counts as a word too; or thirteen words
        and more with single ones altered.
        """
        words = words_of(text)
        groups = _groups(self._hits(words))
        return [
            self._match(words, group)
            for group in groups
            if _is_copy(text, words, group, least_words)
        ]

    def rows_of(self, text: str, *, least_words: int = LEAST_WORDS) -> set[int]:
        """Rows (0-based, as they were added) that copies in ``text`` are taken from, at least.

        Those that have an n-gram of the copy for themselves; where none has, the first row with
        its rarest one, for of several rows with one n-gram only the first is known.
        """
        found: set[int] = set()
        words = words_of(text)
        for group in _groups(self._hits(words)):
            if _is_copy(text, words, group, least_words):
                found |= self._sources(group)
        return found

    def shares_of(self, text: str, *, least_words: int = LEAST_WORDS) -> dict[int, float]:
        """The rows of ``rows_of``, and of each what share of its n-grams the copies have, 0 to 1.

        Of those n-grams that no row before it has: of a row sent whole, all of them.
        """
        words, kept = words_of(text), self._ngrams
        hit: dict[int, set[int]] = {}
        for group in _groups(self._hits(words)):
            if _is_copy(text, words, group, least_words):
                for row in self._sources(group):
                    mine = {each.place for each in group if kept.rows[each.place] == row}
                    hit.setdefault(row, set()).update(mine)
        if self._sizes is None:
            self._sizes = np.bincount(kept.rows, minlength=self.n_rows)
        return {row: len(places) / int(self._sizes[row]) for row, places in hit.items()}

    def save(self, path: Path, sealer: Sealer, *, dataset: str) -> None:
        """Write the index to ``path``, sealed; ``dataset`` says which one it is of.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        facts = {
            "check": _check_of(self._hashes),
            "dataset": dataset,
            "n_rows": self.n_rows,
            "shapes": list(SHAPES),
        }
        schema = pa.schema(
            [("key", pa.uint64()), ("row", pa.uint32()), ("count", pa.uint16())],
            metadata={_FACTS: canonical.encode(facts)},
        )
        with SpoolWriter(path, sealer, _SPOOL) as writer:
            for start in range(0, max(1, len(self._ngrams)), _CHUNK_ROWS):
                part = slice(start, start + _CHUNK_ROWS)
                columns = (self._ngrams.keys, self._ngrams.rows, self._ngrams.counts)
                arrays = [pa.array(column[part]) for column in columns]
                writer.append(pa.table(arrays, schema=schema))

    def _hits(self, words: Words) -> list["_Hit"]:
        """The windows of ``words`` that are in the index, by where they begin."""
        found: list[_Hit] = []
        known = self._ngrams.keys
        for shape in SHAPES:
            keys = self._hashes.of(windows(words.words, shape))
            places = np.searchsorted(known, keys)
            places[places == len(known)] = 0
            good = np.flatnonzero(known[places] == keys) if len(known) else ()
            found += [
                _Hit(int(i), int(i) + len(shape), shape == SHAPES[0], int(places[i])) for i in good
            ]
        return sorted(found)

    def _sources(self, group: list["_Hit"]) -> set[int]:
        places = np.array([hit.place for hit in group])
        counts = self._ngrams.counts[places]
        own = places[counts == 1]
        return set(self._ngrams.rows[own if len(own) else places[[counts.argmin()]]].tolist())

    def _match(self, words: Words, group: list["_Hit"]) -> Match:
        first, last = group[0].start, max(hit.end for hit in group)
        places = [hit.place for hit in group]
        return Match(
            start=int(words.starts[first]),
            end=int(words.ends[last - 1]),
            n_words=last - first,
            exact_words=max((run.n_words for run in _runs(group)), default=0),
            rows=len(self._sources(group)),
            shared_by=int(self._ngrams.counts[places].min()),
        )

    def __repr__(self) -> str:
        return f"NgramIndex({self.n_ngrams} n-grams of {self.n_rows} rows)"


def build(
    batches: Iterable[Sequence[str]], hashes: KeyedHash, *, most_ngrams: int = MOST_NGRAMS
) -> NgramIndex:
    """The index of the texts in ``batches``, numbered in order from 0.

    Memory: 14 bytes per distinct n-gram, several times that while parts are merged.

    Raises:
        InputError: ``index_full``: more than ``most_ngrams``.
    """
    parts: list[Ngrams] = []
    n_rows = 0
    for texts in batches:
        parts.append(_of_batch(texts, n_rows, hashes))
        n_rows += len(texts)
        while len(parts) > 1 and len(parts[-2]) <= 2 * len(parts[-1]):
            parts[-2:] = [_merged(parts[-2:])]
        if sum(map(len, parts)) > most_ngrams:
            raise InputError(
                f"more than {most_ngrams} n-grams in the first {n_rows} rows",
                code="index_full",
                hint="index the rows in several parts",
            )
    return NgramIndex(_merged(parts), hashes, n_rows)


def open_index(path: Path, hashes: KeyedHash, sealer: Sealer) -> NgramIndex:
    """The index that ``save`` wrote, for the same key.

    Raises:
        IntegrityError: ``sealed_missing``; ``spool_corrupt``: changed, or another key;
            ``index_format``: of another version, or its n-grams were hashed under another key.
    """
    spool = Spool(path, sealer, _SPOOL)
    facts = canonical.decode((spool.schema.metadata or {}).get(_FACTS, b"{}"), what="the index")
    expected = {"shapes": list(SHAPES), "check": _check_of(hashes)}
    if any(facts.get(name) != value for name, value in expected.items()):
        raise IntegrityError(
            f"{path} is no index of this version under this key",
            code="index_format",
            hint="build it again from the rows, or give the key that it was built with",
        )
    table = pa.concat_tables([spool.schema.empty_table(), *spool.chunks()])
    columns = (table.column(name).to_numpy() for name in ("key", "row", "count"))
    return NgramIndex(Ngrams(*columns), hashes, facts["n_rows"])


def windows(words: Sequence[bytes], shape: str) -> Iterator[bytes]:
    """Each window of ``words`` under ``shape``, as the bytes that are hashed."""
    head = shape.encode()
    if "0" not in shape:
        for start in range(len(words) - len(shape) + 1):
            yield head + b" " + b" ".join(words[start : start + len(shape)])
        return
    gap = shape.index("0")
    for start in range(len(words) - len(shape) + 1):
        left, right = words[start : start + gap], words[start + gap + 1 : start + len(shape)]
        yield head + b" " + b" ".join([*left, *right])


def _check_of(hashes: KeyedHash) -> str:
    """The hash of a text that is no n-gram: equal under one key."""
    return format(int(hashes.of([_CHECK])[0]), "016x")


def _of_batch(texts: Sequence[str], first_row: int, hashes: KeyedHash) -> Ngrams:
    keys: list[Keys] = [np.zeros(0, dtype=np.uint64)]
    rows: list[npt.NDArray[np.uint32]] = [np.zeros(0, dtype=np.uint32)]
    for row, text in enumerate(texts, first_row):
        words = words_of(text).words
        for shape in SHAPES:
            of_row = np.unique(hashes.of(windows(words, shape)))
            keys.append(of_row)
            rows.append(np.full(len(of_row), row, dtype=np.uint32))
    counts = np.ones(sum(map(len, keys)), dtype=np.uint16)
    return _merged([Ngrams(np.concatenate(keys), np.concatenate(rows), counts)])


def _merged(parts: Sequence[Ngrams]) -> Ngrams:
    """One for all: of equal keys the first row, and the sum of the counts."""
    empty = Ngrams(np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.uint16))
    parts = [empty, *parts]
    keys = np.concatenate([part.keys for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    order = np.argsort(keys, kind="stable")  # parts are in order of rows, and so stay equal keys
    keys, rows, counts = keys[order], rows[order], counts[order]
    if len(keys) == 0:
        return Ngrams(keys, rows, counts)
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    sums = np.minimum(np.add.reduceat(counts.astype(np.int64), begins), _MOST_COUNT)
    return Ngrams(keys[begins], rows[begins], sums.astype(np.uint16))


@dataclass(frozen=True, slots=True, order=True)
class _Hit:
    """A window, words ``start`` to ``end``, that is at ``place`` in the index."""

    start: int
    end: int
    is_full: bool
    place: int


@dataclass(frozen=True, slots=True)
class _Run:
    start: int
    n_words: int


def _runs(hits: Sequence[_Hit]) -> Iterator[_Run]:
    """The longest stretches of words in which every window without a gap is a hit."""
    starts = [hit.start for hit in hits if hit.is_full]
    begin = 0
    for place in range(1, len(starts) + 1):
        if place == len(starts) or starts[place] != starts[place - 1] + 1:
            yield _Run(starts[begin], starts[place - 1] - starts[begin] + FULL)
            begin = place


def _is_copy(text: str, words: Words, group: Sequence[_Hit], least_words: int) -> bool:
    """Whether so many words are copied: as they are, or twelve and more of a longer passage.

    One window with a gap is not enough: phrases that differ in a word are common. Two that
    overlap are thirteen words, of which eleven or more are copied.
    """
    n_words = max(hit.end for hit in group) - group[0].start
    if n_words >= max(least_words, _LEAST_ALTERED) and not all(hit.is_full for hit in group):
        return True
    return any(
        run.n_words >= least_words
        or n_pieces(text, words, run.start, run.start + run.n_words) >= least_words
        for run in _runs(group)
    )


def _groups(hits: Sequence[_Hit]) -> Iterator[list[_Hit]]:
    """Hits that overlap by four words or more, together."""
    group: list[_Hit] = []
    end = -1
    for hit in hits:
        if group and hit.start > end - _LINK_WORDS:
            yield group
            group = []
        group.append(hit)
        end = hit.end if len(group) == 1 else max(end, hit.end)
    if group:
        yield group
