"""Where the rows of an index come from: a source, or the sealed source vectors of an export."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app import state
from cipherset.app.encoders import chosen_spec, opened_for
from cipherset.app.exports.dataset import VECTOR, fixed_size_list, matrix
from cipherset.app.gate import About
from cipherset.app.gate.subjects import about_cipherset
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.labels.record import record_source
from cipherset.app.places import Made
from cipherset.app.reading.beside import check_no_columns
from cipherset.app.reading.embedded import Reading, vectors_of
from cipherset.app.sanitizing.rules import keyed_rules, sealed_rules
from cipherset.app.workspace import Session, Workspace
from cipherset.core.errors import UsageError
from cipherset.core.manifest import EncoderFacts
from cipherset.core.protocols import Sealer
from cipherset.core.secret import KeyHandle
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.core.values import Float32s, Vectors
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.policy import Kind
from cipherset.pipeline.export import Cipherset, open_cipherset
from cipherset.pipeline.ingest import open_source

_SPOOL: Final = "index-vectors"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is to be indexed, as the gate and the ledger know it.

    ``name`` is what hits call it; ``asset`` is the asset that its rows count for, ``inputs`` what
    the index is made of. ``export`` is None where the rows are in a file.
    """

    name: str
    about: About
    asset: str
    inputs: tuple[str, ...]
    export: Cipherset | None = field(repr=False)


def origin_of(workspace: Workspace, source: str) -> Origin:
    """What ``source`` names: a file of rows, or a cipherset that was made here.

    Raises:
        InputError: it cannot be read.
        IntegrityError: the cipherset was changed, or is another workspace's.
    """
    path = Path(source)
    if not (path / Made.CIPHERSET).is_file():
        rows = open_source(source)
        asset = record_source(workspace, rows)
        about = About(Kind.DATASET, asset, rows.name)
        return Origin(rows.name, about, asset, (asset,), None)
    export = open_cipherset(path, signer=workspace.fingerprint)
    about = about_cipherset(export, path)
    made_of = [
        source_id
        for run in workspace.gate.ledger.runs()
        if about.id in run.outputs
        for source_id in run.inputs
    ]
    asset = made_of[-1] if made_of else about.id
    return Origin(about.name, about, asset, (about.id,), export)


@dataclass(frozen=True, slots=True)
class Plain:
    """The vectors of everything that is to be indexed, in scratch that nobody else can read.

    ``columns`` are those that were read, ``rules`` the text of the rules that texts were
    sanitized by.
    """

    spool: Spool = field(repr=False)
    dim: int
    columns: Columns
    encoder: EncoderFacts
    encoder_spec: str | None
    rules: str
    found: dict[str, int]

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.spool.n_rows

    def sample(self, most: int, seed: int) -> Float32s:
        """At most ``most`` of the vectors, drawn at random."""
        rng = np.random.default_rng([seed, 0x5A])
        chosen = np.sort(rng.permutation(self.n_rows)[:most])
        return matrix(self.spool.take(chosen).column(VECTOR))

    def batches(self) -> Iterator[Vectors]:
        """The rows with their columns, in their order."""
        for table in self.spool.chunks():
            yield Vectors(matrix(table.column(VECTOR)), table.drop_columns([VECTOR]))


def read_plain(
    session: Session,
    workspace: Workspace,
    request: BuildRequest,
    origin: Origin,
    key: KeyHandle,
    scratch: tuple[Path, Sealer],
) -> Plain:
    """Read, sanitize and embed everything once, into a sealed file of the scratch folder.

    Raises:
        InputError, UsageError, BackendError: as their messages say.
    """
    if origin.export is not None:
        return _of_export(session, workspace, request, origin.export, scratch)
    columns = request.columns
    if not (columns.text or columns.vector or columns.image):
        raise UsageError(
            "which column is to be searched?",
            code="usage",
            hint="say --text COL, --vector COL for your own vectors, or --image COL",
        )
    encoder = opened_for(columns.roles, request.encoder, session.cache)
    rules = keyed_rules(request.rules, key)
    reading = Reading(columns.roles, encoder.texts, rules, images=encoder.images)
    found: dict[str, int] = {}
    batches = vectors_of(open_source(request.source), reading, found, session.progress)
    spool, dim = _spooled(batches, scratch)
    spec = chosen_spec(columns.roles, request.encoder)
    return Plain(spool, dim, columns, encoder.facts(dim), spec, request.rules.text, found)


def _of_export(
    session: Session,
    workspace: Workspace,
    request: BuildRequest,
    export: Cipherset,
    scratch: tuple[Path, Sealer],
) -> Plain:
    """The sealed source vectors of an export: the owner's, of full width and without noise."""
    manifest = export.manifest
    if request.columns != Columns():
        raise UsageError(
            "a cipherset brings its columns",
            code="usage",
            hint="leave out the options that name columns, or index its source instead",
        )
    key = workspace.ring.open(manifest.key_id, manifest.key_version, purpose=KeyUse.QUERY)
    kept = state.read_state(workspace.exports, manifest.cipherset_id, AesGcmSealer.from_key(key))
    check_no_columns(kept.meta, "an index")
    sealed_rules(kept.meta.rules, key)
    rows = (
        Vectors(matrix(table.column(VECTOR)), table.drop_columns([VECTOR]))
        for table in map(_without_gaps, kept.vectors.chunks())
        if table.num_rows
    )
    spool, dim = _spooled(rows, scratch)
    meta = kept.meta
    columns = Columns(meta.text, meta.vector, meta.label, image=meta.image, pool=meta.pool)
    return Plain(
        spool,
        dim,
        replace(columns, label_separator=meta.label_separator),
        manifest.encoder,
        meta.encoder_spec,
        meta.rules,
        dict(manifest.sanitizer),
    )


def _without_gaps(table: pa.Table) -> pa.Table:
    """The rows that are still there: one that was forgotten has nothing in it."""
    return table.filter(pc.is_valid(table.column(VECTOR)))


def _spooled(batches: Iterator[Vectors], scratch: tuple[Path, Sealer]) -> tuple[Spool, int]:
    folder, sealer = scratch
    path, dim = folder / _SPOOL, 0
    with SpoolWriter(path, sealer, _SPOOL) as writer:
        for batch in batches:
            dim = batch.values.shape[1]
            writer.append(batch.columns.append_column(VECTOR, fixed_size_list(batch.values)))
    return Spool(path, sealer, _SPOOL), dim
