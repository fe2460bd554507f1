"""An index in a folder: Arrow files that are mapped into memory, beside a signed manifest.

Order rules: a change holds the folder's lock, reads the manifest anew, writes new files under new
names, then the manifest in one step, and only then removes files that it no longer names. A run
that dies in between leaves the index as it was. Whoever had it open goes on with what was there.

Deleted rows are gone: the files that held them are written anew.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from securesystemslib.signer import Signer

from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.values import Float32s
from cipherset.pipeline.index.arrow import entries_of, table_of
from cipherset.pipeline.index.entries import (
    ANY,
    ID_BYTES,
    Bytes,
    Entries,
    Filter,
    check_rows,
    check_top,
    checked_query,
    concatenated,
    row_exists,
)
from cipherset.pipeline.index.manifest import (
    IndexManifest,
    IndexPart,
    read_signed,
    write_signed,
)
from cipherset.pipeline.index.scan import allowed_rows, nearest, squared_norms

PART_ROWS: Final = 50_000
_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    facts: IndexPart
    entries: Entries = field(repr=False)
    norms: Float32s = field(repr=False)


class FileIndex:
    """A ``VectorIndex`` in a folder; exact, by looking at every row that the filter allows.

    Every byte is checked against the signed manifest when it is opened.
    """

    __slots__ = ("_folder", "_parts", "_signer", "digest", "manifest")

    def __init__(self, folder: Path, signer: Signer) -> None:
        """Open and verify; ``signer`` signs what is changed, and must have signed what is there.

        Raises:
            IntegrityError: ``index_part``, ``index_missing``; as ``read_signed``.
            BackendError: it cannot be read.
        """
        self._folder = folder
        self._signer = signer
        self._read()

    @classmethod
    def create(cls, folder: Path, manifest: IndexManifest, signer: Signer) -> "FileIndex":
        """An index without rows in ``folder``, which is there.

        Raises:
            BackendError: disk full, no permission.
        """
        write_signed(folder, manifest, signer)
        return cls(folder, signer)

    @property
    def dim(self) -> int:
        """Width of a row."""
        return self.manifest.dim

    def add(self, entries: Entries) -> None:
        """Store all of the rows, or none; see ``VectorIndex``."""
        check_rows(entries, self.dim)
        with self._changing():
            mine = _keys(entries.ids)
            if any(np.isin(mine, _keys(part.entries.ids)).any() for part in self._parts):
                raise row_exists()
            self._write(list(self._parts), entries)

    def delete(self, ids: Bytes) -> int:
        """Remove rows for good; see ``VectorIndex``."""
        with self._changing():
            kept, rest, n_gone = self._without(ids)
            if n_gone:
                self._write(kept, concatenated(rest))
        return n_gone

    def replace(self, entries: Entries) -> None:
        """Put rows in the place of others; see ``VectorIndex``. The files that held them go."""
        check_rows(entries, self.dim)
        with self._changing():
            kept, rest, _ = self._without(entries.ids)
            self._write(kept, concatenated([*rest, entries]))

    def some(self, most: int, where: Filter = ANY) -> Entries:
        """Any rows; see ``VectorIndex``. Those of one part come one after the other."""
        check_top(most)
        found, left = [Entries.none(self.dim)], most
        for part in self._parts:
            allowed = allowed_rows(part.entries, where)
            rows = np.arange(len(part.entries)) if allowed is None else np.flatnonzero(allowed)
            found.append(part.entries.take(rows[:left]))
            left -= len(found[-1])
        return concatenated(found)

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """The nearest rows; see ``VectorIndex``."""
        asked = checked_query(ciphertext, top, self.dim)
        found, squared = [Entries.none(self.dim)], [np.empty(0, np.float32)]
        for part in self._parts:
            allowed = allowed_rows(part.entries, where)
            rows, distance = nearest(part.entries.vectors, part.norms, asked, top, allowed)
            found.append(part.entries.take(rows))
            squared.append(distance)
        order = np.argsort(np.concatenate(squared), kind="stable")[:top]
        return concatenated(found).take(order)

    def rows(self) -> int:
        """How many rows there are."""
        return self.manifest.rows

    def versions(self) -> Mapping[int, int]:
        """How many rows there are under each version of the key."""
        every = [np.empty(0, np.int32), *(part.entries.versions for part in self._parts)]
        numbers, counts = np.unique(np.concatenate(every), return_counts=True)
        return {int(number): int(count) for number, count in zip(numbers, counts, strict=True)}

    def close(self) -> None:
        """Nothing is held but memory."""

    def parts(self) -> tuple[Entries, ...]:
        """The rows of each part."""
        return tuple(part.entries for part in self._parts)

    def say(self, manifest: IndexManifest) -> None:
        """Sign what else the manifest is to say; rows and parts stay as they are now.

        Raises:
            IntegrityError, BackendError: as ``__init__``.
        """
        with self._changing():
            here = self.manifest
            kept = {"parts": here.parts, "rows": here.rows, "revision": here.revision + 1}
            write_signed(self._folder, manifest.model_copy(update=kept), self._signer)
            self._read()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Nobody else changes the index meanwhile, and it is read as it is now."""
        path = self._folder / _LOCK
        with disk_errors(path):
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            self._read()
            yield
        finally:
            os.close(number)

    def _read(self) -> None:
        fingerprint = self._signer.public_key.keyid
        self.manifest, self.digest = read_signed(self._folder, signer=fingerprint)
        before = {part.facts: part for part in getattr(self, "_parts", ())}
        self._parts = tuple(
            before.get(facts) or self._opened(facts) for facts in self.manifest.parts
        )

    def _opened(self, facts: IndexPart) -> _Part:
        path = self._folder / facts.path
        with disk_errors(path):
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                mapped = pa.memory_map(str(path))
            except FileNotFoundError:
                raise _changed(path, "is missing") from None
        if facts.sha256 != f"sha256:{digest}":
            raise _changed(path, "was changed")
        entries = entries_of(pa.ipc.open_file(mapped).read_all(), self.manifest.dim)
        return _Part(facts, entries, squared_norms(entries.vectors))

    def _without(self, ids: Bytes) -> tuple[list[_Part], list[Entries], int]:
        """Parts that hold none of these rows, what is left of the others, and how many go."""
        gone = _keys(np.ascontiguousarray(ids, dtype=np.uint8).reshape(-1, ID_BYTES))
        kept, rest, n_gone = [], [Entries.none(self.dim)], 0
        for part in self._parts:
            hit = np.isin(_keys(part.entries.ids), gone)
            n_gone += int(hit.sum())
            if hit.any():
                rest.append(part.entries.take(~hit))
            else:
                kept.append(part)
        return kept, rest, n_gone

    def _write(self, kept: list[_Part], entries: Entries) -> None:
        """The manifest of ``kept`` parts and new ones with ``entries``."""
        revision = self.manifest.revision + 1
        parts = [part.facts for part in kept]
        for number, start in enumerate(range(0, len(entries), PART_ROWS)):
            chunk = entries.take(np.arange(start, min(start + PART_ROWS, len(entries))))
            parts.append(self._write_part(f"part-{revision:08d}-{number:05d}.arrow", chunk))
        rows = sum(part.rows for part in parts)
        update = {"parts": tuple(parts), "rows": rows, "revision": revision}
        write_signed(self._folder, self.manifest.model_copy(update=update), self._signer)
        self._read()
        self._remove_others()

    def _write_part(self, name: str, entries: Entries) -> IndexPart:
        sink = pa.BufferOutputStream()
        table = table_of(entries)
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        raw = sink.getvalue()
        write_atomic(self._folder / name, raw, mode=0o644)
        digest = hashlib.sha256(raw).hexdigest()
        return IndexPart(path=name, sha256=f"sha256:{digest}", bytes=raw.size, rows=len(entries))

    def _remove_others(self) -> None:
        named = {part.path for part in self.manifest.parts}
        with disk_errors(self._folder):
            for path in self._folder.glob("part-*.arrow"):
                if path.name not in named:
                    path.unlink(missing_ok=True)


def _keys(ids: Bytes) -> npt.NDArray[np.void]:
    """Ids as one opaque value each, so that they can be compared whole."""
    return np.ascontiguousarray(ids).view(f"V{ID_BYTES}").reshape(-1)


def _changed(path: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"{path} {what}: it is not what the index's manifest was signed over",
        code="index_part",
        hint="restore the index from a backup, or build it again",
    )
