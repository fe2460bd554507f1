"""Rows of a source into what was seen of each of its columns: all of them, or a sample."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.app.engine import scanned
from cipherset.app.engine.batches import told
from cipherset.app.engine.run import Distributed
from cipherset.app.sanitizing.workers import Workers, in_order
from cipherset.app.scanning.columns import BATCH_ROWS, Read, read_batch, scan_detectors
from cipherset.core.protocols import Progress
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import Detector, default_policy, look
from cipherset.pipeline.sanitize.label import Reservoir, Seen

Row = Mapping[str, str | None]
_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of each column, in the order of the source; no values."""

    seen: Mapping[str, Seen] = field(repr=False)
    n_rows: int
    n_looked: int


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
    with Workers(default_policy(), n_workers, scan_detectors) as workers:
        batches = source.cells(columns, BATCH_ROWS)
        return add_up(in_order(read_batch, batches, workers, detectors), progress)


def look_on_engine(
    source: Source, columns: Sequence[str], on: Distributed, progress: Progress
) -> Looked:
    """The same on workers of an engine.

    Raises: as ``Distributed.answers``; InputError as ``Source.cells``.
    """
    if columns:
        source.check_columns(columns)
    answers = on.answers(source, scanned.STAGE, scanned.settings(columns))
    batches = chain.from_iterable(told(tables) for _, tables in answers)
    return add_up(map(scanned.decoded, batches), progress)


def add_up(batches: Iterable[Read], progress: Progress) -> Looked:
    """What was seen in all of ``batches``, which come in order."""
    seen: dict[str, Seen] = {}
    n_rows = 0
    progress.start("look at all rows", None)
    for rows, read in batches:
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
