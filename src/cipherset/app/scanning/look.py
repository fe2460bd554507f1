"""Rows of a source into what was seen of each of its columns: all of them, or a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa

from cipherset.core.protocols import Progress
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import Detector
from cipherset.pipeline.sanitize.label import Reservoir, Seen

Row = Mapping[str, str | None]
_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of each column, in the order of the source; no values."""

    seen: Mapping[str, Seen] = field(repr=False)
    n_rows: int
    n_looked: int


def look_at_all(
    source: Source, columns: Sequence[str], detectors: Sequence[Detector], progress: Progress
) -> Looked:
    """Every row, a batch at a time.

    Raises:
        InputError: the source is not fit; see ``Source.cells``.
    """
    seen: dict[str, Seen] = {}
    n_rows = 0
    progress.start("look at all rows", None)
    for batch in source.cells(columns):
        _add(seen, batch.table.to_pydict(), detectors)
        n_rows += batch.table.num_rows
        progress.advance(batch.table.num_rows)
    progress.finish()
    return Looked(seen, n_rows, n_rows)


def look_at_some(
    source: Source,
    columns: Sequence[str],
    detectors: Sequence[Detector],
    progress: Progress,
    reservoir: Reservoir[Row],
) -> Looked:
    """The rows that ``reservoir`` keeps, spread over the whole source.

    Raises:
        InputError: the source is not fit; see ``Source.cells``.
    """
    names: dict[str, None] = {}
    progress.start("draw a sample", None)
    for batch in source.cells(columns):
        table = batch.table
        names.update(dict.fromkeys(table.column_names))
        reservoir.offer(table.num_rows, partial(_rows, table))
        progress.advance(table.num_rows)
    progress.finish()
    seen: dict[str, Seen] = {}
    rows = reservoir.rows()
    progress.start("look at the sample", len(rows))
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        _add(seen, {name: [row.get(name) for row in some] for name in names}, detectors)
        progress.advance(len(some))
    progress.finish()
    return Looked(seen, reservoir.seen, len(rows))


def _rows(table: pa.Table, rows: Sequence[int]) -> list[Row]:
    taken: list[Row] = table.take(np.asarray(rows, dtype=np.int64)).to_pylist()
    return taken


def _add(
    seen: dict[str, Seen],
    cells: Mapping[str, Sequence[str | None]],
    detectors: Sequence[Detector],
) -> None:
    for name, values in cells.items():
        seen.setdefault(name, Seen()).look(values, detectors)
