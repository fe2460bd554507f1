"""Labels: how sensitive a column is, because of what, and how sure that is."""

from cipherset.pipeline.sanitize.label.column import (
    ColumnLabel,
    Finding,
    Grounds,
    Recall,
    label_column,
    not_measured,
)
from cipherset.pipeline.sanitize.label.confidence import CONFIDENCE, at_most
from cipherset.pipeline.sanitize.label.reservoir import Reservoir
from cipherset.pipeline.sanitize.label.seen import ReadCells, Seen, read_cells

__all__ = [
    "CONFIDENCE",
    "ColumnLabel",
    "Finding",
    "Grounds",
    "ReadCells",
    "Recall",
    "Reservoir",
    "Seen",
    "at_most",
    "label_column",
    "not_measured",
    "read_cells",
]
