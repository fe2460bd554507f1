"""Texts of a source brought in, so that they may be put before a model: listed, signed, sealed."""

from dataclasses import dataclass, replace
from typing import Final

from cipherset.app.gate import Action, Fact, Moment
from cipherset.app.gate.subjects import about_source
from cipherset.app.index.leaving import key_known
from cipherset.app.labels.record import DATASET, record_source, recorded_run
from cipherset.app.serving.retrieval.kept import (
    KeptChunks,
    Place,
    chunks_of,
    folder_of,
    list_of,
)
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.pipeline.ingest import Source, open_source

BRING: Final = "chunk"
MOST_CHUNKS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class BringRequest:
    """Which texts of which source, under which key.

    ``name`` is what hits of ``search`` call the source, its own where nothing is said; ``purpose``
    the one that it may be read for, any where nothing is said; ``tenant`` the column that says
    whose a row is.
    """

    source: str
    text: tuple[str, ...]
    key: str
    name: str | None = None
    purpose: str | None = None
    tenant: str | None = None


def bring_chunks(session: Session, request: BringRequest) -> int:
    """Keep the rows of a source as chunks, in place of those kept under its name; how many.

    They are kept as they are: what must not be shown to a model is taken out before, by
    ``sanitize``.

    Raises:
        PolicyError: ``not_allowed``.
        InputError: the source or a row is not fit; ``chunks_many``.
        KeyAccessError: there is no such key, or it is not active.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    source = open_source(request.source)
    name = request.name or source.name
    with open_workspace(session) as workspace:
        about, key = about_source(workspace, source), key_known(workspace, request.key)
        if key is not None:
            about = replace(about, also=key.bound())
        facts: dict[str, Fact] = {"chunks": name}
        moment = Moment(purpose=request.purpose, key=key)
        with workspace.gate.act(
            Action.SANITIZE, source.name, facts, about=about, moment=moment
        ) as act:
            texts, tenants = _read(source, request)
            n_chunks = _keep(workspace, request, source, (name, texts, tenants))
            act.facts["rows"] = n_chunks
    return n_chunks


def _read(source: Source, request: BringRequest) -> tuple[list[str], list[str | None]]:
    keep = () if request.tenant is None else (request.tenant,)
    texts: list[str] = []
    tenants: list[str | None] = []
    for records in source.texts(ColumnRoles(text=request.text, keep=keep)):
        texts += records.texts
        if request.tenant is None:
            tenants += [None] * len(records.texts)
        else:
            column = records.columns.column(request.tenant).to_pylist()
            tenants += [None if value is None else str(value) for value in column]
        if len(texts) > MOST_CHUNKS:
            raise InputError(
                f"more than {MOST_CHUNKS:,} rows in {source.name}",
                code="chunks_many",
                hint="bring them in as several data sets",
            )
    return texts, tenants


def _keep(
    workspace: Workspace,
    request: BringRequest,
    source: Source,
    rows: tuple[str, list[str], list[str | None]],
) -> int:
    """Record the data set that the chunks are, and keep them."""
    name, texts, tenants = rows
    key = workspace.ring.open(request.key, purpose=KeyUse.EXPORT)
    signed = list_of(name, texts, tenants).signed(workspace.ring.signer())
    asset = canonical.digest_bytes(signed)
    purpose = {} if request.purpose is None else {"purpose": request.purpose}
    told = {"key_id": key.key_id, "key_version": key.version}
    with recorded_run(workspace, BRING, [record_source(workspace, source)], told) as made:
        workspace.gate.ledger.record_asset(
            asset, actor=workspace.gate.actor, kind=DATASET, name=name, attributes=purpose
        )
        kept = KeptChunks(folder_of(workspace.home, name), AesGcmSealer.from_key(key))
        place = Place(name=name, asset=asset, key_id=key.key_id, key_version=key.version)
        kept.write(place, signed, chunks_of(name, texts))
        made.append(asset)
    return len(texts)
