"""Rows that a model should not be trained on: found, and reported with the reason."""

from cipherset.pipeline.sanitize.training.duplicates import Duplicates
from cipherset.pipeline.sanitize.training.encoding import BrokenEncoding
from cipherset.pipeline.sanitize.training.exportable import check_exportable
from cipherset.pipeline.sanitize.training.injection import InjectedRows
from cipherset.pipeline.sanitize.training.poison import Neighborhoods, Reference, misfits
from cipherset.pipeline.sanitize.training.rows import (
    Filtered,
    MarkedRows,
    Reason,
    RefusalCounts,
    Refused,
    RowFilter,
    filter_batch,
    filter_rows,
)
from cipherset.pipeline.sanitize.training.shape import EmptyRows, OversizedRows
from cipherset.pipeline.sanitize.training.splits import check_leak

__all__ = [
    "BrokenEncoding",
    "Duplicates",
    "EmptyRows",
    "Filtered",
    "InjectedRows",
    "MarkedRows",
    "Neighborhoods",
    "OversizedRows",
    "Reason",
    "Reference",
    "RefusalCounts",
    "Refused",
    "RowFilter",
    "check_exportable",
    "check_leak",
    "filter_batch",
    "filter_rows",
    "misfits",
]
