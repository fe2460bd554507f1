"""Whose rows are meant: by a column that was sealed, or by rows of a source that still has them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from cipherset.app import state
from cipherset.app.erasure.sealed import identities_of, rows_that_are, rows_with, sealed_column
from cipherset.app.exports.codes import Codes
from cipherset.app.images.encoders import image_side
from cipherset.app.reading.pooled import identities_of_pools, starts_of
from cipherset.core.errors import InputError
from cipherset.core.values import POOL, ROW
from cipherset.custody.keys.identity import Identities, RowIdentity
from cipherset.pipeline.ingest import Source, open_source
from cipherset.pipeline.sanitize import default_rules, sanitize


@dataclass(frozen=True, slots=True)
class Subject:
    """The value that names a person, and the column that holds it.

    The column is None for that by which rows were grouped. ``source`` is a file that still has the
    rows, for exports that have no such column sealed; None where there is none.
    """

    value: str = field(repr=False)
    column: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The rows of one export that are the subject's; ``by_column``: it says so itself."""

    export: state.ExportState
    sources: Codes = field(repr=False)
    by_column: bool


def matches(
    exports: tuple[state.ExportState, ...], subject: Subject, identity: RowIdentity
) -> list[Match]:
    """The exports that hold rows of the subject.

    First those that are known by equal rows elsewhere: once the others are done, nothing tells.

    Raises:
        InputError: the source cannot be read, or has no such column.
    """
    by_column = [_by_column(export, subject) for export in exports]
    known = [identities_of(each.export, each.sources) for each in by_column if each is not None]
    found = []
    for export, own in zip(exports, by_column, strict=True):
        if own is not None:
            found.append(own)
            continue
        theirs = [*known, _in_source(export.meta, subject, identity)]
        rows = rows_that_are(export, np.unique(np.concatenate(theirs)))
        found.append(Match(export, rows, by_column=False))
    there = [each for each in found if len(each.sources)]
    return sorted(there, key=lambda each: each.by_column)


def _by_column(export: state.ExportState, subject: Subject) -> Match | None:
    name = sealed_column(export.meta, subject.column)
    if name is None or subject.source is not None:
        return None
    return Match(export, rows_with(export, name, subject.value), by_column=True)


def _in_source(meta: state.Meta, subject: Subject, identity: RowIdentity) -> Identities:
    """The identities that the source's rows of the subject have in an export of these columns."""
    none = np.zeros(0, dtype=np.uint64)
    if subject.source is None:
        return none
    source = open_source(subject.source)
    there = source.columns()
    if not {*meta.text, *(each for each in (meta.vector, meta.image, meta.pool) if each)} <= {
        *there
    }:
        return none  # an export of another source
    rows = _rows_of(source, subject)
    return np.concatenate([none, *_identities(source, meta, rows, identity)])


def _rows_of(source: Source, subject: Subject) -> Codes:
    """The rows of the source whose column is the value.

    Raises:
        InputError: ``column_missing``; ``subject_column``: none was named.
    """
    if subject.column is None:
        raise InputError(
            "the column that names the person was not given",
            code="subject_column",
            hint="say which it is: --column COL",
        )
    found = [np.zeros(0, dtype=np.int64)]
    for batch in source.cells([subject.column]):
        cells = batch.table.column(subject.column).to_pylist()
        found.append(batch.start + np.flatnonzero([cell == subject.value for cell in cells]))
    return np.concatenate(found)


def _identities(
    source: Source, meta: state.Meta, rows: Codes, identity: RowIdentity
) -> Iterator[Identities]:
    batches = _batches(source, meta, identity)
    if meta.pool is not None:
        yield _pools(batches, rows, identity)
        return
    for columns, known in batches:
        chosen = _chosen(columns, rows)
        if len(chosen):
            yield known[chosen]


def _pools(
    batches: Iterator[tuple[pa.Table, Identities]], rows: Codes, identity: RowIdentity
) -> Identities:
    """Of the pools that have one of the rows."""
    tables, known = zip(*batches, strict=True)
    starts = starts_of(pa.concat_tables([table.select([POOL]) for table in tables]).column(POOL))
    found = identities_of_pools(identity, np.concatenate(known), starts)
    return found[np.unique(np.searchsorted(starts, rows, side="right") - 1)]


def _batches(
    source: Source, meta: state.Meta, identity: RowIdentity
) -> Iterator[tuple[pa.Table, Identities]]:
    """All rows of the source, and their identities, as an export of these columns has them."""
    roles = replace(meta.roles_for(labeled=False), beside=())  # rows are known without them
    if meta.image is not None:
        for images in source.images(roles, image_side(meta.encoder_spec or "")):
            yield images.columns, identity.of_images(images.pixels)
    elif meta.vector is not None:
        for vectors in source.vectors(roles):
            yield vectors.columns, identity.of_vectors(vectors.values)
    else:
        for records in source.texts(roles):
            clean = sanitize(records, default_rules())
            yield clean.columns, identity.of_texts(clean.texts)


def _chosen(columns: pa.Table, rows: Codes) -> Codes:
    return np.flatnonzero(np.isin(columns.column(ROW).to_numpy(), rows))
