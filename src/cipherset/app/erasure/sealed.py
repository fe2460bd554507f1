"""The sealed exports of a workspace, whoever made them, and rows taken out of them.

A row that is taken out leaves a gap: its place stays, since others are known by theirs, and holds
nothing. An export is put back in one step, so that a killed run leaves the old one or the new one.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app import state
from cipherset.app.exports.codes import Codes
from cipherset.app.exports.earlier.live import STAGED
from cipherset.app.workspace import Workspace
from cipherset.core.errors import CiphersetError
from cipherset.core.files import discard_directory, disk_errors, replace_directory, stage_directory
from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.core.values import GROUP, LABEL
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.keys.identity import Identities

_NOWHERE: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Opened:
    """The exports that open, and the ids of those that do not: their key or a part is not there."""

    exports: tuple[state.ExportState, ...] = field(repr=False)
    unreadable: tuple[str, ...]


def open_exports(workspace: Workspace) -> Opened:
    """Every export of the workspace, each key opened once; within an act that allows it.

    The keys of exports that nobody may query any more open too: what they hold must be found.
    """
    sealers: dict[tuple[str, int], Sealer] = {}
    opened, unreadable = [], []
    for export_id in state.export_ids(workspace.exports):
        try:
            made_under = state.read_made_under(workspace.exports / export_id)
            named = (made_under.key_id, made_under.key_version)
            if named not in sealers:
                key = workspace.ring.open(*named, purpose=KeyUse.MEASURE)
                sealers[named] = AesGcmSealer.from_key(key)
            opened.append(state.read_state(workspace.exports, export_id, sealers[named]))
        except CiphersetError:
            unreadable.append(export_id)
    return Opened(tuple(opened), tuple(unreadable))


def sealed_column(meta: state.Meta, column: str | None) -> str | None:
    """Under which name ``column`` is sealed with the vectors; None where it is not.

    None for the group column, whatever the source called it.
    """
    if column is None or column == meta.group:
        return None if meta.group is None else GROUP
    if column == meta.label:
        return LABEL
    return column if column in meta.keep else None


def rows_with(export: state.ExportState, name: str, value: str) -> Codes:
    """The source rows whose sealed column ``name`` is ``value``, as text, ascending."""
    found, first = [_NOWHERE], 0
    for table in export.vectors.chunks():
        column = pc.cast(table.column(name), pa.string())
        same = pc.fill_null(pc.equal(column, value), fill_value=False)
        found.append(first + np.flatnonzero(same.to_numpy()))
        first += table.num_rows
    return np.concatenate(found)


def rows_that_are(export: state.ExportState, identities: Identities) -> Codes:
    """The source rows of exported rows with one of these identities, ascending."""
    found = [_NOWHERE]
    for table in export.rows.chunks():
        same = np.isin(table.column(state.IDENTITY).to_numpy(), identities)
        found.append(table.column("source").to_numpy()[same])
    return np.unique(np.concatenate(found))


def identities_of(export: state.ExportState, sources: Codes) -> Identities:
    """The identities of the exported rows among ``sources``."""
    found = [np.zeros(0, dtype=np.uint64)]
    for table in export.rows.chunks():
        chosen = np.isin(table.column("source").to_numpy(), sources)
        found.append(table.column(state.IDENTITY).to_numpy()[chosen])
    return np.unique(np.concatenate(found))


def take_out(workspace: Workspace, export: state.ExportState, sources: Codes) -> int:
    """Take the rows ``sources`` out of the sealed export; how many exported rows are left.

    With none left nothing is kept of it at all.

    Raises:
        BackendError: the disk is full or not writable; the export is as it was then.
    """
    staged_as = workspace.exports / STAGED
    with stage_directory(staged_as) as staged:
        left = _without(export, sources, staged)
        if left == 0:
            discard_directory(export.folder, staged_as=staged_as)
            return 0
        for name in (state.META, state.MEASURED, state.KEY, state.PLACED, state.COPIES):
            if (export.folder / name).exists():
                with disk_errors(staged / name):
                    shutil.copy2(export.folder / name, staged / name)
        state.mark_forgotten(staged)
        replace_directory(staged, export.folder, overwrite=True)
    return left


def _without(export: state.ExportState, sources: Codes, staged: Path) -> int:
    """Write vectors and row map without ``sources``; how many rows the map has left."""
    left = 0
    with SpoolWriter(staged / state.ROWS, export.sealer, state.ROWS) as rows:
        for table in export.rows.chunks():
            kept = table.filter(~np.isin(table.column("source").to_numpy(), sources))
            rows.append(kept)
            left += kept.num_rows
    with SpoolWriter(staged / state.VECTORS, export.sealer, state.VECTORS) as vectors:
        for first, table in _numbered(export.vectors):
            is_out = np.isin(np.arange(first, first + table.num_rows), sources)
            vectors.append(_with_gaps(table, is_out))
    return left


def _with_gaps(table: pa.Table, is_out: npt.NDArray[np.bool_]) -> pa.Table:
    """The table with nothing in the rows that are out."""
    places = pa.array(np.arange(table.num_rows), mask=is_out)
    return table.take(places) if is_out.any() else table


def _numbered(spool: Spool) -> Iterator[tuple[int, pa.Table]]:
    first = 0
    for table in spool.chunks():
        yield first, table
        first += table.num_rows
