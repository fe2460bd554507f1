"""Batches of named columns to Records and Vectors, by the part each column plays."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.core.errors import DimensionError, InputError, UsageError
from cipherset.core.sets import set_of_cell
from cipherset.core.values import (
    BESIDE,
    GROUP,
    LABEL,
    POOL,
    ROW,
    ColumnRoles,
    EncryptedVectors,
    Float32s,
    Images,
    Records,
    Vectors,
)
from cipherset.pipeline.ingest import faults
from cipherset.pipeline.ingest.pictures.decode import decoded
from cipherset.pipeline.ingest.reader import Batch, Part

_TAKEN: Final = frozenset({ROW, LABEL, GROUP, POOL, "vector"})


def parts_of(roles: ColumnRoles) -> dict[str, Part]:
    """What each column of ``roles`` is read as.

    Raises:
        UsageError: ``column_clash``: a kept column takes a name an export needs, or a column
            would both be kept, label or group and be what is to be protected;
            ``label_separator``: of no label, or nothing.
    """
    _check_separator(roles)
    named = (roles.label, roles.group, roles.pool)
    clear = (*roles.keep, *(each for each in named if each is not None))
    private = (*roles.text, *roles.beside)
    private += tuple(each for each in (roles.vector, roles.image) if each is not None)
    for column in roles.keep:
        if column in _TAKEN or (roles.beside and column == BESIDE):
            raise _clash(f"a kept column cannot be called {column!r}: an export needs the name")
    for column in private:
        if column in clear or private.count(column) > 1:
            raise _clash(f"column {column!r} cannot play two parts")
    if len(set(roles.keep)) < len(roles.keep):
        raise _clash("a column is named twice among those to keep")
    parts = dict.fromkeys(clear, Part.SCALAR) | dict.fromkeys(roles.text, Part.TEXT)
    parts |= {} if roles.label_separator is None else {roles.label or "": Part.CELL}
    parts |= dict.fromkeys(roles.beside, Part.CELL)
    if roles.vector is not None:
        parts[roles.vector] = Part.VECTOR
    if roles.image is not None:
        parts[roles.image] = Part.IMAGE
    return parts


def _check_separator(roles: ColumnRoles) -> None:
    if roles.label_separator is not None and not (roles.label and roles.label_separator):
        raise UsageError(
            "a separator of labels needs a column of labels, and a character at least",
            code="label_separator",
            hint="for example --label tags --labels-sep ';'",
        )


def joined_text(parts: Iterable[str | None]) -> str:
    """The cells of a row's text columns, one below the other; empty ones leave no line."""
    return "\n".join(part for part in parts if part is not None and part.strip())


def records(name: str, batch: Batch, roles: ColumnRoles) -> Records:
    """The rows of ``batch``: text columns joined by line breaks, parts without text left out.

    Raises:
        InputError: ``text_missing``, ``label_missing`` or ``group_missing``.
    """
    cells = [batch.table.column(column).to_pylist() for column in roles.text]
    texts = []
    for row, parts in enumerate(zip(*cells, strict=True), start=batch.start + 1):
        text = joined_text(parts)
        if not text:
            raise faults.missing_text(name, ", ".join(roles.text), row)
        texts.append(text)
    return Records(texts, clear_columns(name, batch, roles))


def vectors(name: str, batch: Batch, roles: ColumnRoles, dim: int | None) -> Vectors:
    """The rows of ``batch`` as unit vectors of width ``dim`` (None: that of the first row).

    Raises:
        InputError: ``vector_missing``, ``vector_ragged``, ``vector_not_finite``, ``vector_zero``,
            ``label_missing`` or ``group_missing``.
    """
    values = _numbers(name, batch, roles, dim)
    unit = _unit(values, faults_at=(name, roles.vector or "", batch.start))
    return Vectors(unit, clear_columns(name, batch, roles))


def images(name: str, batch: Batch, roles: ColumnRoles, side: int) -> Images:
    """The rows of ``batch`` as squares of ``side`` pixels.

    Raises:
        InputError: ``image_missing``, ``image_unreadable``, ``image_too_large``,
            ``label_missing`` or ``group_missing``.
    """
    column = roles.image or ""
    columns = clear_columns(name, batch, roles)
    pixels = np.empty((batch.table.num_rows, side, side, 3), dtype=np.uint8)
    for row, cell in enumerate(batch.table.column(column)):
        raw = cell.as_py()
        if raw is None:
            raise faults.missing_image(name, column, batch.start + row + 1)
        place = faults.at(name, row=batch.start + row + 1, column=column)
        pixels[row] = decoded(raw, side, place=place)
    return Images(pixels, columns)


def encrypted(name: str, batch: Batch, roles: ColumnRoles, dim: int | None) -> EncryptedVectors:
    """The rows of ``batch`` as they are, of any norm; for ciphertexts that others made.

    Raises:
        InputError: as ``vectors``, but not ``vector_zero``; ``vector_too_large`` for float32.
    """
    values = _numbers(name, batch, roles, dim)
    too_large = np.flatnonzero((np.abs(values) > np.finfo(np.float32).max).any(axis=1))
    if len(too_large):
        place = faults.at(name, row=batch.start + int(too_large[0]) + 1, column=roles.vector)
        raise InputError(
            f"{place}: a number too large for float32",
            code="vector_too_large",
            hint="scale all vectors of the file down by one and the same factor",
        )
    return EncryptedVectors(values.astype(np.float32), clear_columns(name, batch, roles))


