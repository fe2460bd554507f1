"""Rows by the bands of their sketches: the latest in memory, the others in files without a name.

A sketch tells the text to whoever can guess it. So what goes to disk goes there under a key that is
drawn anew and kept in memory alone: hashes of bands, and sketches under a key stream. The files
have no name and are gone with the process. In memory stay a byte for each band of a row, to know of
most bands that no row has them, and where in a file the others would be.

Sources: B. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970;
P. O'Neil et al., "The log-structured merge-tree", Acta Informatica 33 (1996), section 2.
"""

import os
import secrets
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cipherset.core.files import disk_errors
from cipherset.pipeline.sanitize.training.minhash import BANDS, N_ORDERS

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

IN_MEMORY: Final = 1 << 16  # rows; fewer never go to disk
MOST_PER_BAND: Final = 16  # rows compared for one band: templated rows all share some
_MERGED: Final = 8  # files of one size that become one
_PER_BUCKET: Final = 128
_SLICES: Final = 64  # of a merge, so that it takes little memory
_REMEMBERED: Final = 1 << 17  # keys at a time
_PROBES: Final = 5  # of 8 bits a key: 2 in 100 that are not there are looked up
_BLOCK_BYTES: Final = 16
_AT_ONCE: Final = 4096  # rows read
_ROW_BYTES: Final = 128  # a sketch, and blanks up to whole blocks


