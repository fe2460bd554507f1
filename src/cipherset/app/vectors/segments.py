"""Vectors by the keyed hash of their text, sealed on disk, a segment per run that embedded.

    <folder>/<number>-<random>/hashes     a column of 64-bit hashes
    <folder>/<number>-<random>/vectors    the vectors, in the same order

Both spools are sealed for the name of their segment, so no file of one opens in another: a hash
and a vector that belong to each other stay together. A segment that does not open was cut, changed
or put there by somebody else: it is removed, its vectors are made again, and what is returned is
right all the same. In memory are sixteen bytes per row.
"""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app.exports.dataset import VECTOR, fixed_size_list, matrix
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import (
    discard_directory,
    disk_errors,
    replace_directory,
    stage_directory,
)
from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.core.values import Float32s

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
HASHES: Final = "hashes"
VECTORS: Final = "vectors"
STAGED: Final = "segment"
NAME: Final = re.compile(r"[0-9]{8}-[0-9a-f]{16}")


def names(folder: Path) -> list[str]:
    """The segments of ``folder``, the oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if NAME.fullmatch(path.name))


def remove(segment: Path) -> None:
    """The segment is gone; another run may have been faster."""
    with suppress(BackendError):
        discard_directory(segment, staged_as=segment.with_name(STAGED))


class Segments:
    """Reads every segment of ``folder``."""

    def __init__(self, folder: Path, sealer: Sealer, dim: int) -> None:
        """Read all hashes; segments that do not open are removed.

        Raises:
            BackendError: ``no_permission`` or ``disk``.
        """
        self._folder = folder
        self._sealer = sealer
        self._dim = dim
        self._names: list[str] = []
        parts: list[Hashes] = []
        for name in names(folder):
            try:
                spool = self._spool(name, HASHES)
                found = [table.column(HASHES).to_numpy() for table in spool.chunks()]
            except IntegrityError:
                remove(folder / name)
                continue
            self._names.append(name)
            parts.append(np.concatenate([np.zeros(0, dtype=np.uint64), *found]))
        self._starts = np.cumsum([0, *(len(part) for part in parts)])
        every = np.concatenate([np.zeros(0, dtype=np.uint64), *parts])
        self._order = np.argsort(every, kind="stable")
        self._sorted = every[self._order]

    def find(self, hashes: Hashes) -> tuple[Flags, Float32s]:
        """Which of ``hashes`` are there, (n,), and their vectors, (n, dim); zero where not."""
        vectors = np.zeros((len(hashes), self._dim), dtype=np.float32)
        is_there = np.zeros(len(hashes), dtype=np.bool_)
        if not len(self._sorted):
            return is_there, vectors
        at = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        found = np.flatnonzero(self._sorted[at] == hashes)
        rows = self._order[at[found]]
        segments = np.searchsorted(self._starts, rows, side="right") - 1
        for segment in np.unique(segments):
            mine = segments == segment
            taken = self._take(self._names[segment], rows[mine] - self._starts[segment])
            if taken is not None:
                vectors[found[mine]] = taken
                is_there[found[mine]] = True
        return is_there, vectors

    def _take(self, name: str, rows: npt.NDArray[np.int64]) -> Float32s | None:
        """The vectors of some rows; None where the segment does not open (any more)."""
        try:
            spool = self._spool(name, VECTORS)
            return matrix(spool.take(rows).column(VECTOR))
        except IntegrityError:
            remove(self._folder / name)
            return None

    def _spool(self, segment: str, part: str) -> Spool:
        path = self._folder / segment / part
        return Spool(path, self._sealer, context(self._folder, segment, part))


def context(folder: Path, segment: str, part: str) -> str:
    """What a spool is sealed for: encoder, segment and part; the key is the sealer's."""
    return f"{folder.name}/{segment}/{part}"


class SegmentWriter:
    """One more segment in the making; at most ``most_bytes`` of vectors are taken."""

    def __init__(self, folder: Path, staged: Path, sealer: Sealer, most_bytes: int) -> None:
        last = names(folder)[-1:]
        number = int(last[0].partition("-")[0]) + 1 if last else 0
        self.name = f"{number:08d}-{secrets.token_hex(8)}"
        self._folder = folder
        self._staged = staged
        self._left = most_bytes
        self._is_empty = True
        self._hashes, self._vectors = (
            SpoolWriter(staged / part, sealer, context(folder, self.name, part))
            for part in (HASHES, VECTORS)
        )

    def append(self, hashes: Hashes, vectors: Float32s) -> None:
        """Keep vectors (n, dim) under their hashes (n,), unless there are too many.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        self._left -= vectors.nbytes
        if not len(hashes) or self._left < 0:
            return
        self._is_empty = False
        self._hashes.append(pa.table({HASHES: hashes}))
        self._vectors.append(pa.table({VECTOR: fixed_size_list(vectors)}))

    def place(self) -> None:
        """The segment is where it is found; not if the folder was emptied in the meantime."""
        with suppress(BackendError):  # without it the next run is slower, and no less right
            self._hashes.close()
            self._vectors.close()
            if not self._is_empty:
                replace_directory(self._staged, self._folder / self.name, overwrite=False)


@contextmanager
def writing(folder: Path, sealer: Sealer, most_bytes: int) -> Iterator[SegmentWriter]:
    """A writer whose segment is put in place at the end, also where something was raised.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    with disk_errors(folder):
        for path in (folder.parent.parent, folder.parent, folder):
            path.mkdir(exist_ok=True, mode=0o700)
    with stage_directory(folder / STAGED) as staged:
        writer = SegmentWriter(folder, staged, sealer, most_bytes)
        try:
            yield writer
        finally:
            writer.place()


def empty(root: Path) -> None:
    """Nothing is below ``root`` any more, in one step.

    Raises:
        BackendError: ``no_permission`` or ``disk``.
    """
    if not root.is_dir():
        return
    with stage_directory(root) as nothing:
        replace_directory(nothing, root, overwrite=True)


def shrink(root: Path, *, most_bytes: int, most_segments: int) -> None:
    """The oldest segments below ``root`` go until it holds no more than that."""
    found = []
    for path in root.glob("*/*/*"):
        with suppress(OSError):  # another run was faster
            if NAME.fullmatch(path.name):
                size = sum(file.stat().st_size for file in path.iterdir())
                found.append((path.stat().st_mtime_ns, path, size))
    found.sort()
    held = sum(size for *_, size in found)
    for index, (_, path, size) in enumerate(found):
        if held <= most_bytes and len(found) - index <= most_segments:
            return
        held -= size
        remove(path)


def forget_key(folder: Path) -> None:
    """The folder of one key version is gone.

    Raises:
        BackendError: ``no_permission`` or ``disk``.
    """
    if folder.is_dir():
        with disk_errors(folder):
            shutil.rmtree(folder)
