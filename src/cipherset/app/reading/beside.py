"""Columns that join the vectors of their rows: their cells, and who cannot take them."""

import json

import pyarrow as pa

from cipherset.app import state
from cipherset.core.errors import InputError
from cipherset.core.values import BESIDE, Vectors
from cipherset.pipeline.minimize import FittedColumn, beside

Row = list[str | None]


def cells_of(columns: pa.Table) -> list[Row]:
    """The cells that stand beside each row."""
    return [json.loads(text) for text in columns.column(BESIDE).to_pylist()]


def with_cells(vectors: Vectors, columns: tuple[FittedColumn, ...]) -> Vectors:
    """The vectors joined by their cells, which are gone from their columns; as they are of none."""
    if not columns:
        return vectors
    values = beside(vectors.values, columns, cells_of(vectors.columns))
    return Vectors(values, vectors.columns.drop_columns([BESIDE]))


def check_no_columns(meta: state.Meta, what: str) -> None:
    """Refuse for ``what`` an export that columns are part of.

    Raises:
        InputError: ``columns_beside``.
    """
    if meta.settings.columns:
        raise InputError(
            f"this export was made with --columns, {len(meta.settings.columns)} of them, which "
            f"{what} does not take",
            code="columns_beside",
            hint="ask with cipherset predict, or make an export without --columns under a key of "
            "its own",
        )
