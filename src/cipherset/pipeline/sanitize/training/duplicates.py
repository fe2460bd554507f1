"""Rows that repeat an earlier one: what is repeated is what a model learns by heart.

Source: K. Lee et al., "Deduplicating Training Data Makes Language Models Better", ACL 2022.
"""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import UsageError
from cipherset.core.values import Records
from cipherset.pipeline.sanitize.training.bands import (
    IN_MEMORY,
    BandIndex,
    Sketchbook,
    SpilledBands,
    keys_of,
)
from cipherset.pipeline.sanitize.training.minhash import (
    Sketcher,
    Sketches,
    overlap,
    plain,
)
from cipherset.pipeline.sanitize.training.rows import Reason, Verdicts

OVERLAP: Final = 0.8
_PAIRS: Final = 1 << 15  # compared at a time

Codes = npt.NDArray[np.uint64]


class Duplicates:
    """Refuses rows whose text, or nearly that text, an earlier kept row has.

    The same: equal once case, width, punctuation and blanks are evened out. Nearly: an estimated
    overlap (``minhash``) of at least ``least_overlap`` with a row that was kept. Memory: of the
    latest 65,536 rows 500 bytes, of the others about 40; their sketches go into files without a
    name, 370 bytes of a row, sealed under a key that is kept in memory alone. The texts are not
    kept.
    """

    reasons = frozenset({Reason.DUPLICATE, Reason.NEAR_DUPLICATE})

    def __init__(
        self,
        *,
        least_overlap: float = OVERLAP,
        folder: Path | None = None,
        in_memory: int = IN_MEMORY,
    ) -> None:
        """Start with nothing seen; ``least_overlap`` of 1 looks for the same texts only.

        ``folder`` is where there is room for more than ``in_memory`` rows.

        Raises:
            UsageError: ``overlap``: not from 0.5 to 1; below, most pairs would not be compared.
        """
        check_overlap(least_overlap)
        self._least = least_overlap
        self._exact = ExactTexts()
        self._near = NearRows(folder, in_memory)
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
        self._parts: list[Codes] = []

    def add(self, texts: Sequence[str]) -> list[bool]:
        """Whether each was there before, alike once evened out; then all are."""
        codes = self._codes(texts)
        before = self._known(codes)
        fresh = np.flatnonzero(~before)
        new, firsts = np.unique(codes[fresh], return_index=True)
        before[np.delete(fresh, firsts)] = True
        self._add(new)
        told: list[bool] = before.tolist()
        return told

    def has(self, texts: Sequence[str]) -> list[bool]:
        """Whether each is there; nothing is added."""
        told: list[bool] = self._known(self._codes(texts)).tolist()
        return told

    def _known(self, codes: Codes) -> npt.NDArray[np.bool_]:
        known = np.zeros(len(codes), dtype=bool)
        for part in self._parts:
            places = np.minimum(np.searchsorted(part, codes), len(part) - 1)
            known |= part[places] == codes
        return known

    def _add(self, codes: Codes) -> None:
        """``codes`` are in order, and no part has one of them."""
        self._parts += [codes] if len(codes) else []
        while len(self._parts) > 1 and len(self._parts[-2]) <= 2 * len(self._parts[-1]):
            both = np.concatenate(self._parts[-2:])
            both.sort()
            self._parts[-2:] = [both]

    def _codes(self, texts: Sequence[str]) -> Codes:
        raw = b"".join(self._code(plain(text)) for text in texts)
        return np.frombuffer(raw, dtype=np.uint64)

    def _code(self, text: str) -> bytes:
        raw = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(raw, digest_size=8, key=self._key).digest()


class NearRows:
    """Sketches of the rows kept so far, to be found by their bands."""

    def __init__(self, folder: Path | None = None, in_memory: int = IN_MEMORY) -> None:
        """With none. Of many rows, what does not fit goes into a file in ``folder``."""
        self._sketches = Sketchbook(folder, in_memory)
        self._bands = SpilledBands(folder, in_memory)

    def add(self, sketches: Sketches, least: float) -> list[bool]:
        """Whether each is near an earlier one that was kept; those that are not are kept.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        before = self.find(sketches, least)
        near: list[bool] = before.tolist()
        fresh = np.flatnonzero(~before)
        within = _within(sketches.take(fresh), least)
        for place in fresh[within]:
            near[place] = True
        kept = sketches.take(fresh[~within])
        rows = np.arange(len(self._sketches), len(self._sketches) + len(kept))
        self._sketches.add(kept.bytes_)
        self._bands.add(kept.bands, rows)
        return near

    def find(self, sketches: Sketches, least: float) -> npt.NDArray[np.bool_]:
        """Whether each is near one that is kept; shape (n,)."""
        asked, kept = self._bands.find(sketches.bands)
        pairs = np.unique(asked << 32 | kept)  # a pair may share several bands
        near = np.zeros(len(sketches), dtype=bool)
        for start in range(0, len(pairs), _PAIRS):
            some = pairs[start : start + _PAIRS]
            asked, kept = some >> 32, some & 0xFFFFFFFF
            close = overlap(sketches.bytes_[asked], self._sketches.take(kept)) >= least
            near[asked[close]] = True
        return near


def _within(sketches: Sketches, least: float) -> npt.NDArray[np.bool_]:
    """Of one batch: whether each is near an earlier one that is not itself near one; (n,)."""
    index = BandIndex()
    keys = keys_of(sketches.bands)
    index.add(keys, np.arange(len(sketches)))
    later, earlier = index.find(keys)
    before = earlier < later
    later, earlier = later[before], earlier[before]
    close = overlap(sketches.bytes_[later], sketches.bytes_[earlier]) >= least
    pairs = sorted(set(zip(later[close].tolist(), earlier[close].tolist(), strict=True)))
    near = np.zeros(len(sketches), dtype=bool)
    for row, other in pairs:  # in order of ``row``: all before it are settled
        near[row] |= not near[other]
    return near
