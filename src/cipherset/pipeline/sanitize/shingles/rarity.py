"""How improbable a passage is for one who knows which words follow which in the rows.

Rows of one kind share turns of phrase, so that eight words in a row are no proof of a copy: what is
improbable is. Kept are keyed hashes of the words and of the pairs of neighboring words, each with
the number of rows that have it: 12 bytes.

    bits = -log2 p(first word) - sum of log2 p(word | the one before)
    p(word) = (rows with it + 1) / (rows + 1)
    p(word | before) = (rows with the pair + 0.5) / (rows with the word before + 1)

Source: Jurafsky and Martin, Speech and Language Processing, 3rd edition, section 3.1 (bigrams) and
3.6 (add-k smoothing; k = 1/2). Counts are of rows here: no row counts for more by repeating itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.protocols import KeyedHash, Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.pipeline.sanitize.shingles.index import NgramIndex
from cipherset.pipeline.sanitize.shingles.words import words_of

_SPOOL: Final = "rarity/1"
_FACTS: Final = b"cipherset.rarity"
_CHUNK_ROWS: Final = 1 << 16
_FEWEST_TEXTS: Final = 100

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Distinct ``keys`` ascending, and how many rows have each."""

    keys: Keys = field(repr=False)
    counts: Counts = field(repr=False)


class Rarity:
    """Tells of a text how many bits it takes to guess it, given the language of one data set."""

    def __init__(self, counted: _Counted, hashes: KeyedHash, n_rows: int) -> None:
        """Made by ``Counting.done`` or ``open_rarity``."""
        self._counted, self._hashes = counted, hashes
        self.n_rows = n_rows

    def bits(self, text: str) -> float:
        """The improbability of ``text`` in bits; 0 where it has no word."""
        words = words_of(text).words
        if not words:
            return 0.0
        n_words = len(words)
        rows = self._rows(_grams(words)).astype(np.float64)
        single, pairs = rows[:n_words], rows[n_words:]
        first = np.log2((single[0] + 1) / (self.n_rows + 1))
        others = np.log2((pairs + 0.5) / (single[:-1] + 1))
        return float(-first - others.sum())

    def save(self, path: Path, sealer: Sealer, *, dataset: str) -> None:
        """Write it to ``path``, sealed; ``dataset`` says which one it is of.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        facts = {"dataset": dataset, "n_rows": self.n_rows}
        schema = pa.schema(
            [("key", pa.uint64()), ("count", pa.uint32())],
            metadata={_FACTS: canonical.encode(facts)},
        )
        kept = self._counted
        with SpoolWriter(path, sealer, _SPOOL) as writer:
            for start in range(0, max(1, len(kept.keys)), _CHUNK_ROWS):
                part = slice(start, start + _CHUNK_ROWS)
                arrays = [pa.array(kept.keys[part]), pa.array(kept.counts[part])]
                writer.append(pa.table(arrays, schema=schema))

    def _rows(self, grams: Iterable[bytes]) -> Counts:
        """How many rows have each of ``grams``."""
        kept, keys = self._counted, self._hashes.of(grams)
        if len(kept.keys) == 0:
            return np.zeros(len(keys), dtype=np.uint32)
        places = np.searchsorted(kept.keys, keys)
        places[places == len(kept.keys)] = 0
        return np.where(kept.keys[places] == keys, kept.counts[places], 0).astype(np.uint32)

    def __repr__(self) -> str:
        return f"Rarity({len(self._counted.keys)} words and pairs of {self.n_rows} rows)"


class Counting:
    """Counts the rows that pass on their way to somebody else."""

    def __init__(self, hashes: KeyedHash) -> None:
        """Under the key of ``hashes``."""
        self._hashes = hashes
        self._parts: list[_Counted] = []
        self._n_rows = 0

    def watching(self, batches: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
        """``batches`` as they are, each counted."""
        for texts in batches:
            self.add(texts)
            yield texts

    def add(self, texts: Sequence[str]) -> None:
        """Count these rows."""
        of_rows = [
            np.unique(self._hashes.of(_grams(words_of(text).words))) for text in texts if text
        ]
        if of_rows:
            keys, counts = np.unique(np.concatenate(of_rows), return_counts=True)
            self._parts.append(_Counted(keys, counts.astype(np.uint32)))
        self._n_rows += len(texts)
        while len(self._parts) > 1 and len(self._parts[-2].keys) <= 2 * len(self._parts[-1].keys):
            self._parts[-2:] = [_merged(self._parts[-2:])]

    def done(self) -> Rarity:
        """What was counted."""
        return Rarity(_merged(self._parts), self._hashes, self._n_rows)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From how many bits on a copy counts, and the share of harmless texts that reach it."""

    bits: float
    flagged: float

    @classmethod
    def for_rate(
        cls, index: NgramIndex, rarity: Rarity, texts: Sequence[str], rate: float = 0.02
    ) -> Self:
        """The least bits at which at most ``rate`` of ``texts``, which are no copies, are flagged.

        Raises:
            InputError: ``too_few_texts``: fewer than 100 tell nothing of such a rate.
        """
        if len(texts) < _FEWEST_TEXTS:
            raise InputError(
                f"{len(texts)} texts are too few to set a rate of {rate:g} by",
                code="too_few_texts",
                hint=f"give {_FEWEST_TEXTS} or more that are no rows of it, such as test rows",
            )
        most = np.array([_most_bits(index, rarity, text) for text in texts])
        allowed = int(rate * len(texts))
        bits = float(np.nextafter(np.sort(most)[::-1][allowed], np.inf)) if most.any() else 0.0
        return cls(bits, float((most >= bits).mean()) if bits else 0.0)


def _most_bits(index: NgramIndex, rarity: Rarity, text: str) -> float:
    copies = index.matches(text)
    return max((rarity.bits(text[copy.start : copy.end]) for copy in copies), default=0.0)


def open_rarity(path: Path, hashes: KeyedHash, sealer: Sealer) -> Rarity:
    """What ``save`` wrote, for the same key.

    Raises:
        IntegrityError: ``sealed_missing``; ``spool_corrupt``: changed, or another key;
            ``rarity_format``: of another version.
    """
    spool = Spool(path, sealer, _SPOOL)
    facts = canonical.decode((spool.schema.metadata or {}).get(_FACTS, b"{}"), what="the rarity")
    if not isinstance(facts.get("n_rows"), int):
        raise IntegrityError(
            f"{path} does not say how rare words are, in the form of this version",
            code="rarity_format",
            hint="index the rows again",
        )
    table = pa.concat_tables([spool.schema.empty_table(), *spool.chunks()])
    columns = (table.column(name).to_numpy() for name in ("key", "count"))
    return Rarity(_Counted(*columns), hashes, facts["n_rows"])


def _grams(words: Sequence[bytes]) -> Iterator[bytes]:
    """The words, then the pairs, each as the bytes that are hashed."""
    for word in words:
        yield b"1 " + word
    for before, word in pairwise(words):
        yield b"2 " + before + b" " + word


def _merged(parts: Sequence[_Counted]) -> _Counted:
    empty = _Counted(np.zeros(0, np.uint64), np.zeros(0, np.uint32))
    parts = [empty, *parts]
    keys, places = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
    sums = np.bincount(places, np.concatenate([part.counts for part in parts]), minlength=len(keys))
    return _Counted(keys, sums.astype(np.uint32))
