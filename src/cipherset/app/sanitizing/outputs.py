"""The files of a run, built beside their places: the rows, the list of quarantined ones, and these.

They are put in place at the end, the rows last; a run that was stopped leaves what was there.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from cipherset.app.sanitizing.batch import CleanBatch
from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.core.files import (
    StagedFile,
    disk_errors,
    stage_directory,
    stage_file,
    target_exists,
)
from cipherset.core.objects import ObjectPath
from cipherset.core.rows import Rows
from cipherset.pipeline.export.rows import Kind, RowsWriter, kind_of, open_writer, some_columns
from cipherset.pipeline.ingest import Source

_READABLE: Final = 0o644
_PRIVATE: Final = 0o600
_SENT: Final = "rows-to-send"


@dataclass(frozen=True, slots=True)
class RowsFile:
    """Rows on their way to a file."""

    writer: RowsWriter
    staged: StagedFile
    closing: ExitStack

    def place(self, *, overwrite: bool) -> None:
        """Complete the file and put it in place."""
        self.closing.close()
        self.staged.place(overwrite=overwrite)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where batches go, to a file in ``folder``; made by ``open_outputs`` only."""

    request: SanitizeRequest
    folder: Path
    clean: RowsFile
    listed: StagedFile
    apart: RowsFile | None = field(default=None)

    def write(self, rows: Rows) -> None:
        """Write sanitized rows."""
        if rows.n_rows:
            self.clean.writer.write(rows.selected(self.request.wants))

    def set_apart(self, batch: CleanBatch) -> None:
        """Write down which rows of a batch are not written, and where asked for the rows."""
        for entry in batch.quarantined:
            self.listed.stream.write(json.dumps(entry.as_json()).encode() + b"\n")
        if batch.quarantined and self.apart is not None:
            self.apart.writer.write(batch.apart)

    def place(self, *, any_quarantined: bool) -> None:
        """Put every file in its place; the list of an earlier run goes where there is none.

        Raises:
            UsageError: ``target_exists``: somebody was quicker.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        overwrite, sidecar = self.request.overwrite, self.request.sidecar
        if self.apart is not None:
            self.apart.place(overwrite=overwrite)
        if any_quarantined:
            self.listed.place(overwrite=overwrite)
        elif overwrite:
            with disk_errors(sidecar):
                sidecar.unlink(missing_ok=True)
        self.clean.place(overwrite=overwrite)


def check_free(request: SanitizeRequest) -> None:
    """Refuse an object that is there, unless it may be overwritten; files were looked at before.

    Raises:
        UsageError: ``target_exists``.
        BackendError: ``object_store``.
    """
    target = request.target
    if isinstance(target, ObjectPath) and not request.overwrite and target.exists():
        raise target_exists(target)


@contextmanager
def rows_at(home: Path, request: SanitizeRequest) -> Iterator[Path]:
    """Where the rows are written: in their place, or in the workspace on their way to a store."""
    if isinstance(request.target, Path):
        yield request.target
        return
    with stage_directory(home / _SENT) as folder:
        yield folder / request.target.name


@contextmanager
def open_outputs(request: SanitizeRequest, source: Source, target: Path) -> Iterator[Outputs]:
    """The files that a run writes to, gone at the end unless they were put in place.

    The rows are put at ``target``: where the request wants them, or on their way there.

    Raises:
        InputError: the source has not the types that a file of that kind takes.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    with ExitStack() as files:
        apart = None
        if request.quarantine is not None:
            schema = _schema(source, request.quarantine, request.text)
            apart = files.enter_context(_rows_file(request.quarantine, schema, _PRIVATE))
        listed = files.enter_context(stage_file(request.sidecar, mode=_PRIVATE))
        schema = some_columns(_schema(source, target, request.text), request.wants)
        clean = files.enter_context(_rows_file(target, schema, _READABLE))
        yield Outputs(request, target.parent, clean, listed, apart)


@contextmanager
def _rows_file(target: Path, schema: pa.Schema, mode: int) -> Iterator[RowsFile]:
    with stage_file(target, mode=mode) as staged, ExitStack() as closing:
        writer = closing.enter_context(open_writer(staged.stream, target, schema))
        yield RowsFile(writer, staged, closing)


def _schema(source: Source, target: Path, text: tuple[str, ...]) -> pa.Schema:
    """What the kind of file needs to know: types, names, or neither."""
    match kind_of(target):
        case Kind.PARQUET:
            return source.schema(text)
        case Kind.JSON_LINES:
            return pa.schema([])
    return pa.schema([(column, pa.string()) for column in source.every_column()])
