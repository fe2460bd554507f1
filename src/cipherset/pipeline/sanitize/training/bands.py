"""Rows by the bands of their sketches: the latest in memory, the others in files without a name.

A sketch tells the text to whoever can guess it. So what goes to disk goes there under a key that is
drawn anew and kept in memory alone: hashes of bands, and sketches under a key stream. The files
have no name and are gone with the process. In memory stay a byte for each band of a row, to know of
most bands that no row has them, and where in a file the others would be.

Sources: B. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970;
P. O'Neil et al., "The log-structured merge-tree", Acta Informatica 33 (1996), section 2.
"""

import mmap
import secrets
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

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
_PROBES: Final = 5  # of 8 bits a key: 2 in 100 that are not there are looked up
_BLOCK_BYTES: Final = 16
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
        flat = keys.reshape(-1)
        asked, rows = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for known, values in self._parts:
            low = np.searchsorted(known, flat, side="left")
            counts = np.searchsorted(known, flat, side="right") - low
            counts = np.minimum(counts, MOST_PER_BAND)
            which = np.repeat(np.arange(len(flat)), counts)
            offsets = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
            asked.append(which // keys.shape[1])
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
        there = rows[~recent]
        if len(there) and self._file is not None:
            kept = self._file.array(np.uint8, 0, self._n_there * _ROW_BYTES)
            covered = kept.reshape(-1, _ROW_BYTES)[there]
            taken[~recent] = (covered ^ self._pad.streams(there))[:, :N_ORDERS]
            self._file.forget_pages()
        return taken

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
    """Bytes in a file that never had a name."""

    def __init__(self, folder: Path | None) -> None:
        self._place = Path(folder or tempfile.gettempdir())
        with disk_errors(self._place):
            self._file = tempfile.TemporaryFile(dir=self._place)  # noqa: SIM115 -- as long as this
        weakref.finalize(self, self._file.close)
        self._mapped: mmap.mmap | None = None

    def write(self, values: npt.NDArray[np.generic], at: int) -> None:
        self._mapped = None  # it was of the file as it was
        with disk_errors(self._place):
            self._file.seek(at)
            self._file.write(np.ascontiguousarray(values).data)
            self._file.flush()

    def array(self, kind: type[np.generic], at: int, count: int) -> npt.NDArray[Any]:
        if self._mapped is None:
            self._mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(self._mapped, dtype=kind, count=count, offset=at)

    def forget_pages(self) -> None:
        """Give back what was read; it may be read again."""
        if self._mapped is not None:
            self._mapped.madvise(mmap.MADV_DONTNEED)


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
            buckets = (keys >> self._shift).astype(np.int64)
            counts += np.bincount(buckets + 1, minlength=len(counts))
            at += len(keys)
        self._starts = np.cumsum(counts)

    def __len__(self) -> int:
        return self._n_keys

    @property
    def _keys(self) -> Keys:
        return self._file.array(np.uint64, 0, self._n_keys)

    @property
    def _rows(self) -> npt.NDArray[np.uint32]:
        return self._file.array(np.uint32, 8 * self._n_keys, self._n_keys)

    def find(self, keys: Keys, most: Numbers) -> tuple[Numbers, Numbers]:
        """Pairs (position in ``keys``, row) with that key, ``most[i]`` of each at most."""
        asked = np.flatnonzero((most > 0) & self._may_have(keys))
        wanted, known = keys[asked], self._keys
        low, high = self._bounds(wanted)
        while (low < high).any():  # a bisection of all at once
            middle = (low + high) // 2
            before = np.zeros(len(wanted), dtype=bool)
            open_ = low < high
            before[open_] = known[middle[open_]] < wanted[open_]
            low, high = np.where(before, middle + 1, low), np.where(before | ~open_, high, middle)
        places = low[:, None] + np.arange(MOST_PER_BAND)
        there = places < len(known)
        there &= known[np.minimum(places, len(known) - 1)] == wanted[:, None]
        there &= np.arange(MOST_PER_BAND) < most[asked][:, None]
        found = self._rows[places[there]].astype(np.int64)
        self._file.forget_pages()
        return np.repeat(asked, there.sum(axis=1)), found

    def between(self, first: int, last: int) -> tuple[Keys, npt.NDArray[np.uint32]]:
        """The keys from slice ``first`` up to ``last`` of 64, with their rows."""
        step = (1 << 64) // _SLICES
        ends = np.array([first * step, min(last * step, (1 << 64) - 1)], dtype=np.uint64)
        low, high = np.searchsorted(self._keys, ends)
        high = len(self) if last == _SLICES else high
        part = (self._keys[low:high].copy(), self._rows[low:high].copy())
        self._file.forget_pages()
        return part

    def _bounds(self, keys: Keys) -> tuple[Numbers, Numbers]:
        buckets = (keys >> self._shift).astype(np.int64)
        return self._starts[buckets], self._starts[buckets + 1]

    def _probes(self, keys: Keys) -> Iterator[tuple[Numbers, Bytes]]:
        """Places in the filter and a bit in each; keys are random, so their bits are hashes."""
        half, n_bytes = np.uint64(32), np.uint64(len(self._filter))
        step = (keys >> half) | (keys << half) | np.uint64(1)
        for probe in range(_PROBES):
            value = keys + np.uint64(probe) * step
            bit = np.left_shift(1, (value & np.uint64(7)).astype(np.uint8), dtype=np.uint8)
            yield (((value >> half) * n_bytes) >> half).astype(np.int64), bit

    def _remember(self, keys: Keys) -> None:
        for places, bits in self._probes(keys):
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
    for part in range(_SLICES):
        slices = [file.between(part, part + 1) for file in files]
        yield _sorted(*map(list, zip(*slices, strict=True)))


def _sorted(
    keys: Sequence[Keys], rows: Sequence[npt.NDArray[np.uint32]]
) -> tuple[Keys, npt.NDArray[np.uint32]]:
    every, values = np.concatenate(keys), np.concatenate(rows)
    order = np.argsort(every, kind="stable")
    return every[order], values[order]
