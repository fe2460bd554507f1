"""A source: a file that is read as often as needed, one batch at a time."""

import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, final

import pyarrow as pa

from cipherset.core.errors import InputError, UsageError
from cipherset.core.objects import SCHEME, ObjectPath
from cipherset.core.rows import Rows
from cipherset.core.values import ColumnRoles, EncryptedVectors, Images, Records, Vectors
from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.columnar import ParquetReader
from cipherset.pipeline.ingest.consent import Consent, ConsentReader
from cipherset.pipeline.ingest.delimited import DelimitedReader
from cipherset.pipeline.ingest.jsonlines import JsonLinesReader
from cipherset.pipeline.ingest.pictures.folder import ImageFolderReader, holds_images
from cipherset.pipeline.ingest.reader import Batch, Part, Reader
from cipherset.pipeline.ingest.roles import encrypted, images, parts_of, records, vectors

BATCH_ROWS: Final = 4096
BATCH_IMAGES: Final = 64  # decoded, a few megabytes; as files, what they are
_KINDS: Final = ".csv, .tsv, .jsonl, .ndjson or .parquet, also with .gz (.bz2 but for Parquet)"


@final
class Source:
    """Rows of one source, in its order; nothing is kept between batches."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    @property
    def name(self) -> str:
        """What messages call it: the file's name without its folders."""
        return self._reader.name

    def with_consent(self, consent: Consent) -> "Source":
        """The rows that gave consent; ``n_dropped`` says how many others there were.

        Raises:
            InputError: ``column_missing``, or the source cannot be read that far.
        """
        there = self.columns()
        if consent.column not in there:
            raise faults.missing_column(self.name, consent.column, there)
        return Source(ConsentReader(self._reader, consent))

    @property
    def n_dropped(self) -> int:
        """How many rows the last read left out for want of consent."""
        return self._reader.dropped if isinstance(self._reader, ConsentReader) else 0

    def count_dropped(self) -> None:
        """Have ``n_dropped`` say it without reading anything but the column of consent.

        Raises:
            PolicyError: ``no_consent``.
            InputError: the source is not fit; see ``faults``.
        """
        deque(self._batches({}, BATCH_ROWS), maxlen=0)

    def columns(self) -> list[str]:
        """The names of the columns there are.

        Raises:
            InputError: the source cannot be read that far, or has no row.
        """
        return self._reader.columns()

    def parts(self, least_rows: int) -> list["Source"]:
        """The source in parts that can be read apart, in order: Parquet by whole row groups.

        Each has ``least_rows`` rows or more, but the last. Any other file is one part.

        Raises:
            InputError: the source cannot be read that far.
        """
        reader = self._reader
        if isinstance(reader, ConsentReader):
            return [Source(part) for part in reader.parts(least_rows)]
        if not isinstance(reader, ParquetReader):
            return [self]
        return [Source(part) for part in reader.parts(least_rows)] or [self]

    def texts(self, roles: ColumnRoles, batch_rows: int = BATCH_ROWS) -> Iterator[Records]:
        """Batches of at most ``batch_rows`` texts; column names are checked at once.

        Raises:
            UsageError: ``column_clash``; ``role_missing`` if ``roles`` names no text column.
            InputError: the source or a row is not fit; see ``faults``.
        """
        if not roles.text or roles.vector is not None:
            raise _no_role("text columns and no vector column")
        parts = self._checked_parts(roles)
        batches = self._batches(parts, batch_rows)
        return (records(self.name, batch, roles) for batch in batches)

    def vectors(self, roles: ColumnRoles, batch_rows: int = BATCH_ROWS) -> Iterator[Vectors]:
        """Batches of at most ``batch_rows`` unit vectors, all of the first one's width.

        Raises:
            UsageError: ``column_clash``; ``role_missing`` if ``roles`` names no vector column.
            InputError: the source or a row is not fit; see ``faults``.
        """
        if roles.vector is None or roles.text:
            raise _no_role("a vector column and no text columns")
        return self._vectors(roles, self._checked_parts(roles), batch_rows)

    def images(self, roles: ColumnRoles, side: int) -> Iterator[Images]:
        """Batches of a few images, as squares of ``side`` pixels.

        Raises:
            UsageError: ``column_clash``; ``role_missing`` if ``roles`` names no image column.
            InputError: the source or a row is not fit; see ``faults``.
        """
        if roles.image is None or roles.text or roles.vector is not None:
            raise _no_role("an image column, and neither text nor vectors")
        batches = self._batches(self._checked_parts(roles), BATCH_IMAGES)
        return (images(self.name, batch, roles, side) for batch in batches)

    def encrypted(
        self, roles: ColumnRoles, batch_rows: int = BATCH_ROWS
    ) -> Iterator[EncryptedVectors]:
        """Batches of vectors of any norm, as they are: ciphertexts that others made.

        Raises: as ``vectors``, but a vector of zeros is one like any other.
        """
        if roles.vector is None or roles.text:
            raise _no_role("a vector column and no text columns")
        return self._encrypted(roles, self._checked_parts(roles), batch_rows)

    def cells(self, columns: Sequence[str] = (), batch_rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """Batches of every cell as a string, null where there is none; all columns by default.

        Numbers of a vector are cut off after the first few, bytes that are no text are named so.

        Raises:
            InputError: ``column_missing``, or the source or a row is not fit; see ``faults``.
        """
        there = self._reader.every_column()
        self._check(columns, there)
        return self._batches(dict.fromkeys(columns or there, Part.CELL), batch_rows)

    def whole(self) -> Iterator[Rows]:
        """Batches of rows with every column, each value as it is.

        Raises:
            InputError: the source is not fit, or has no row; see ``faults``.
        """
        n_rows = 0
        for rows in self._reader.whole():
            n_rows += rows.n_rows
            yield rows
        if n_rows == 0:
            raise faults.empty(self.name)

    def every_column(self) -> list[str]:
        """The columns of all rows, where ``columns`` looks at the first ones."""
        return self._reader.every_column()

    def schema(self, text: Sequence[str]) -> pa.Schema:
        """The columns, in order, with the types they have or are given in Parquet.

        The columns of ``text`` are strings, not codes for strings.
        """
        return self._reader.schema(text)

    def check_texts(self, columns: Iterable[str]) -> None:
        """See that ``columns``, which are there, may hold text.

        Raises:
            InputError: ``column_type``.
        """
        for column in columns:
            self._reader.check_text(column)

    def check_columns(self, columns: Iterable[str]) -> None:
        """See that all of ``columns`` are there.

        Raises:
            InputError: ``column_missing``, or the source cannot be read that far.
        """
        self._check(columns, self.columns())

    def _check(self, columns: Iterable[str], there: Sequence[str]) -> None:
        for column in columns:
            if column not in there:
                raise faults.missing_column(self.name, column, there)

    def read_bytes_chunks(self) -> Iterator[bytes]:
        """The source's bytes as stored, for a keyed digest (a plain one would confirm guesses)."""
        return self._reader.chunks()

    def _checked_parts(self, roles: ColumnRoles) -> dict[str, Part]:
        parts = parts_of(roles)
        self.check_columns(parts)
        return parts

    def _vectors(
        self, roles: ColumnRoles, parts: dict[str, Part], batch_rows: int
    ) -> Iterator[Vectors]:
        dim = None
        for batch in self._batches(parts, batch_rows):
            unit = vectors(self.name, batch, roles, dim)
            dim = unit.values.shape[1]
            yield unit

    def _encrypted(
        self, roles: ColumnRoles, parts: dict[str, Part], batch_rows: int
    ) -> Iterator[EncryptedVectors]:
        dim = None
        for batch in self._batches(parts, batch_rows):
            rows = encrypted(self.name, batch, roles, dim)
            dim = rows.values.shape[1]
            yield rows

    def _batches(self, parts: dict[str, Part], batch_rows: int) -> Iterator[Batch]:
        n_rows = 0
        for batch in self._reader.batches(parts, batch_rows):
            n_rows += batch.table.num_rows
            yield batch
        if n_rows == 0:
            raise faults.empty(self.name)


def open_source(spec: str | Path) -> Source:
    """The source at ``spec``: a CSV, TSV, JSON Lines or Parquet file, compressed or not.

    Or a folder of images with one subfolder per label, whose columns are ``image`` and ``label``;
    or a Parquet file in an object store: see ``ObjectPath``.

    Raises:
        InputError: ``source_kind``, ``source_missing`` or ``source_unreadable``;
            ``object_address``.
        BackendError: ``object_store``.
    """
    if str(spec).startswith(SCHEME):
        return _object(ObjectPath(str(spec)))
    if "://" in str(spec):  # not quoted: there may be a password in it
        raise _unknown_kind("a URL")
    path = Path(spec)
    with faults.reading(path):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode) and holds_images(path):
        return Source(ImageFolderReader(path))
    if not stat.S_ISREG(mode):
        raise _unknown_kind(f"{path} is not a regular file")
    reader = _reader_for(path)
    with faults.reading(path), path.open("rb"):
        return Source(reader)


