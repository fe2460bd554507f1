"""A source, cleaned and embedded once, sealed on disk; in memory a few bytes per row."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app import state
from cipherset.app.exports.codes import Codebook, Codes, combine
from cipherset.app.reading.batch import Embedded
from cipherset.app.reading.embedded import Reading
from cipherset.core.protocols import Progress, Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.core.values import (
    GROUP,
    LABEL,
    ColumnRoles,
    Float32s,
)
from cipherset.custody.keys.identity import Identities
from cipherset.pipeline.minimize import FittedColumn
from cipherset.pipeline.sanitize.training.copies import Copies, CopyFinder

VECTOR = "vector"
# Makes rows vectors as it is told to; what was found in their texts is added to the counts.
Read = Callable[[Reading, dict[str, int]], Iterable[Embedded]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of the owner zone: vectors sealed in ``spool``, everything else as codes.

    ``identities`` are equal where two rows hold the same text or vector, whatever their columns.
    They are of texts as the shipped rules leave them, so that a row is known again in an export
    by other rules; ``alike`` are of texts as this export's rules do. ``copies`` says which rows
    belong on one side of a split. ``members`` are the identities of the rows that each was pooled
    from; None where none was. ``columns`` are those that the vectors hold too.
    """

    spool: Spool = field(repr=False)
    dim: int
    roles: ColumnRoles
    classes: tuple[str, ...] = field(repr=False)
    labels: Codes | None = field(repr=False)
    numbers: npt.NDArray[np.float64] | None = field(repr=False)
    groups: Codes | None = field(repr=False)
    clear: Codes = field(repr=False)
    found: dict[str, int]
    identities: Identities = field(repr=False)
    alike: Identities = field(repr=False)
    copies: Copies | None = field(default=None, repr=False)
    members: pa.ListArray | None = field(default=None, repr=False)
    columns: tuple[FittedColumn, ...] = ()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.clear)

    def charged(self, rows: Codes) -> Identities:
        """What budgets know ``rows`` by: a pool by every row that it was made of."""
        if self.members is None:
            return self.identities[rows]
        return np.asarray(self.members.take(pa.array(rows)).flatten(), dtype=np.uint64)

    def vectors(self, rows: Codes) -> Float32s:
        """The unit-norm vectors of ``rows``, shape (len(rows), dim)."""
        return matrix(self.spool.take(rows).column(VECTOR))


def matrix(column: pa.ChunkedArray) -> Float32s:
    """A fixed-size-list column as an array (n, dim)."""
    flat = column.combine_chunks()
    width = flat.type.list_size
    return np.asarray(flat.flatten().to_numpy(), dtype=np.float32).reshape(-1, width)


def fixed_size_list(values: Float32s) -> pa.FixedSizeListArray:
    """An array (n, dim) as a fixed-size-list column."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), values.shape[1])


def known_by(rows: pa.Table, dataset: Dataset) -> pa.Table:
    """A map of row ids to source rows, with what each row is known again and charged by."""
    source = rows.column("source").to_numpy()
    rows = rows.append_column(state.IDENTITY, pa.array(dataset.identities[source]))
    if dataset.members is None:
        return rows
    return rows.append_column(state.MEMBERS, dataset.members.take(pa.array(source)))


def load(
    read: Read, reading: Reading, *, path: Path, sealer: Sealer, progress: Progress
) -> Dataset:
    """What ``read`` makes of a source, in a sealed spool at ``path``.

    Raises:
        InputError: anything wrong with the source; the message names file, row and column.
        BackendError: the disk is full or not writable.
    """
    found: dict[str, int] = {}
    copies = CopyFinder()
    reading = replace(reading, copies=copies)
    columns = _Columns(reading.roles)
    dim = 0
    progress.start("read, sanitize, embed", None)
    with SpoolWriter(path, sealer, "vectors") as writer:
        for batch in read(reading, found):
            columns.add(batch)
            dim = batch.values.shape[1]
            writer.append(batch.columns.append_column(VECTOR, fixed_size_list(batch.values)))
            if reading.encoder is None and reading.images is None:
                progress.advance(len(batch.values))
    progress.finish()
    spool = Spool(path, sealer, "vectors")
    return replace(columns.dataset(spool, dim, found), copies=copies.found())


class _Columns:
    """Collects label, group and clear columns as codes while the batches go by."""

    def __init__(self, roles: ColumnRoles) -> None:
        self._roles = roles
        self._books = {name: Codebook() for name in (LABEL, GROUP, *roles.keep)}
        # Bytes grow in their place, where a list of arrays would be held twice in the end.
        self._codes: dict[str, bytearray] = {}
        self._numbers: list[npt.NDArray[np.float64]] | None = []
        self._identities = bytearray()
        self._alike: bytearray | None = None  # as the identities, so far
        self._members: list[pa.ListArray] = []

    def add(self, batch: Embedded) -> None:
        columns = batch.columns
        if self._alike is None and not np.array_equal(batch.alike, batch.identities):
            self._alike = bytearray(self._identities)
        if self._alike is not None:
            self._alike += batch.alike.tobytes()
        self._identities += batch.identities.tobytes()
        if batch.members is not None:
            self._members.append(batch.members)
        for name, book in self._books.items():
            if name in columns.column_names:
                codes = book.encode(columns.column(name))
                self._codes.setdefault(name, bytearray()).extend(codes.tobytes())
        self._add_numbers(columns)

    def _add_numbers(self, columns: pa.Table) -> None:
        if self._roles.label is None or self._numbers is None:
            return
        try:
            values = columns.column(LABEL).cast(pa.float64())
        except pa.ArrowInvalid:  # a label that is no number: these are classes
            self._numbers = None
            return
        self._numbers.append(values.to_numpy())

    def dataset(self, spool: Spool, dim: int, found: dict[str, int]) -> Dataset:
        codes = {name: np.frombuffer(raw, dtype=np.int64) for name, raw in self._codes.items()}
        clear = [codes[name] for name in (LABEL, *self._roles.keep) if name in codes]
        if LABEL in codes:
            codes[LABEL] = _in_order_of_value(codes[LABEL], self._books[LABEL])
        numbers = np.concatenate(self._numbers) if self._numbers else None
        identities = np.frombuffer(self._identities, dtype=np.uint64)
        alike = None if self._alike is None else np.frombuffer(self._alike, dtype=np.uint64)
        return Dataset(
            spool=spool,
            dim=dim,
            roles=self._roles,
            classes=tuple(self._books[LABEL].values),
            labels=codes.get(LABEL),
            numbers=numbers if numbers is not None and np.isfinite(numbers).all() else None,
            groups=codes.get(GROUP),
            clear=combine(clear) if clear else np.zeros(spool.n_rows, dtype=np.int64),
            found=dict(sorted(found.items())),
            identities=identities,
            alike=identities if alike is None else alike,
            members=pa.concat_arrays(self._members) if self._members else None,
        )


def _in_order_of_value(codes: Codes, book: Codebook) -> Codes:
    """The codes renumbered so that classes are sorted, whatever order the rows came in."""
    order = np.argsort(np.array(book.values, dtype=object))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    book.values = [book.values[i] for i in order]
    return rank[codes]