def _numbers(
    name: str, batch: Batch, roles: ColumnRoles, dim: int | None
) -> npt.NDArray[np.float64]:
    """The numbers of a vector column, all finite, shape (n, dim)."""
    column = roles.vector or ""
    lists = batch.table.column(column).combine_chunks()
    row = _first(pc.is_null(lists))
    if row is not None:
        raise faults.missing_vector(name, column, batch.start + row + 1)
    widths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    expected = int(widths[0]) if dim is None else dim
    ragged = np.flatnonzero((widths != expected) | (widths == 0))
    if len(ragged):
        place = faults.at(name, row=batch.start + int(ragged[0]) + 1, column=column)
        raise DimensionError(
            f"{place}: {widths[ragged[0]]} numbers, expected {max(expected, 1)}",
            code="vector_ragged",
            hint="all vectors need the width of the first one",
        )
    values = pc.list_flatten(lists).to_numpy(zero_copy_only=False).reshape(-1, expected)
    endless = np.flatnonzero(~np.isfinite(values).all(axis=1))  # null is NaN
    if len(endless):
        place = faults.at(name, row=batch.start + int(endless[0]) + 1, column=column)
        raise InputError(
            f"{place}: NaN, infinity or null among the numbers",
            code="vector_not_finite",
            hint="every number of a vector has to be finite",
        )
    return np.asarray(values, dtype=np.float64)


def _unit(values: npt.NDArray[np.float64], *, faults_at: tuple[str, str, int]) -> Float32s:
    """Rows of ``values``, shape (n, dim), divided by their 2-norm."""
    name, column, start = faults_at
    largest = np.abs(values).max(axis=1)
    zero = np.flatnonzero(largest == 0)
    if len(zero):
        place = faults.at(name, row=start + int(zero[0]) + 1, column=column)
        raise InputError(
            f"{place}: a vector of zeros",
            code="vector_zero",
            hint="vectors are compared by direction, and this one has none: take the row out",
        )
    scaled = values / largest[:, None]  # squares neither overflow nor vanish
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True), dtype=np.float32)


def clear_columns(name: str, batch: Batch, roles: ColumnRoles) -> pa.Table:
    """``row``, ``label``, ``group``, the kept columns and what stands beside, of ``batch``."""
    n_rows = batch.table.num_rows
    arrays: dict[str, pa.ChunkedArray | pa.Array] = {
        ROW: pa.array(np.arange(batch.start, batch.start + n_rows), pa.int64())
    }
    if roles.label is not None and roles.label_separator is not None:
        arrays[LABEL] = _sets(name, batch, roles.label, roles.label_separator)
    elif roles.label is not None:
        arrays[LABEL] = _present(name, batch, roles.label, faults.missing_label)
    if roles.group is not None:
        group = _present(name, batch, roles.group, faults.missing_group)
        arrays[GROUP] = pc.cast(group, pa.string())
    if roles.pool is not None:
        pool = _present(name, batch, roles.pool, faults.missing_pool)
        arrays[POOL] = pc.cast(pool, pa.string())
    if roles.beside:
        arrays[BESIDE] = _cells(batch, roles.beside)
    kept: Mapping[str, pa.ChunkedArray] = {each: batch.table.column(each) for each in roles.keep}
    return pa.table({**arrays, **kept})


def _cells(batch: Batch, names: tuple[str, ...]) -> pa.Array:
    """The cells of ``names``, row by row, as one text; a missing one is null."""
    cells = [batch.table.column(name).to_pylist() for name in names]
    return pa.array([json.dumps(row) for row in zip(*cells, strict=True)], pa.string())


def _sets(name: str, batch: Batch, column: str, separator: str) -> pa.Array:
    """The set of labels in each cell, as one text; an empty cell holds none, a missing one cannot.

    Raises:
        InputError: ``label_missing``, ``label_set``.
    """
    known: dict[str, str] = {}
    for row, cell in enumerate(batch.table.column(column).to_pylist(), start=batch.start + 1):
        if cell is None:
            raise faults.missing_label(name, column, row)
        if cell in known:
            continue
        text = set_of_cell(cell, separator)
        if text is None:
            raise InputError(
                f"{faults.at(name, row=row, column=column)}: a label that is no text",
                code="label_set",
                hint="write labels as a list of texts, or as text with the separator between them",
            )
        known[cell] = text
    return pa.array([known[cell] for cell in batch.table.column(column).to_pylist()], pa.string())


def _present(
    name: str, batch: Batch, column: str, fault: Callable[[str, str, int], InputError]
) -> pa.ChunkedArray:
    """The column, after a look that every row has a value."""
    values = batch.table.column(column)
    if pa.types.is_string(values.type):
        absent = pc.equal(pc.utf8_trim_whitespace(values), "")
    elif pa.types.is_floating(values.type):
        absent = pc.invert(pc.is_finite(values))
    else:
        absent = pc.is_null(values)
    row = _first(pc.fill_null(absent, fill_value=True))
    if row is not None:
        raise fault(name, column, batch.start + row + 1)
    return values


def _first(mask: pa.ChunkedArray | pa.Array) -> int | None:
    """The position of the first true value."""
    position = pc.index(mask, pa.scalar(value=True)).as_py()
    return position if position >= 0 else None


def _clash(found: str) -> UsageError:
    return UsageError(found, code="column_clash", hint="rename the column, or give it one part")
