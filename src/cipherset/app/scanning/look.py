"""Rows of a source into what was seen of each of its columns: all of them, or a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.app.sanitizing.workers import Workers, in_order
from cipherset.core.protocols import Progress
from cipherset.pipeline.ingest import Batch, Source
from cipherset.pipeline.sanitize import (
    Detector,
    Look,
    Policy,
    default_policy,
    every_detector,
    look,
)
from cipherset.pipeline.sanitize.label import ReadCells, Reservoir, Seen, read_cells

Row = Mapping[str, str | None]
_AT_ONCE: Final = 512
_BATCH_ROWS: Final = 1024  # for a worker: small enough that all have some


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of each column, in the order of the source; no values."""

    seen: Mapping[str, Seen] = field(repr=False)
    n_rows: int
    n_looked: int


def scan_detectors(policy: Policy) -> tuple[Detector, ...]:
    """Whatever is taken out, and what is only labeled; sums of money are nobody's."""
    return tuple(each for each in every_detector(policy) if each.entities != {"AMOUNT"})


def look_at_all(
    source: Source,
    columns: Sequence[str],
    detectors: Sequence[Detector],
    progress: Progress,
    n_workers: int | None = None,
) -> Looked:
    """Every row, a batch at a time and on every core; the detectors are ``scan_detectors``.

    Raises:
        InputError: the source is not fit; see ``Source.cells``.
        BackendError: ``worker_lost``.
    """
    seen: dict[str, Seen] = {}
    n_rows = 0
    progress.start("look at all rows", None)
    with Workers(default_policy(), n_workers, scan_detectors) as workers:
        batches = source.cells(columns, _BATCH_ROWS)
        for rows, read in in_order(_read, batches, workers, detectors):
            for name, cells in read.items():
                seen.setdefault(name, Seen()).add(cells)
            n_rows += rows
            progress.advance(rows)
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
    rows, looking = reservoir.rows(), partial(look, detectors)
    progress.start("look at the sample", len(rows))
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        for name in names:
            seen.setdefault(name, Seen()).look([row.get(name) for row in some], looking)
        progress.advance(len(some))
    progress.finish()
    return Looked(seen, reservoir.seen, len(rows))


def _rows(table: pa.Table, rows: Sequence[int]) -> list[Row]:
    taken: list[Row] = table.take(np.asarray(rows, dtype=np.int64)).to_pylist()
    return taken


def _read(batch: Batch, looking: Look) -> tuple[int, dict[str, ReadCells]]:
    cells = batch.table.to_pydict()
    return batch.table.num_rows, {name: read_cells(cells[name], looking) for name in cells}
