"""Rows that repeat an earlier one: what is repeated is what a model learns by heart.

Source: K. Lee et al., "Deduplicating Training Data Makes Language Models Better", ACL 2022.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import UsageError
from cipherset.core.values import Records
from cipherset.pipeline.sanitize.training.minhash import (
    BANDS,
    N_ORDERS,
    Sketcher,
    Sketches,
    overlap,
    plain,
)
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

OVERLAP: Final = 0.8
_MOST_PER_BAND: Final = 16  # rows compared for one band: templated rows all share some
_ROWS_AT_FIRST: Final = 1024


class Duplicates:
    """Refuses rows whose text, or nearly that text, an earlier kept row has.

    The same: equal once case, width, punctuation and blanks are evened out. Nearly: an estimated
    overlap (``minhash``) of at least ``least_overlap`` with a row that was kept. Memory: up to
    a kilobyte per kept row, as sorted parts are merged; the texts are not kept.
    """

    reasons = frozenset({Reason.DUPLICATE, Reason.NEAR_DUPLICATE})

    def __init__(self, *, least_overlap: float = OVERLAP) -> None:
        """Start with nothing seen; ``least_overlap`` of 1 looks for the same texts only.

        Raises:
            UsageError: ``overlap``: not from 0.5 to 1; below, most pairs would not be compared.
        """
        check_overlap(least_overlap)
        self._least = least_overlap
        self._exact = ExactTexts()
        self._near = NearRows()
        self._sketcher = Sketcher()

    def judge(self, records: Records) -> Verdicts:
        """``duplicate`` and ``near_duplicate``; the first of several copies is kept."""
        return self.judge_texts(records.texts)

    def judge_texts(self, texts: Sequence[str]) -> Verdicts:
        """The same of texts without columns."""
        verdicts: Verdicts = [Reason.DUPLICATE if seen else None for seen in self._exact.add(texts)]
        if self._least == 1:
            return verdicts
        fresh = [place for place, verdict in enumerate(verdicts) if verdict is None]
        sketches = self._sketcher.sketch([texts[place] for place in fresh])
        for place, is_near in zip(fresh, self._near.add(sketches, self._least), strict=True):
            if is_near:
                verdicts[place] = Reason.NEAR_DUPLICATE
        return verdicts


def check_overlap(least: float) -> None:
    """Nothing, if bands of sketches find the pairs that overlap so much.

    Raises:
        UsageError: ``overlap``: not from 0.5 to 1.
    """
    if not 0.5 <= least <= 1:
        raise UsageError(
            f"the least overlap of near duplicates is from 0.5 to 1, not {least:g}",
            code="overlap",
            hint="0.8 takes rows that differ in a word or two; 1 the same text only",
        )


class ExactTexts:
    """Remembers texts by 8 bytes each, under a key of its own."""

    def __init__(self) -> None:
        """With nothing seen. The key keeps rows from being made to collide."""
        self._key = secrets.token_bytes(16)
        self._seen: set[int] = set()

    def add(self, texts: Sequence[str]) -> list[bool]:
        """Whether each was there before, alike once evened out; then all are."""
        before = []
        for text in texts:
            code = self._code(text)
            before.append(code in self._seen)
            self._seen.add(code)
        return before

    def has(self, texts: Sequence[str]) -> list[bool]:
        """Whether each is there; nothing is added."""
        return [self._code(text) in self._seen for text in texts]

    def _code(self, text: str) -> int:
        raw = plain(text).encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(raw, digest_size=8, key=self._key).digest(), "little")


class NearRows:
    """Sketches of the rows kept so far, to be found by their bands."""

    def __init__(self) -> None:
        self._bytes = np.empty((_ROWS_AT_FIRST, N_ORDERS), dtype=np.uint8)
        self._n_rows = 0
        self._bands = BandIndex()

    def add(self, sketches: Sketches, least: float) -> list[bool]:
        """Whether each is near an earlier one that was kept; those that are not are kept."""
        before = self.find(sketches, least)
        near: list[bool] = before.tolist()
        fresh = np.flatnonzero(~before)
        within = _within(sketches.take(fresh), least)
        for place in fresh[within]:
            near[place] = True
        self._keep(sketches.take(fresh[~within]))
        return near

    def find(self, sketches: Sketches, least: float) -> npt.NDArray[np.bool_]:
        """Whether each is near one that is kept; shape (n,)."""
        asked, kept = self._bands.find(sketches.bands)
        near = np.zeros(len(sketches), dtype=bool)
        close = overlap(sketches.bytes_[asked], self._bytes[kept]) >= least
        near[asked[close]] = True
        return near

    def _keep(self, sketches: Sketches) -> None:
        rows = np.arange(self._n_rows, self._n_rows + len(sketches))
        while self._n_rows + len(sketches) > len(self._bytes):
            self._bytes = np.concatenate([self._bytes, np.empty_like(self._bytes)])
        self._bytes[rows] = sketches.bytes_
        self._n_rows += len(sketches)
        self._bands.add(sketches.bands, rows)


def _within(sketches: Sketches, least: float) -> npt.NDArray[np.bool_]:
    """Of one batch: whether each is near an earlier one that is not itself near one; (n,)."""
    index = BandIndex()
    index.add(sketches.bands, np.arange(len(sketches)))
    later, earlier = index.find(sketches.bands)
    before = earlier < later
    later, earlier = later[before], earlier[before]
    close = overlap(sketches.bytes_[later], sketches.bytes_[earlier]) >= least
    pairs = sorted(set(zip(later[close].tolist(), earlier[close].tolist(), strict=True)))
    near = np.zeros(len(sketches), dtype=bool)
    for row, other in pairs:  # in order of ``row``: all before it are settled
        near[row] |= not near[other]
    return near


class BandIndex:
    """Rows by the bands of their sketches, in sorted arrays that are merged as they grow."""

    def __init__(self) -> None:
        self._parts: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]] = []

    def add(self, bands: npt.NDArray[np.uint32], rows: npt.NDArray[np.int64]) -> None:
        """Row ``rows[i]`` has ``bands[i]``; 12 bytes for each band."""
        if len(rows) == 0:
            return
        keys = _keys(bands).reshape(-1)
        values = np.repeat(rows.astype(np.uint32), BANDS)
        order = np.argsort(keys, kind="stable")
        self._parts.append((keys[order], values[order]))
        while len(self._parts) > 1 and len(self._parts[-2][0]) <= 2 * len(self._parts[-1][0]):
            keys, values = (np.concatenate(both) for both in zip(*self._parts[-2:], strict=True))
            order = np.argsort(keys, kind="stable")
            self._parts[-2:] = [(keys[order], values[order])]

    def find(
        self, bands: npt.NDArray[np.uint32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Pairs (position in ``bands``, row) that share a band, once for each that they share.

        Of more than sixteen rows with one band, in one part, the first sixteen.
        """
        keys = _keys(bands).reshape(-1)
        asked: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        rows: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        for known, values in self._parts:
            low = np.searchsorted(known, keys, side="left")
            counts = np.searchsorted(known, keys, side="right") - low
            counts = np.minimum(counts, _MOST_PER_BAND)
            which = np.repeat(np.arange(len(keys)), counts)
            offsets = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
            asked.append(which // BANDS)
            rows.append(values[low[which] + offsets].astype(np.int64))
        return np.concatenate(asked), np.concatenate(rows)


def _keys(bands: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """Each band with its number before it, so that other bands' values are others."""
    numbers = np.arange(BANDS, dtype=np.uint64) << np.uint64(32)
    return np.asarray(bands.astype(np.uint64) | numbers, dtype=np.uint64)
