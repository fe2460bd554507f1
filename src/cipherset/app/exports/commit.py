"""The last steps of ``protect``: write down what it is, seal what stays, put both in place."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cipherset.app import state
from cipherset.app.exports.dataset import Dataset, known_by
from cipherset.app.exports.earlier.join import Shared
from cipherset.app.exports.earlier.live import STAGED
from cipherset.app.exports.earlier.repeat import Asked, Measured, request_digest
from cipherset.app.exports.fitting import Fitted
from cipherset.app.exports.leak import Leak
from cipherset.app.exports.plan import Plan
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.exports.utility import Utility
from cipherset.app.labels.origin import Origin
from cipherset.app.places import Made
from cipherset.core.canonical import digest_bytes
from cipherset.core.envelope import public_key_of
from cipherset.core.files import discard_directory, replace_directory
from cipherset.core.manifest import EncoderFacts, Lineage, Manifest, PrivacyFacts, SignerFacts
from cipherset.core.spool import SpoolWriter
from cipherset.core.values import LABEL
from cipherset.custody.keys import KeyedDigest
from cipherset.pipeline.export import Written, k_anonymity, write_manifest
from cipherset.pipeline.ingest import Source

SOURCE_CONTEXT: Final = "source"


@dataclass(frozen=True, slots=True)
class Draft:
    """Rows read, planned and fitted; what others share of them, and what the noise promises."""

    dataset: Dataset
    plan: Plan
    fitted: Fitted
    encoder: EncoderFacts
    asked: Asked
    shared: Shared | None
    privacy: PrivacyFacts | None
    origin: Origin
    without_consent: int | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A draft whose rows are written and measured, but not yet in place."""

    draft: Draft
    leak: Leak
    utility: Utility | None
    written: Written = field(repr=False)
    anchored: int


def keyed_digest(owner: Owner, source: Source) -> str:
    """A digest of the source that confirms a guess to nobody without the key."""
    stream = KeyedDigest(owner.key).stream(SOURCE_CONTEXT)
    for chunk in source.read_bytes_chunks():
        stream.update(chunk)
    return stream.digest()


def describe(owner: Owner, request: ProtectRequest, built: Built) -> Manifest:
    """The manifest of an export."""
    draft = built.draft
    cipher, dataset, plan = draft.fitted.protection.cipher, draft.dataset, draft.plan
    clear = [*([] if plan.task is None else [LABEL]), *dataset.roles.keep]
    return Manifest(
        scheme=cipher.scheme,
        key_id=owner.key.key_id,
        key_version=owner.key.version,
        key_check=cipher.key_check,
        cipherset_id=secrets.token_hex(16),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        dim=cipher.dim,
        approximation_factor=cipher.approximation_factor if draft.privacy is None else None,
        noise=cipher.noise.kind.value,
        privacy=draft.privacy,
        minimizer=draft.fitted.protection.minimizer.spec,
        encoder=draft.encoder,
        task=plan.task,
        label_column=dataset.roles.label,
        classes=plan.classes(dataset),
        clear_columns=dataset.roles.keep,
        splits=built.written.splits,
        sanitizer=dataset.found,
        k_anonymity=k_anonymity(dataset.spool.chunks(), clear) if clear else None,
        assessment={
            name: float(value) for name, value in built.leak.summary().items() if value is not None
        },
        utility={} if built.utility is None else built.utility.figures(),
        settings=_settings(request, built),
        label=draft.origin.label,
        lineage=Lineage(
            source_digest=draft.asked.source,
            run_id=secrets.token_hex(8),
            package_version=version("cipherset"),
        ),
        signer=SignerFacts(public_key=public_key_of(owner.workspace.ring.signer())),
    )


