"""``index build``: sanitize, embed, measure, encrypt reversibly, and only then let it leave."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cipherset.app.gate import Act, Action, Fact, Moment
from cipherset.app.index.encrypting import Encrypting, tags_of
from cipherset.app.index.kept import FOLDER, Kept, Meta, Place, write_place
from cipherset.app.index.leaving import Leaving, key_known, leaving
from cipherset.app.index.opened import about_index, encrypting
from cipherset.app.index.reading import Origin, Plain, origin_of, read_plain
from cipherset.app.index.request import BuildRequest, IndexResult
from cipherset.app.index.risk import FACTORS, LEAST_ROWS, SAMPLE_ROWS, Risk, choose, decide
from cipherset.app.labels.made import of_index
from cipherset.app.labels.record import known_label, recorded_run
from cipherset.app.places import Made, check_target
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.envelope import public_key_of
from cipherset.core.errors import InputError, UsageError
from cipherset.core.files import replace_directory, stage_directory
from cipherset.core.manifest import SignerFacts
from cipherset.core.secret import KeyHandle
from cipherset.core.values import ROW
from cipherset.custody.keys import AesGcmSealer, KeyUse, ephemeral_sealer
from cipherset.custody.keys.identity import RowIdentity
from cipherset.pipeline.index import (
    Entries,
    FileIndex,
    IndexKey,
    IndexManifest,
    VectorIndex,
    open_store,
    store_kind,
    write_signed,
)
from cipherset.pipeline.index.entries import concatenated
from cipherset.pipeline.index.files import PART_ROWS

INDEX_RUN: Final = "index"
_STAGED: Final = "staged"


@dataclass(frozen=True, slots=True)
class _Draft:
    """Everything that was read and measured, before anything is written where others read."""

    workspace: Workspace
    request: BuildRequest
    origin: Origin
    key: KeyHandle
    plain: Plain = field(repr=False)
    risk: Risk


def build(session: Session, request: BuildRequest) -> IndexResult:
    """Make the encrypted index that ``request`` describes.

    With no factor given, the one with the least noise whose measured re-identification is within
    the limit.

    Leaks: to whoever keeps the index, what ``pipeline.encrypt.rsap`` says, keyed tokens of tenant,
    dataset and label, and later which queries were near which rows.

    Raises:
        InputError, UsageError, KeyAccessError, BackendError: as their messages say.
        PolicyError: it gives away more than the limit, or the policies or budgets say no.
    """
    check_target(request.target, Made.INDEX, overwrite=request.overwrite)
    with open_workspace(session) as workspace:
        origin = origin_of(workspace, request.source)
        with _indexing(workspace, request, origin) as act:
            key = workspace.ring.open(request.key, purpose=KeyUse.EXPORT)
            root = workspace.home / FOLDER
            root.mkdir(mode=0o700, exist_ok=True)
            with stage_directory(root / _STAGED) as kept:
                scratch = (kept / "scratch", ephemeral_sealer())
                scratch[0].mkdir(mode=0o700)
                plain = read_plain(session, workspace, request, origin, key, scratch)
                session.progress.start("attack", None)
                risk = _measured(request, plain)
                session.progress.finish()
                decide(risk, max_reid=request.max_reid, accepted=request.accept_risk)
                draft = _Draft(workspace, request, origin, key, plain, risk)
                manifest = _place(draft, kept)
            act.facts.update(_facts(manifest))
    return IndexResult(manifest, request.target, changed=manifest.rows)


@contextmanager
def _indexing(workspace: Workspace, request: BuildRequest, origin: Origin) -> Iterator[Act]:
    about = origin.about
    key = key_known(workspace, request.key)
    if key is not None:
        about = replace(about, also=key.bound())
    facts: dict[str, Fact] = {
        "source": origin.name,
        "key": request.key,
        "max_reid": request.max_reid,
        "accepted_risk": request.accept_risk,
        "rules": request.rules.digest,
    }
    moment = Moment(accepted_risk=request.accept_risk is not None, key=key)
    with workspace.gate.act(
        Action.INDEX, str(request.target), facts, about=about, moment=moment
    ) as act:
        yield act


def _measured(request: BuildRequest, plain: Plain) -> Risk:
    if plain.n_rows < LEAST_ROWS:
        raise InputError(
            f"{plain.n_rows} rows are too few to measure what their index gives away; it takes "
            f"{LEAST_ROWS}",
            code="index_rows",
            hint="index more rows; more can be added later",
        )
    given = request.approximation_factor
    sample = plain.sample(SAMPLE_ROWS, request.seed)
    factors = FACTORS if given is None else (given,)
    return choose(sample, factors, max_reid=request.max_reid, seed=request.seed)


def _place(draft: _Draft, kept: Path) -> IndexManifest:
    """Write, sign and place: the owner's sealed part first, so that no index lacks it."""
    workspace, request, origin = draft.workspace, draft.request, draft.origin
    made = encrypting(draft.key, draft.plain.dim, draft.risk.factor)
    manifest = _describe(draft, made)
    what = Leaving(
        origin.about,
        draft.key.key_id,
        draft.plain.n_rows,
        ((origin.asset, draft.plain.n_rows),),
        draft.risk.high,
        accepted=request.accept_risk is not None,
    )
    parameters = {"key_id": draft.key.key_id, "key_version": draft.key.version}
    with (
        recorded_run(workspace, INDEX_RUN, list(origin.inputs), parameters) as outputs,
        stage_directory(request.target, mode=0o755) as staged,
        workspace.ring.relying_on(draft.key, purpose=KeyUse.EXPORT),
        leaving(workspace, str(request.target), what),
    ):
        manifest = _write(draft, made, manifest, kept, staged)
        folder = workspace.home / FOLDER / manifest.index_id
        folder.mkdir(mode=0o700)
        for path in [each for each in kept.iterdir() if each.is_file()]:
            path.rename(folder / path.name)
        replace_directory(staged, request.target, overwrite=request.overwrite)
        _record(workspace, manifest, request.target)
        outputs.append(manifest.asset_id)
    return manifest


