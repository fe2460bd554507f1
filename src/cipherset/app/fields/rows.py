"""A sample of labeled rows, by column, and the texts that some of the columns make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app.exports.codes import Codes
from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.core.values import ROW, Records
from cipherset.pipeline.ingest import Source, joined_text
from cipherset.pipeline.sanitize import SanitizeRules, sanitize
from cipherset.pipeline.sanitize.label import Reservoir

Targets = Codes | npt.NDArray[np.float64]
# Fewer rows of a class on average say nothing of a column; more classes than that are numbers.
_LEAST_PER_CLASS: Final = 2
_LEAST_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class FieldRows:
    """Labeled rows of a source: their cells by column, their targets, and how many rows it has."""

    cells: Mapping[str, Sequence[str | None]] = field(repr=False)
    targets: Targets = field(repr=False)
    task: Task
    n_rows: int

    def __len__(self) -> int:
        return len(self.targets)

    def texts(self, columns: Sequence[str], rules: SanitizeRules) -> list[str]:
        """One text per row, of ``columns`` only, sanitized as an export would be."""
        parts = zip(*(self.cells[column] for column in columns), strict=True)
        joined = [joined_text(each) for each in parts]
        numbers = pa.table({ROW: pa.array(range(len(joined)), pa.int64())})
        return sanitize(Records(joined, numbers), rules).texts


def sample_rows(
    source: Source, columns: Sequence[str], label: str, *, most: int, seed: int
) -> FieldRows:
    """At most ``most`` rows that have a label, spread over the source.

    Raises:
        InputError: ``fields_rows``: too few rows, or one class; ``column_missing``; the source is
            not fit.
    """
    reservoir: Reservoir[dict[str, str | None]] = Reservoir(most, np.random.default_rng(seed))
    for batch in source.cells([*columns, label]):
        table = batch.table.filter(_filled(batch.table.column(label)))
        reservoir.offer(table.num_rows, partial(_taken, table))
    rows = reservoir.rows()
    targets, task = _targets([str(row[label]) for row in rows])
    n_classes = len(np.unique(targets)) if task is Task.CLASSIFICATION else 2
    if len(rows) < max(_LEAST_ROWS, _LEAST_PER_CLASS * n_classes) or n_classes < 2:
        raise InputError(
            f"{len(rows)} labeled rows of {n_classes} classes do not show which columns a label "
            "needs",
            code="fields_rows",
            hint=f"it takes two classes, {_LEAST_ROWS} rows, and {_LEAST_PER_CLASS} of each class",
        )
    cells = {column: [row[column] for row in rows] for column in columns}
    return FieldRows(cells, targets, task, reservoir.seen)


def _filled(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([bool(cell and cell.strip()) for cell in column.to_pylist()], pa.bool_())


def _taken(table: pa.Table, rows: Sequence[int]) -> list[dict[str, str | None]]:
    taken: list[dict[str, str | None]] = table.take(np.asarray(rows, dtype=np.int64)).to_pylist()
    return taken


def _targets(labels: Sequence[str]) -> tuple[Targets, Task]:
    """Numbers where one of them is broken, as in an export; else classes, by code."""
    try:
        numbers = np.asarray([float(label) for label in labels])
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) and np.isfinite(numbers).all() and bool((numbers % 1 != 0).any()):
        return numbers, Task.REGRESSION
    codes = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)[1]
    return codes.reshape(-1).astype(np.int64), Task.CLASSIFICATION