def _settings(request: ProtectRequest, built: Built) -> dict[str, float | bool]:
    """What was asked for, how many rows were moved onto the anchor of their class or are copies."""
    beyond = built.draft.fitted.protection.minimizer.beyond
    told: dict[str, float | bool] = {
        "max_reid": request.max_reid,
        "test_share": request.test_share,
        "fit_share": request.fit_share,
        "settings_tried": len(built.draft.fitted.tried),
        "risk_accepted": request.accept_risk is not None,
        "rows_anchored": built.anchored,
        "rows_copied": built.draft.plan.n_copies,
        "test_rows_trained_on": built.draft.plan.n_leaked,
    }
    roles = request.roles
    kinds = {"images": roles.image, "pooled": roles.pool, "ranked": roles.ranked or None}
    told |= {name: True for name, asked in kinds.items() if asked is not None}
    if roles.beside:
        told["columns_beside"] = len(roles.beside)
    if len(request.roles.text) > 1:
        told["fields_given"] = len(request.roles.text)
        told["fields_kept"] = len(built.draft.dataset.roles.text)
    if built.draft.without_consent is not None:
        told["rows_without_consent"] = built.draft.without_consent
    if built.draft.plan.n_suspect is not None:
        told["rows_suspect"] = built.draft.plan.n_suspect
    if built.draft.origin.is_mixed:
        told["mixing_accepted"] = True
    return told if beyond is None else told | {"anchored_beyond": beyond}


def seal_rows(folder: Path, owner: Owner, dataset: Dataset, written: Written) -> None:
    """Seal the map from row ids to source rows and identities; the map itself is used up."""
    with SpoolWriter(folder / state.ROWS, owner.sealer, state.ROWS) as writer:
        for table in written.row_map:
            writer.append(known_by(table.select(["row", "source", "split"]), dataset))


def put_in_place(
    owner: Owner,
    request: ProtectRequest,
    built: Built,
    manifest: Manifest,
    *,
    kept: Path,
    staged: Path,
) -> str:
    """Sign and place: the owner's sealed part first, so that no export lacks it.

    Returns the digest of the manifest.
    """
    digest = write_manifest(staged, manifest, owner.workspace.ring.signer())
    draft = built.draft
    meta = meta_of(owner, request, draft.dataset, manifest, digest, draft.fitted.bound)
    state.write_meta(kept, meta, owner.sealer)
    measured = Measured(leak=built.leak, utility=built.utility).model_dump_json().encode()
    state.write_measured(kept, manifest.cipherset_id, measured, owner.sealer)
    if draft.fitted.is_new:
        path = state.minimizer_path(owner.workspace.minimizers, owner.key)
        minimizer = draft.fitted.protection.minimizer
        state.write_minimizer(path, minimizer, draft.fitted.bound, owner.sealer)
    place(owner, request, manifest.cipherset_id, digest, kept=kept, staged=staged)
    return digest


def place(
    owner: Owner,
    request: ProtectRequest,
    cipherset_id: str,
    digest: str,
    *,
    kept: Path,
    staged: Path,
) -> None:
    """Put the sealed part in its place, then the export; ``digest`` is that of its manifest."""
    folder = owner.workspace.exports / cipherset_id
    replace_directory(kept, folder, overwrite=False)
    try:
        replace_directory(staged, request.target, overwrite=request.overwrite)
    except BaseException:
        if _is_in(staged, digest):  # thus it has not left
            discard_directory(folder, staged_as=owner.workspace.exports / STAGED)
        raise
    state.mark_placed(folder)


def _is_in(staged: Path, manifest_digest: str) -> bool:
    try:
        return digest_bytes((staged / Made.CIPHERSET).read_bytes()) == manifest_digest
    except OSError:
        return False


def meta_of(
    owner: Owner,
    request: ProtectRequest,
    dataset: Dataset,
    manifest: Manifest,
    digest: str,
    settings: state.Settings,
) -> state.Meta:
    """What the owner's commands need to know of an export; ``digest`` is that of its manifest."""
    roles = dataset.roles
    return state.Meta(
        signer=owner.workspace.fingerprint,
        source_digest=manifest.lineage.source_digest,
        request=request_digest(request, manifest.encoder.digest),
        target=str(request.target.absolute()),
        cipherset_id=manifest.cipherset_id,
        manifest_digest=digest,
        key_id=manifest.key_id,
        key_version=manifest.key_version,
        text=roles.text,
        vector=roles.vector,
        label=roles.label,
        group=roles.group,
        keep=roles.keep,
        encoder_spec=request.encoder_spec,
        image=roles.image,
        pool=roles.pool,
        label_separator=roles.label_separator,
        ranked=roles.ranked,
        rules=request.rules.text,
        dim_in=dataset.dim,
        task=manifest.task,
        settings=settings,
        consent=None if request.consent is None else request.consent.column,
        consent_for="" if request.consent is None else request.consent.purpose,
    )