class BandIndex:
    """Rows by keys, in sorted arrays that are merged as they grow."""

    def __init__(self) -> None:
        self._parts: list[tuple[Keys, npt.NDArray[np.uint32]]] = []

    def add(self, keys: Keys, rows: Numbers) -> None:
        """Row ``rows[i]`` has the keys ``keys[i]``, shape (n, 20); 12 bytes for each."""
        if len(rows) == 0:
            return
        values = np.repeat(rows.astype(np.uint32), keys.shape[1])
        self._parts.append(_sorted([keys.reshape(-1)], [values]))
        while len(self._parts) > 1 and len(self._parts[-2][0]) <= 2 * len(self._parts[-1][0]):
            self._parts[-2:] = [_sorted(*map(list, zip(*self._parts[-2:], strict=True)))]

    def find(self, keys: Keys) -> tuple[Numbers, Numbers]:
        """Pairs (position in ``keys``, row) that share a key, once for each that they share.

        Of more than sixteen rows with one key, in one part, the first sixteen.
        """
        order = np.argsort(keys, axis=None)  # in order they are found sooner
        flat = keys.reshape(-1)[order]
        asked, rows = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for known, values in self._parts:
            low = np.searchsorted(known, flat, side="left")
            counts = np.searchsorted(known, flat, side="right") - low
            counts = np.minimum(counts, MOST_PER_BAND)
            which = np.repeat(np.arange(len(flat)), counts)
            offsets = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
            asked.append(order[which] // keys.shape[1])
            rows.append(values[low[which] + offsets].astype(np.int64))
        return np.concatenate(asked), np.concatenate(rows)

    def everything(self) -> tuple[Keys, npt.NDArray[np.uint32]]:
        """All keys in order, and their rows."""
        return _sorted(*map(list, zip(*self._parts, strict=True)))


class SpilledBands:
    """The same for any number of rows, in bounded memory but for a byte or so for each key."""

    def __init__(self, folder: Path | None, in_memory: int = IN_MEMORY) -> None:
        """Files go into ``folder``, where there is room, or where temporary files go."""
        self._folder = folder
        self._in_memory = in_memory
        self._pad = Pad()
        self._recent, self._n_recent = BandIndex(), 0
        self._files: list[_SortedFile] = []

    def add(self, bands: npt.NDArray[np.uint32], rows: Numbers) -> None:
        """Row ``rows[i]`` has the ``bands[i]``, shape (n, 20).

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        self._recent.add(self._pad.hashes(keys_of(bands)), rows)
        self._n_recent += len(rows)
        if self._n_recent < self._in_memory:
            return
        keys, values = self._recent.everything()
        self._recent, self._n_recent = BandIndex(), 0
        self._files.append(_SortedFile(self._folder, 0, len(keys), [(keys, values)]))
        while [file.tier for file in self._files[-_MERGED:]] == [self._files[-1].tier] * _MERGED:
            merged = self._files[-_MERGED:]
            n_keys, tier = sum(len(file) for file in merged), merged[0].tier + 1
            self._files[-_MERGED:] = [_SortedFile(self._folder, tier, n_keys, _merge(merged))]

    def find(self, bands: npt.NDArray[np.uint32]) -> tuple[Numbers, Numbers]:
        """Pairs (position in ``bands``, row) that share a band; sixteen for each, and of recent."""
        keys = self._pad.hashes(keys_of(bands))
        asked, rows = self._recent.find(keys)
        flat, per_row = keys.reshape(-1), keys.shape[1]
        found, those = [asked], [rows]
        left = np.full(len(flat), MOST_PER_BAND)
        for file in self._files:
            which, values = file.find(flat, left)
            left -= np.bincount(which, minlength=len(flat))
            found.append(which // per_row)
            those.append(values)
        return np.concatenate(found), np.concatenate(those)


class Sketchbook:
    """The sketches of rows by their number, 120 bytes each; of many, all but the latest on disk."""

    def __init__(self, folder: Path | None, in_memory: int = IN_MEMORY) -> None:
        """With none."""
        self._folder = folder
        self._recent = np.zeros((min(in_memory, 1024), N_ORDERS), dtype=np.uint8)
        self._in_memory = in_memory
        self._n_there, self._n_recent = 0, 0
        self._pad = Pad()
        self._file: _File | None = None

    def __len__(self) -> int:
        return self._n_there + self._n_recent

    def add(self, sketches: Bytes) -> None:
        """The next rows' sketches, shape (n, 120).

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        for start in range(0, len(sketches), self._in_memory):
            some = sketches[start : start + self._in_memory]
            if self._n_recent + len(some) > self._in_memory:
                self._spill()
            while self._n_recent + len(some) > len(self._recent):
                self._recent = np.concatenate([self._recent, np.zeros_like(self._recent)])
            self._recent[self._n_recent : self._n_recent + len(some)] = some
            self._n_recent += len(some)

    def take(self, rows: Numbers) -> Bytes:
        """The sketches of ``rows``, shape (len(rows), 120)."""
        taken = np.empty((len(rows), N_ORDERS), dtype=np.uint8)
        recent = rows >= self._n_there
        taken[recent] = self._recent[rows[recent] - self._n_there]
        there = np.flatnonzero(~recent)
        for start in range(0, len(there), _AT_ONCE):
            some = there[start : start + _AT_ONCE]
            taken[some] = self._uncovered(rows[some])
        return taken

    def _uncovered(self, rows: Numbers) -> Bytes:
        """Those of rows in the file."""
        if self._file is None:
            return np.zeros((0, N_ORDERS), dtype=np.uint8)
        raw = b"".join(self._file.read(_ROW_BYTES * row, _ROW_BYTES) for row in rows.tolist())
        covered = np.frombuffer(raw, dtype=np.uint8).reshape(-1, _ROW_BYTES)
        return (covered ^ self._pad.streams(rows))[:, :N_ORDERS]

    def _spill(self) -> None:
        self._file = self._file or _File(self._folder)
        rows = np.arange(self._n_there, len(self))
        covered = self._pad.streams(rows)
        covered[:, :N_ORDERS] ^= self._recent[: self._n_recent]
        self._file.write(covered, self._n_there * _ROW_BYTES)
        self._n_there, self._n_recent = len(self), 0


class Pad:
    """AES under a key that nobody has: what it gives says nothing of what it was given."""

    def __init__(self) -> None:
        """Under a new key."""
        # Blocks are encrypted one by one: no two that are given are the same, or they are meant
        # to look the same.
        self._encrypt = Cipher(AES(secrets.token_bytes(32)), ECB()).encryptor()  # noqa: S305

    def hashes(self, keys: Keys) -> Keys:
        """Equal where ``keys`` are, and random else; of the same shape."""
        blocks = np.zeros((keys.size, 2), dtype=np.uint64)
        blocks[:, 0] = keys.reshape(-1)
        return self._encrypted(blocks).view(np.uint64)[:, 0].copy().reshape(keys.shape)

    def streams(self, rows: Numbers) -> Bytes:
        """A key stream for each of ``rows``, shape (n, 128): AES in counter mode, the row first."""
        n_blocks = _ROW_BYTES // _BLOCK_BYTES
        blocks = np.empty((len(rows), n_blocks, 2), dtype=np.uint64)
        blocks[:, :, 0] = rows[:, None]
        blocks[:, :, 1] = np.arange(n_blocks)
        return self._encrypted(blocks).reshape(len(rows), _ROW_BYTES)

    def _encrypted(self, blocks: npt.NDArray[np.uint64]) -> Bytes:
        raw = self._encrypt.update(blocks.tobytes())
        return np.frombuffer(raw, dtype=np.uint8).reshape(-1, _BLOCK_BYTES).copy()


class _File:
    """Bytes in a file that never had a name. They are read, not mapped: a map is memory, too."""

    def __init__(self, folder: Path | None) -> None:
        self._place = Path(folder or tempfile.gettempdir())
        with disk_errors(self._place):
            self._file = tempfile.TemporaryFile(dir=self._place, buffering=0)  # noqa: SIM115 -- as long as this
        weakref.finalize(self, self._file.close)

    def write(self, values: npt.NDArray[np.generic], at: int) -> None:
        left = np.ascontiguousarray(values).data.cast("B")
        with disk_errors(self._place):
            while left:
                n_written = os.pwrite(self._file.fileno(), left, at)
                left, at = left[n_written:], at + n_written

    def read(self, at: int, n_bytes: int) -> bytes:
        with disk_errors(self._place):
            return os.pread(self._file.fileno(), n_bytes, at)


class _SortedFile:
    """Keys in order with their rows, found by a filter in memory and by the keys' first bits."""

    def __init__(
        self,
        folder: Path | None,
        tier: int,
        n_keys: int,
        parts: Iterator[tuple[Keys, npt.NDArray[np.uint32]]]
        | Sequence[tuple[Keys, npt.NDArray[np.uint32]]],
    ) -> None:
        """Of ``parts`` that follow on each other, ``n_keys`` in all."""
        self.tier = tier
        self._n_keys = n_keys
        self._file = _File(folder)
        self._filter = np.zeros(n_keys, dtype=np.uint8)
        bits = max((n_keys // _PER_BUCKET).bit_length(), 1)
        self._shift = np.uint64(64 - bits)
        counts = np.zeros((1 << bits) + 1, dtype=np.int64)
        at = 0
        for keys, rows in parts:
            self._file.write(keys, 8 * at)
            self._file.write(rows, 8 * n_keys + 4 * at)
            self._remember(keys)
            counts += np.bincount(self._buckets(keys) + 1, minlength=len(counts))
            at += len(keys)
        self._starts = np.cumsum(counts)

    def __len__(self) -> int:
        return self._n_keys

    def find(self, keys: Keys, most: Numbers) -> tuple[Numbers, Numbers]:
        """Pairs (position in ``keys``, row) with that key, ``most[i]`` of each at most."""
        asked = np.flatnonzero((most > 0) & self._may_have(keys))
        buckets, which = np.unique(self._buckets(keys[asked]), return_inverse=True)
        known = self._keys_in(buckets)
        # The buckets are in order, and so are all their keys together.
        low = np.searchsorted(known, keys[asked], side="left")
        counts = np.searchsorted(known, keys[asked], side="right") - low
        counts = np.minimum(counts, most[asked])
        sizes = self._starts[buckets + 1] - self._starts[buckets]
        shifts = self._starts[buckets] - (np.cumsum(sizes) - sizes)
        hits = np.flatnonzero(counts)
        places = (low + shifts[which.reshape(-1)])[hits]
        rows = [
            self._rows_at(place, count)
            for place, count in zip(places.tolist(), counts[hits].tolist(), strict=True)
        ]
        found = np.concatenate([np.zeros(0, dtype=np.uint32), *rows]).astype(np.int64)
        return np.repeat(asked[hits], counts[hits]), found

    def slices(self) -> Iterator[tuple[Keys, npt.NDArray[np.uint32]]]:
        """All keys in order with their rows, in 64 parts that are the same of every file."""
        first = 0
        for part in range(1, _SLICES + 1):
            last = self._place_of(part * ((1 << 64) // _SLICES)) if part < _SLICES else len(self)
            keys = np.frombuffer(self._file.read(8 * first, 8 * (last - first)), dtype=np.uint64)
            yield keys, self._rows_at(first, last - first)
            first = last

    def _place_of(self, key: int) -> int:
        """How many keys are below ``key``."""
        bucket = self._buckets(np.array([key], dtype=np.uint64))
        below = np.searchsorted(self._keys_in(bucket), np.uint64(key))
        return int(self._starts[bucket[0]] + below)

    def _keys_in(self, buckets: Numbers) -> Keys:
        bounds = zip(
            self._starts[buckets].tolist(), self._starts[buckets + 1].tolist(), strict=True
        )
        raw = b"".join(self._file.read(8 * start, 8 * (end - start)) for start, end in bounds)
        return np.frombuffer(raw, dtype=np.uint64)

    def _rows_at(self, place: int, count: int) -> npt.NDArray[np.uint32]:
        raw = self._file.read(8 * self._n_keys + 4 * place, 4 * count)
        return np.frombuffer(raw, dtype=np.uint32)

    def _buckets(self, keys: Keys) -> Numbers:
        buckets: Numbers = (keys >> self._shift).astype(np.int64)
        return buckets

    def _probes(self, keys: Keys) -> Iterator[tuple[Numbers, Bytes]]:
        """Places in the filter and a bit in each; keys are random, so their bits are hashes."""
        half, n_bytes = np.uint64(32), np.uint64(len(self._filter))
        step = (keys >> half) | (keys << half) | np.uint64(1)
        for probe in range(_PROBES):
            value = keys + np.uint64(probe) * step
            bit = np.left_shift(1, (value & np.uint64(7)).astype(np.uint8), dtype=np.uint8)
            yield (((value >> half) * n_bytes) >> half).astype(np.int64), bit

    def _remember(self, keys: Keys) -> None:
        for start in range(0, len(keys), _REMEMBERED):
            for places, bits in self._probes(keys[start : start + _REMEMBERED]):
                np.bitwise_or.at(self._filter, places, bits)

    def _may_have(self, keys: Keys) -> npt.NDArray[np.bool_]:
        may = np.ones(len(keys), dtype=bool)
        for places, bits in self._probes(keys):
            may &= (self._filter[places] & bits) != 0
        return may


def keys_of(bands: npt.NDArray[np.uint32]) -> Keys:
    """Each band with its number before it, so that other bands' values are others; (n, 20)."""
    numbers = np.arange(BANDS, dtype=np.uint64) << np.uint64(32)
    return np.asarray(bands.astype(np.uint64) | numbers, dtype=np.uint64)


def _merge(files: Sequence[_SortedFile]) -> Iterator[tuple[Keys, npt.NDArray[np.uint32]]]:
    """All keys of ``files`` in order, a slice at a time; those of the first file first."""
    for parts in zip(*(file.slices() for file in files), strict=True):
        yield _sorted(*map(list, zip(*parts, strict=True)))


def _sorted(
    keys: Sequence[Keys], rows: Sequence[npt.NDArray[np.uint32]]
) -> tuple[Keys, npt.NDArray[np.uint32]]:
    every, values = np.concatenate(keys), np.concatenate(rows)
    order = np.argsort(every, kind="stable")
    return every[order], values[order]
