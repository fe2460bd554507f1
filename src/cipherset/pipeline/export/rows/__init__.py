"""Rows to a file that others read: CSV, TSV, JSON Lines or Parquet."""

from cipherset.pipeline.export.rows.write import (
    Kind,
    RowsWriter,
    kind_of,
    open_writer,
    some_columns,
)

__all__ = ["Kind", "RowsWriter", "kind_of", "open_writer", "some_columns"]
