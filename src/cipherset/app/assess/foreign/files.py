"""The file of ciphertexts and what stands beside it, in memory: as much as the attacks look at."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app.assess.foreign.request import ForeignFacts, ForeignRequest
from cipherset.app.encoders import open_encoder
from cipherset.app.exports.codes import Codebook, Codes
from cipherset.app.workspace import Session
from cipherset.core.errors import DimensionError, InputError
from cipherset.core.protocols import Encoder
from cipherset.core.values import LABEL, ColumnRoles, Floats
from cipherset.pipeline.ingest import Source, open_source

# A rotation at factor 4 was found of 53 % of the records from 2,500 of its ciphertexts, of 98 %
# from 8,000, in the same time.
HELD: Final = 10_000
PUBLIC: Final = 5000
VICTIMS: Final = 2000
# Alignments learn little from more, as in the suite for our own exports.
MOST_PAIRS: Final = 2000
# With fewer, no attack of the suite has ever found anything, nor is any interval narrow enough.
LEAST_ROWS: Final = 100
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows of the file: ciphertexts ``c`` (n, d), plain ``x`` (n, d), clear labels' codes."""

    c: Floats = field(repr=False)
    x: Floats = field(repr=False)
    clear: Codes = field(repr=False)

    def __len__(self) -> int:
        return len(self.c)


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """All that an attack may be handed, and the truth to score it by.

    ``c`` (n, d) are ciphertexts with labels ``y``, ``public`` (m, d) public vectors with labels
    ``public_y``; labels are None where there are none. ``victims`` and ``known`` hold records no
    two of which are alike; both are None where no plain records were given.
    """

    c: Floats = field(repr=False)
    y: Codes | None = field(repr=False)
    public: Floats = field(repr=False)
    public_y: Codes | None = field(repr=False)
    victims: Rows | None = field(repr=False)
    known: Rows | None = field(repr=False)
    facts: ForeignFacts


def read_files(session: Session, request: ForeignRequest) -> Files:
    """What ``request`` names, sampled with its seed.

    Raises:
        InputError: a source does not fit; too few rows (code ``assess_few_rows``); not one record
            for each row (code ``records_length``).
        DimensionError: the file's vectors are not as wide as the encoder's (code ``dimension``).
        BackendError: the encoder's weights are not there.
    """
    source = open_source(request.ciphertexts)
    encoder = open_encoder(request.encoder, session.cache)
    c, labels = _ciphertexts(source, request, encoder)
    texts, public_labels = _texts(request.public, request.text, request.label)
    _check_enough(len(np.unique(c, axis=0)), "different rows")
    _check_enough(len(texts), "public texts")
    rng = np.random.default_rng([request.seed, 0xF0])
    some, mine = rng.permutation(len(c))[:HELD], rng.permutation(len(texts))[:PUBLIC]
    book = Codebook()
    y = None if labels is None else book.encode(labels)
    public_y = None if y is None or public_labels is None else book.encode(public_labels)
    victims, known = _truth(session, request, encoder, c, y)
    return Files(
        c=c[some],
        y=None if y is None else y[some],
        public=encoder.encode([texts[i] for i in mine], progress=session.progress),
        public_y=None if public_y is None else public_y[mine],
        victims=victims,
        known=known,
        facts=ForeignFacts(
            name=source.name,
            sha256=_digest(source),
            encoder=encoder.name,
            rows=len(c),
            dim=c.shape[1],
            public=len(mine),
            victims=0 if victims is None else len(victims),
            pairs=0 if known is None else len(known),
        ),
    )


def _ciphertexts(
    source: Source, request: ForeignRequest, encoder: Encoder
) -> tuple[Doubles, pa.ChunkedArray | None]:
    """The vectors in a unit of their own, so that no square overflows; a scale is no secret."""
    batches = list(source.encrypted(ColumnRoles(vector=request.vector, label=request.label)))
    c = np.concatenate([batch.values for batch in batches]).astype(np.float64)
    if c.shape[1] != encoder.dim:
        raise DimensionError(
            f"{source.name}: the vectors of {request.vector!r} are {c.shape[1]} wide, those of "
            f"{encoder.name} {encoder.dim}",
            code="dimension",
            hint="give the encoder the vectors were made with: --encoder NAME",
        )
    size = float(np.sqrt((c**2).sum(axis=1).mean()))
    if request.label is None:
        return c / (size or 1.0), None
    columns = pa.concat_tables([batch.columns for batch in batches])
    return c / (size or 1.0), columns.column(LABEL)


def _texts(
    spec: str, text: tuple[str, ...], label: str | None
) -> tuple[list[str], pa.ChunkedArray | None]:
    """Texts of a source, and their labels where it has that column."""
    source = open_source(spec)
    named = label if label in source.columns() else None
    batches = list(source.texts(ColumnRoles(text=text, label=named)))
    texts = [one for batch in batches for one in batch.texts]
    if named is None:
        return texts, None
    return texts, pa.concat_tables([batch.columns for batch in batches]).column(LABEL)


def _truth(
    session: Session, request: ForeignRequest, encoder: Encoder, c: Doubles, y: Codes | None
) -> tuple[Rows | None, Rows | None]:
    """Victims, at most half of the distinct records, and others to be known pairs."""
    if request.records is None:
        return None, None
    records, _ = _texts(request.records, request.text, None)
    if len(records) != len(c):
        raise InputError(
            f"{len(records)} records for {len(c)} ciphertexts",
            code="records_length",
            hint="give the plain records in the order of the file, one for each row",
        )
    chosen = _distinct(records)
    _check_enough(len(chosen), "different records")
    rng = np.random.default_rng([request.seed, 0xF1])
    chosen = rng.permutation(chosen)
    n_victims = min(VICTIMS, len(chosen) // 2)
    chosen = chosen[: n_victims + MOST_PAIRS]
    x = encoder.encode([records[i] for i in chosen], progress=session.progress)
    clear = np.zeros(len(chosen), dtype=np.int64) if y is None else y[chosen]
    return (
        Rows(c[chosen[:n_victims]], x[:n_victims], clear[:n_victims]),
        Rows(c[chosen[n_victims:]], x[n_victims:], clear[n_victims:]),
    )


def _distinct(records: list[str]) -> Codes:
    """The first row of each record; encoders see neither case nor the width of a gap."""
    plain = [" ".join(record.casefold().split()) for record in records]
    _, first = np.unique(np.asarray(plain, dtype=object), return_index=True)
    return first.astype(np.int64)


def _check_enough(n: int, what: str) -> None:
    if n < LEAST_ROWS:
        raise InputError(
            f"{n} {what}; it takes {LEAST_ROWS}",
            code="assess_few_rows",
            hint="give more: an attack on fewer says nothing either way",
        )


def _digest(source: Source) -> str:
    digest = hashlib.sha256()
    for chunk in source.read_bytes_chunks():
        digest.update(chunk)
    return digest.hexdigest()