def _write(
    draft: _Draft, made: Encrypting, manifest: IndexManifest, kept: Path, staged: Path
) -> IndexManifest:
    """The rows, the signed manifest in ``staged``, and the sealed state in ``kept``."""
    signer = draft.workspace.ring.signer()
    named = kept / manifest.index_id  # state is sealed for the folder's final name
    named.mkdir(mode=0o700)
    sealed = Kept(named, AesGcmSealer.from_key(draft.key))
    write_signed(staged, manifest, signer)
    store = open_store(manifest, staged, signer, draft.workspace.store_password)
    try:
        manifest = _filled(draft, made, sealed, store, manifest)
    finally:
        store.close()
    write_signed(staged, manifest, signer)
    sealed.write_meta(_meta(draft, manifest))
    sealed.see_revision(manifest.revision)
    write_place(named, _place_of(draft))
    for path in named.iterdir():
        path.rename(kept / path.name)
    return manifest


def _filled(
    draft: _Draft,
    made: Encrypting,
    sealed: Kept,
    store: VectorIndex,
    manifest: IndexManifest,
) -> IndexManifest:
    if store.rows():
        raise UsageError(
            "the table holds rows already",
            code="index_table_taken",
            hint="name another table: --store URL#TABLE",
        )
    _fill(draft, made, sealed, store)
    if isinstance(store, FileIndex):
        return store.manifest
    return manifest.model_copy(update={"rows": store.rows()})


def _fill(draft: _Draft, made: Encrypting, sealed: Kept, store: VectorIndex) -> None:
    """Encrypt every row into the store, and seal which it is."""
    identity = RowIdentity(draft.workspace.ring.signer())
    waiting: list[Entries] = []
    for batch in draft.plain.batches():
        given = tags_of(batch.columns, draft.origin.asset, draft.plain.columns.tenant)
        entries = made.entries(batch.values, given)
        rows = batch.columns.column(ROW).to_pylist()
        sealed.add_values(given)
        sealed.add_rows(entries.ids, draft.origin.name, rows, identity.of_vectors(batch.values))
        waiting.append(entries)
        if sum(map(len, waiting)) >= PART_ROWS:
            store.add(concatenated(waiting))
            waiting = []
    if waiting:
        store.add(concatenated(waiting))


def _describe(draft: _Draft, made: Encrypting) -> IndexManifest:
    workspace, plain, store = draft.workspace, draft.plain, draft.request.store
    cipher = made.cipher
    return IndexManifest(
        index_id=secrets.token_hex(16),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        scheme=cipher.scheme,
        key_id=draft.key.key_id,
        keys=(IndexKey(version=draft.key.version, check=cipher.key_check),),
        dim=plain.dim,
        approximation_factor=draft.risk.factor,
        encoder=plain.encoder,
        store=store_kind(store),
        address=store if store is not None and "#" in store else None,
        sanitizer=plain.found,
        assessment=draft.risk.summary(),
        risk_accepted=draft.request.accept_risk is not None,
        label=known_label(workspace, draft.origin.about.id),
        package_version=version("cipherset"),
        signer=SignerFacts(public_key=public_key_of(workspace.ring.signer())),
    )


def _meta(draft: _Draft, manifest: IndexManifest) -> Meta:
    columns = draft.plain.columns
    return Meta(
        index_id=manifest.index_id,
        text=columns.text,
        vector=columns.vector,
        label=columns.label,
        tenant=columns.tenant,
        encoder_spec=draft.plain.encoder_spec,
        encoder=draft.plain.encoder.digest,
        rules=draft.plain.rules,
        image=columns.image,
        pool=columns.pool,
        label_separator=columns.label_separator,
    )


def _place_of(draft: _Draft) -> Place:
    target = draft.request.target.absolute()
    return Place(
        name=target.name,
        path=str(target),
        key_id=draft.key.key_id,
        key_version=draft.key.version,
    )


def _record(workspace: Workspace, manifest: IndexManifest, target: Path) -> None:
    gate = workspace.gate
    about = about_index(manifest, target)
    gate.ledger.record_asset(
        about.id,
        actor=gate.actor,
        kind=about.kind.value,
        name=f"index {manifest.index_id}",
        attributes=of_index(manifest),
    )


def _facts(manifest: IndexManifest) -> dict[str, Fact]:
    return {
        "index": manifest.index_id,
        "asset": manifest.asset_id,
        "key_id": manifest.key_id,
        "key_version": manifest.keys[0].version,
        "rows": manifest.rows,
        "factor": manifest.approximation_factor,
        "reid": manifest.assessment["reid"],
        "reid_high": manifest.assessment["reid_high"],
    }
