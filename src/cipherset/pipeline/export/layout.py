"""The columns of a cipherset's Parquet files: what may stand beside a ciphertext, and how.

    row      string, 32 hex digits: random, says nothing (readable everywhere, unlike binary)
    vector   fixed_size_list<float32>[dim], list and elements not null
    label    string (classification), float64 (regression) or list<string> (several labels a
             row, sorted, none twice; an empty list for none), not null; absent without labels
    ...      the clear columns under their own names, nullable, of one of the flat types below

The schema carries no metadata: no name or path of the source travels in it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.manifest import VECTOR, Manifest, Task
from cipherset.core.sets import labels_of
from cipherset.core.values import LABEL, ROW, EncryptedVectors, Float32s

_LABEL_TYPES: Final = {
    Task.CLASSIFICATION: pa.string(),
    Task.REGRESSION: pa.float64(),
    Task.MULTILABEL: pa.list_(pa.field("element", pa.string(), nullable=False)),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What leaves beside the vectors: only what is named here; everything else stays."""

    dim: int
    task: Task | None
    clear: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that would collide.

        Raises:
            InputError: a clear column is called like one of ours, or twice.
        """
        ours = {ROW, VECTOR, LABEL}
        taken = sorted(ours.intersection(self.clear))
        if taken or len(set(self.clear)) != len(self.clear):
            raise InputError(
                f"a clear column may not be called {taken[0]!r}"
                if taken
                else "a clear column is named twice",
                code="column_name",
                hint="rename it in the source, or leave it out of --keep",
            )


def layout_of(manifest: Manifest) -> Layout:
    """The layout that a manifest promises."""
    return Layout(manifest.dim, manifest.task, manifest.clear_columns)


def to_table(batch: EncryptedVectors, layout: Layout, ids: pa.Array) -> pa.Table:
    """The rows of ``batch`` as they will stand in the file, with ``ids`` as their row ids.

    Leaks: the columns that ``layout`` names, in the clear.

    Raises:
        InputError: a missing or empty label, a missing clear column, one of a nested type,
            vectors that are not finite.
        DimensionError: vectors of another width.
    """
    columns = [ids, _vectors(batch.values, layout.dim)]
    if layout.task is not None:
        columns.append(_labels(batch.columns, layout.task))
    columns += [_clear(batch.columns, name) for name in layout.clear]
    return pa.Table.from_arrays(columns, schema=_schema(layout, columns))


def check_schema(found: pa.Schema, layout: Layout) -> bool:
    """Whether a file has exactly the columns of ``layout``, in their order and types."""
    n_clear = len(layout.clear)
    types = [field.type for field in found][len(found) - n_clear :] if n_clear else []
    if len(found) < 2 + n_clear or not all(_is_flat(kind) for kind in types):
        return False
    kinds = [pa.string(), _vector_type(layout.dim)]
    if layout.task is not None:
        kinds.append(_LABEL_TYPES[layout.task])
    expected = _fields(layout, [*kinds, *types])
    return bool(found.remove_metadata().equals(expected))


def matrix(table: pa.Table) -> Float32s:
    """The vectors of ``table``, shape (n, dim); a view where Arrow allows."""
    column = table[VECTOR].combine_chunks()
    width = column.type.list_size
    flat: Float32s = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), width)


def _schema(layout: Layout, columns: list[pa.Array]) -> pa.Schema:
    return _fields(layout, [column.type for column in columns])


def _fields(layout: Layout, types: list[pa.DataType]) -> pa.Schema:
    names = [ROW, VECTOR, *([LABEL] if layout.task else []), *layout.clear]
    return pa.schema(
        [
            pa.field(name, kind, nullable=name in layout.clear)
            for name, kind in zip(names, types, strict=True)
        ]
    )


def _vector_type(dim: int) -> pa.DataType:
    # Not null, list and element: Parquet then needs no definition levels, and reads 3x faster.
    return pa.list_(pa.field("element", pa.float32(), nullable=False), dim)


def _vectors(values: Float32s, dim: int) -> pa.Array:
    if values.ndim != 2 or values.shape[1] != dim:
        raise DimensionError(
            f"vectors have shape {values.shape}, expected (n, {dim})",
            code="dimension",
            hint="every batch of one export has the width its writer was made for",
        )
    if not np.isfinite(values).all():
        raise InputError(
            "an encrypted vector is not finite",
            code="not_finite",
            hint="check the vectors before they are encrypted",
        )
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=_vector_type(dim))


def _labels(columns: pa.Table, task: Task) -> pa.Array:
    column = _column(columns, LABEL)
    if column.null_count:
        raise InputError(
            f"{column.null_count} rows have no label",
            code="label_missing",
            hint="leave them out of the source, or give them a label",
        )
    if task is Task.MULTILABEL:
        sets = [labels_of(text) for text in column.to_pylist()]
        return pa.array(sets, _LABEL_TYPES[task])
    try:
        labels = pc.cast(column, _LABEL_TYPES[task])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(
            f"labels of type {column.type} do not fit {task.value}",
            code="label_type",
            hint="classification takes names or whole numbers, regression takes numbers",
        ) from None
    if task is Task.REGRESSION and not np.isfinite(labels.to_numpy(zero_copy_only=False)).all():
        raise InputError(
            "a label is not a finite number",
            code="label_not_finite",
            hint="leave such rows out of the source",
        )
    return labels


def _clear(columns: pa.Table, name: str) -> pa.Array:
    column = _column(columns, name)
    if not _is_flat(column.type):
        raise InputError(
            f"clear column {name!r} is of type {column.type}, which cannot leave",
            code="clear_type",
            hint="keep columns of text, numbers, dates or true/false",
        )
    return column


def _column(columns: pa.Table, name: str) -> pa.Array:
    if name not in columns.column_names:
        raise InputError(
            f"the rows to export have no column {name!r}",
            code="column_missing",
            hint="name a column that the source has",
        )
    column = columns[name].combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def _is_flat(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
    )
