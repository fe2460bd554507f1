"""A folder of images with one subfolder per label, as a source of two columns.

    FOLDER/LABEL/NAME.jpg     ``label`` is LABEL, ``image`` the bytes of the file
    FOLDER/NAME.jpg           has no label: to predict one

Rows are in the order of the paths. Names that begin with a dot are passed over; any other file
that is no image is refused, for a row that is left out in silence is missed by nobody. So is a
symbolic link: what stands elsewhere was not given.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from cipherset.core.errors import InputError
from cipherset.core.files import read_regular
from cipherset.core.values import Pixels
from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.pictures.decode import MOST_BYTES, SUFFIXES, decoded
from cipherset.pipeline.ingest.reader import Batch, Part
from cipherset.pipeline.ingest.whole import RecordRows, in_batches, schema_of_records

IMAGE: Final = "image"
LABEL: Final = "label"
BATCH_BYTES: Final = 1 << 27  # some of the largest, or all 64 of photographs
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Row:
    """One file: its path below the folder, and the subfolder that it is in."""

    path: str
    label: str | None


class ImageFolderReader:
    """Implements ``reader.Reader``; as text, an image is its path below the folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._path.resolve().name

    def columns(self) -> list[str]:
        """Always the same two.

        Raises:
            InputError: ``image_kind`` or ``source_unreadable``.
        """
        self._rows()
        return [IMAGE, LABEL]

    def every_column(self) -> list[str]:
        """As ``columns``."""
        return self.columns()

    def batches(self, parts: Mapping[str, Part], batch_rows: int) -> Iterator[Batch]:
        """Batches of at most ``batch_rows`` rows; the files are read only for ``Part.IMAGE``.

        Of files a batch holds no more than ``BATCH_BYTES``, or one.
        """
        rows = self._rows()
        sizes = [self._size(row) if Part.IMAGE in parts.values() else 0 for row in rows]
        for start, end in cut(sizes, batch_rows):
            chosen = rows[start:end]
            arrays = {column: self._column(column, part, chosen) for column, part in parts.items()}
            yield Batch(start, pa.table(arrays))

    def whole(self) -> Iterator[RecordRows]:
        """Rows of paths and labels."""
        rows = [({IMAGE: row.path, LABEL: row.label}, len(row.path)) for row in self._rows()]
        return in_batches(self.name, iter(rows))

    def check_text(self, column: str) -> None:
        """No column of images holds text.

        Raises:
            InputError: ``column_type``.
        """
        if column == IMAGE:
            raise faults.column_type(self.name, column, "text, found images")

    def schema(self, text: Sequence[str]) -> pa.Schema:
        """Two columns of strings."""
        return schema_of_records(self.name, self.whole(), text)

    def chunks(self) -> Iterator[bytes]:
        """Each file's path and size, and its bytes."""
        for row in self._rows():
            path = self._path / row.path
            with faults.reading(path), path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                yield f"{row.path}\0{size}\0".encode()
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk

    def _column(self, column: str, part: Part, rows: Sequence[_Row]) -> pa.Array:
        if column == LABEL:
            return pa.array([row.label for row in rows], pa.string())
        if part is not Part.IMAGE:
            return pa.array([row.path for row in rows], pa.string())
        return pa.array([self._bytes(row) for row in rows], pa.large_binary())

    def _bytes(self, row: _Row) -> bytes:
        """At most one byte more than may be; through no link that has come since it was seen."""
        path = self._path / row.path
        with faults.reading(path):
            raw = read_regular(path, most_bytes=MOST_BYTES + 1)
        if raw is None:
            raise _no_image(f"{self.name}/{row.path}")
        return raw

    def _size(self, row: _Row) -> int:
        path = self._path / row.path
        with faults.reading(path):
            return min(path.lstat().st_size, MOST_BYTES + 1)

    def _rows(self) -> list[_Row]:
        rows = []
        for path in _entries(self._path):
            if path.is_dir() and not path.is_symlink():
                rows += [_Row(f"{path.name}/{each.name}", path.name) for each in _entries(path)]
            else:
                rows.append(_Row(path.name, None))
        for row in rows:
            _check(self._path / row.path, f"{self.name}/{row.path}")
        return rows


def read_image(path: Path, side: int) -> Pixels:
    """The image in one file, shape (1, side, side, 3).

    Raises:
        InputError: ``source_missing`` or ``source_unreadable``; as ``decoded``.
    """
    if not _can_be(path):
        raise InputError(
            "no file can have the path that was given for an image",
            code="source_missing",
            hint="check the path of the image",
        )
    with faults.reading(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise faults.column_type(path.name, IMAGE, "a regular file")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    return decoded(raw, side, place=path.name)[None]


def _can_be(path: Path) -> bool:
    """Whether the system takes it for a path: one that came as JSON may hold anything."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def holds_images(path: Path) -> bool:
    """Whether there is an image in the folder, or in one of its subfolders."""
    found = _entries(path)
    within = (each for folder in found if folder.is_dir() for each in _entries(folder))
    return any(_is_named_so(each) for each in (*found, *within))


def _is_named_so(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _entries(folder: Path) -> list[Path]:
    with faults.reading(folder):
        return sorted(each for each in folder.iterdir() if not each.name.startswith("."))


def _check(path: Path, name: str) -> None:
    """See that it is a regular file, no link, with an image's name, which can be written down."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise faults.not_utf8(path.parent.name, "the name of a file") from None
    with faults.reading(path):
        is_regular = stat.S_ISREG(path.lstat().st_mode)
    if not is_regular or not _is_named_so(path):
        raise _no_image(name)


def _no_image(name: str) -> InputError:
    return InputError(
        f"{name}: not an image, in a folder of images",
        code="image_kind",
        hint=f"one subfolder per label, in it files of {', '.join(sorted(SUFFIXES))}",
    )


def cut(sizes: Sequence[int], most_rows: int) -> Iterator[tuple[int, int]]:
    """Where batches of files of these ``sizes`` begin and end."""
    start, n_bytes = 0, 0
    for at, size in enumerate(sizes):
        if at > start and (at - start == most_rows or n_bytes + size > BATCH_BYTES):
            yield start, at
            start, n_bytes = at, 0
        n_bytes += size
    if sizes:
        yield start, len(sizes)