def _object(path: ObjectPath) -> Source:
    if path.suffix.lower() != ".parquet":
        raise _unknown_kind(f"{path}, an object that is no Parquet file")
    with faults.reading(path), path.open():
        return Source(ParquetReader(path))


def whole_name(spec: str) -> str:
    """The name of a source from every folder: an object's, or an absolute path."""
    return spec if spec.startswith(SCHEME) else str(Path(spec).absolute())


def _reader_for(path: Path) -> Reader:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    packed = suffixes.pop() if suffixes and suffixes[-1] in {".gz", ".bz2"} else ""
    match suffixes[-1] if suffixes else "":
        case ".csv":
            return DelimitedReader(path, delimiter=",")
        case ".tsv":
            return DelimitedReader(path, delimiter="\t")
        case ".jsonl" | ".ndjson":
            return JsonLinesReader(path)
        case ".parquet" if packed != ".bz2":
            return ParquetReader(path)
    raise _unknown_kind(f"{path}")


def _unknown_kind(found: str) -> InputError:
    return InputError(
        f"{found}: not a kind of source that can be read",
        code="source_kind",
        hint=f"expected a file that ends in {_KINDS}, or a folder of images by label",
    )


def _no_role(expected: str) -> UsageError:
    return UsageError(
        f"expected {expected}", code="role_missing", hint="name the columns of the source to read"
    )
