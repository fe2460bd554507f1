"""From a source to vectors: sanitized, embedded, and pooled where rows belong together."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from cipherset.app.reading.batch import NOT_IDENTIFIED, Embedded
from cipherset.app.reading.beside import with_cells
from cipherset.app.reading.pooled import pooled
from cipherset.core.protocols import Encoder, ImageEncoder, Progress
from cipherset.core.values import (
    BESIDE,
    CleanRecords,
    ColumnRoles,
    Floats,
    Pixels,
    Records,
    Vectors,
)
from cipherset.custody.keys.identity import Identities, RowIdentity
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.minimize import FittedColumn
from cipherset.pipeline.sanitize import SanitizeRules, default_rules, sanitize
from cipherset.pipeline.sanitize.training.copies import CopyFinder

BATCH_ROWS: Final = 4096
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """What turns a source into vectors: an encoder of texts or of images, or none of the two.

    Without one the source brings its own vectors. With ``identity`` the rows are identified on the
    way, after sanitizing, and with ``copies`` compared. With fitted ``columns`` those of ``roles``
    join the vectors; without, they are left for whoever fits them.
    """

    roles: ColumnRoles
    encoder: Encoder | None
    rules: SanitizeRules
    identity: RowIdentity | None = None
    copies: CopyFinder | None = None
    images: ImageEncoder | None = None
    columns: tuple[FittedColumn, ...] = ()


def vectors_of(
    source: Source, reading: Reading, found: dict[str, int], progress: Progress
) -> Iterator[Vectors]:
    """Sanitized, embedded batches of ``source``; entity counts are added to ``found``."""
    for batch in embedded(source, reading, found, progress):
        yield batch.vectors


def embedded(
    source: Source, reading: Reading, found: dict[str, int], progress: Progress
) -> Iterator[Embedded]:
    """The same, with what rows are known again by; ``reading.copies`` has seen them."""
    batches = _rows(source, reading, found, progress)
    if reading.roles.pool is not None:
        batches = pooled(batches, source.name, reading.identity)
    for batch in batches:
        if reading.copies is not None:
            reading.copies.add(batch.said)
        yield _beside(batch, reading) if reading.roles.beside else batch


def _beside(batch: Embedded, reading: Reading) -> Embedded:
    """Rows are alike where their columns are too; known again they are without them."""
    if reading.identity is not None:
        cells = batch.columns.column(BESIDE).to_pylist()
        told = [f"{one} {row}" for one, row in zip(batch.alike.tolist(), cells, strict=True)]
        batch = replace(batch, alike=reading.identity.of_texts(told))
    if not reading.columns:
        return batch
    joined = with_cells(batch.vectors, reading.columns)
    return replace(batch, values=joined.values, columns=joined.columns)


def _rows(
    source: Source, reading: Reading, found: dict[str, int], progress: Progress
) -> Iterator[Embedded]:
    if reading.images is not None:
        return _seen(source, reading, reading.images, progress)
    if reading.encoder is None:
        return _given(source, reading)
    return _read(source, reading, reading.encoder, (found, progress))


def _given(source: Source, reading: Reading) -> Iterator[Embedded]:
    for vectors in source.vectors(reading.roles, BATCH_ROWS):
        identity = reading.identity
        known = identity.of_vectors(vectors.values) if identity else NOT_IDENTIFIED
        said = _digests(reading, vectors.values)
        yield Embedded(vectors.values, vectors.columns, known, known, said)


def _seen(
    source: Source, reading: Reading, encoder: ImageEncoder, progress: Progress
) -> Iterator[Embedded]:
    """Images are known again, and copies of each other, by their pixels."""
    for images in source.images(reading.roles, encoder.side):
        identity = reading.identity
        known = identity.of_images(images.pixels) if identity else NOT_IDENTIFIED
        values = encoder.encode(images.pixels, progress=progress)
        said = _digests(reading, images.pixels)
        yield Embedded(values, images.columns, known, known, said)


def _read(
    source: Source, reading: Reading, encoder: Encoder, told: tuple[dict[str, int], Progress]
) -> Iterator[Embedded]:
    found, progress = told
    for records in source.texts(reading.roles, BATCH_ROWS):
        clean = sanitize(records, reading.rules)
        for entity, count in clean.found.items():
            found[entity] = found.get(entity, 0) + count
        values = encoder.encode(clean.texts, progress=progress)
        identities, alike = _known(reading, records, clean)
        said = clean.texts if reading.copies is not None else []
        yield Embedded(values, clean.columns, identities, alike, said)


def _digests(reading: Reading, rows: Floats | Pixels) -> list[bytes]:
    if reading.copies is None:
        return []
    return [hashlib.blake2b(row.tobytes(), digest_size=_DIGEST_BYTES).digest() for row in rows]


def _known(
    reading: Reading, records: Records, clean: CleanRecords
) -> tuple[Identities, Identities]:
    if reading.identity is None:
        return NOT_IDENTIFIED, NOT_IDENTIFIED
    alike = reading.identity.of_texts(clean.texts)
    shipped = default_rules()
    if _told(reading.rules) == _told(shipped):
        return alike, alike
    return reading.identity.of_texts(sanitize(records, shipped).texts), alike


def _told(rules: SanitizeRules) -> tuple[object, ...]:
    """All that texts differ by, but the key."""
    return (rules.treating.treatments, *(detector.name for detector in rules.detectors))
