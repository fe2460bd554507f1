"""What an assessment reads beside the export: public text, and the records that were protected."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.app.assess.case import Public, Values
from cipherset.app.assess.request import PublicSource
from cipherset.app.exports.codes import targets_of
from cipherset.app.exports.commit import SOURCE_CONTEXT
from cipherset.app.exports.utility import Targets
from cipherset.app.gateway import encoder_of, image_encoder_of
from cipherset.app.reading.beside import with_cells
from cipherset.app.reading.embedded import Reading, vectors_of
from cipherset.app.state import Meta
from cipherset.app.workspace import Session
from cipherset.core.errors import DimensionError, InputError
from cipherset.core.secret import KeyHandle
from cipherset.core.values import ColumnRoles, Float32s, Vectors
from cipherset.custody.keys import KeyedDigest
from cipherset.pipeline.ingest import Consent, Source, open_source
from cipherset.pipeline.sanitize import SanitizeRules, sanitize

# The attacks take samples of what is more.
MOST_PUBLIC: Final = 10_000
FEWEST_CLASSES: Final = 2


@dataclass(frozen=True, slots=True)
class Read:
    """Rows of a source in memory: texts as they are embedded, and some of its columns."""

    texts: tuple[str, ...] = field(repr=False)
    columns: pa.Table = field(repr=False)


def read_records(
    source: str,
    meta: Meta,
    key: KeyHandle,
    attributes: tuple[str, ...],
    rules: SanitizeRules,
) -> tuple[tuple[str, ...], dict[str, Values]]:
    """The texts that were protected, row by row of the source, and columns that did not leave.

    Raises:
        InputError: another source than the one the export was made of (code ``records_differ``),
            or one without text (code ``records_text``).
    """
    opened = open_source(source)
    if not meta.text or meta.pool is not None:
        raise InputError(
            "this export was made of vectors, images or pooled texts; there are no texts to read",
            code="records_text",
            hint="leave --records out",
        )
    if _keyed_digest(opened, key) != meta.source_digest:
        raise InputError(
            f"{opened.name} is not the source this export was made of",
            code="records_differ",
            hint="give the very file that was protected, unchanged",
        )
    if meta.consent is not None:  # rows are counted among those with consent
        opened = opened.with_consent(Consent(meta.consent, meta.consent_for))
    read = _read(opened, ColumnRoles(text=meta.text, keep=attributes), rules)
    values = {
        name: np.asarray([str(v) for v in read.columns.column(name).to_pylist()])
        for name in attributes
    }
    return read.texts, values


def read_public(session: Session, meta: Meta, public: PublicSource, rules: SanitizeRules) -> Public:
    """Public text (or vectors) made as the export's were, with labels where the source has them.

    Tokens in it are under the export's own key, which helps the attacks and hides nothing.

    Raises:
        InputError: the source lacks a column.
        BackendError: the encoder's weights are not there.
    """
    opened = open_source(public.source)
    label = public.label or (meta.label if meta.label in opened.columns() else None)
    asked = replace(
        meta.roles_for(labeled=False),
        label=label,
        label_separator=None if label is None else meta.label_separator,
    )
    encoder = encoder_of(meta, session.cache)
    if encoder is None or meta.pool is not None:
        roles = asked
        if meta.vector is not None:
            roles = replace(roles, vector=public.vector or meta.vector)
        images = image_encoder_of(meta, session.cache)
        reading = Reading(roles, encoder, rules, images=images, columns=meta.settings.columns)
        batches = list(vectors_of(opened, reading, {}, session.progress))
        x = np.concatenate([batch.values for batch in batches])
        read = Read((), pa.concat_tables([batch.columns for batch in batches]))
    else:
        read = _read(opened, replace(asked, text=public.text or meta.text), rules)
        some = np.random.default_rng(0).permutation(len(read.texts))[:MOST_PUBLIC]
        read = Read(tuple(read.texts[i] for i in some), read.columns.take(some))
        x = encoder.encode(read.texts, progress=session.progress)
        x = with_cells(Vectors(x, read.columns), meta.settings.columns).values
    if x.shape[1] != meta.dim_in:
        raise DimensionError(
            f"{opened.name}: vectors of {x.shape[1]} numbers, the export's were of {meta.dim_in}",
            code="dimension",
            hint="give public vectors of the same encoder",
        )
    return _labeled(x, None if label is None else _targets(opened, read, meta), read.texts)


def _labeled(x: Float32s, y: Targets | None, texts: tuple[str, ...]) -> Public:
    """Without the rows whose class the export has not got; of fewer than two classes, no labels."""
    is_class = y is not None and y.dtype.kind == "i" and y.ndim == 1
    if y is None or (is_class and len(np.unique(y[y >= 0])) < FEWEST_CLASSES):
        return Public(x, None, texts, is_own=False)
    known = y >= 0 if is_class else np.ones(len(y), dtype=bool)
    kept = tuple(text for text, keep in zip(texts, known, strict=True) if keep) if texts else ()
    return Public(x[known], y[known], kept, is_own=False)


def _read(source: Source, roles: ColumnRoles, rules: SanitizeRules) -> Read:
    texts: list[str] = []
    tables: list[pa.Table] = []
    for records in source.texts(roles):
        clean = sanitize(records, rules)
        texts += clean.texts
        tables.append(clean.columns)
    return Read(tuple(texts), pa.concat_tables(tables))


def _targets(source: Source, read: Read, meta: Meta) -> Targets:
    try:
        return targets_of(read.columns, meta)
    except pa.ArrowInvalid:
        raise InputError(
            f"{source.name}: the labels of the export are numbers, these are not",
            code="public_labels",
            hint="name a numeric column: --label COL",
        ) from None


def _keyed_digest(source: Source, key: KeyHandle) -> str:
    stream = KeyedDigest(key).stream(SOURCE_CONTEXT)
    for chunk in source.read_bytes_chunks():
        stream.update(chunk)
    return stream.digest()
