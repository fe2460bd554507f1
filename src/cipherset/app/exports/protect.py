"""``protect``: sanitize, embed, minimize, encrypt, measure, and only then let it leave.

The export and everything measured on it is built in staged folders. It is put in place after
the measurement, of it alone and joined with earlier exports of its rows, has allowed it. What was
exported before is not made again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from cipherset.app import state
from cipherset.app.encoders import Opened, chosen_spec, opened_for
from cipherset.app.engine import embedded as on_workers
from cipherset.app.engine.run import Distributed
from cipherset.app.exports.columns.beside import joined
from cipherset.app.exports.commit import (
    Built,
    Draft,
    describe,
    keyed_digest,
    put_in_place,
    seal_rows,
)
from cipherset.app.exports.dataset import Dataset, Read, load
from cipherset.app.exports.earlier.exposure import charged_for, leaving
from cipherset.app.exports.earlier.join import (
    check_readable,
    measure_join,
    shared_rows,
)
from cipherset.app.exports.earlier.live import STAGED, Known, look
from cipherset.app.exports.earlier.meanwhile import placing
from cipherset.app.exports.earlier.measured import check_measured
from cipherset.app.exports.earlier.privacy import Beside, privacy_facts, synthetic_beside
from cipherset.app.exports.earlier.repeat import Asked, made_before, request_digest
from cipherset.app.exports.exporting import Places, Watched, write_rows
from cipherset.app.exports.fitting import check_bound, fitted
from cipherset.app.exports.leak import measure_leak
from cipherset.app.exports.plan import (
    FIT_ROWS,
    TEST_ROWS,
    Drawing,
    Plan,
    check_enough,
    make_plan,
    sample,
)
from cipherset.app.exports.request import (
    AUTO,
    Owner,
    ProtectRequest,
    ProtectResult,
    key_of,
)
from cipherset.app.exports.sent.sent import make_room, sent
from cipherset.app.exports.utility import Part, measure
from cipherset.app.fields.needed import needed_columns
from cipherset.app.gate import About, Act, Action, Fact, Moment
from cipherset.app.gate.subjects import about_source
from cipherset.app.labels.made import AT
from cipherset.app.labels.origin import Origin, exporting
from cipherset.app.places import Made, check_target
from cipherset.app.reading.batch import Embedded
from cipherset.app.reading.embedded import Reading, embedded
from cipherset.app.sanitizing.rules import keyed_rules
from cipherset.app.vectors.remember import RememberingEncoder, Whose, remembering
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.files import stage_directory
from cipherset.core.manifest import EncoderFacts
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys import AesGcmSealer, KeyUse, ephemeral_sealer
from cipherset.custody.keys.identity import RowIdentity
from cipherset.pipeline.export import check_free
from cipherset.pipeline.ingest import Source, open_source, whole_name
from cipherset.pipeline.minimize import MinimizerKind, parse_spec
from cipherset.pipeline.sanitize import SanitizeRules


def protect(session: Session, request: ProtectRequest) -> ProtectResult:
    """Make the cipherset that ``request`` describes, or find it made before.

    Leaks: what its ``leak`` says, and its labels and clear columns.

    Raises:
        InputError, UsageError, KeyAccessError, BackendError: as their messages say.
        PolicyError: no setting keeps the limit, the finished export does not, alone or joined
            with earlier ones, or there are too few rows to tell; nothing is written then.
    """
    if request.store is None:
        check_target(request.target, Made.CIPHERSET, overwrite=request.overwrite)
    else:
        check_free(request.store, overwrite=request.overwrite)
    source = open_source(request.source)
    facts: dict[str, Fact] = {
        "source": source.name,
        "key": request.key,
        "max_reid": request.max_reid,
        "accepted_risk": request.accept_risk,
        "accepted_mixing": request.accept_mixing,
        "rules": request.rules.digest,
    }
    with (
        open_workspace(session) as workspace,
        exporting_act(workspace, request, source, facts) as act,
    ):
        key = workspace.ring.open(request.key, purpose=KeyUse.EXPORT)
        owner = Owner(workspace, key, AesGcmSealer.from_key(key), session.progress)
        check_bound(owner, request)
        request = for_purpose(workspace, request)
        if request.store is not None:
            make_room(request.target)
        result = _protect(owner, request, source, session)
        act.facts.update({**_facts(result), AT: str(result.target.absolute())})
        sent(owner, request, result)
    return replace(result, store=request.store)


def for_purpose(workspace: Workspace, request: ProtectRequest) -> ProtectRequest:
    """The request with the key's purpose, where consent is asked for and nothing else was said."""
    if request.consent is None or request.consent.purpose:
        return request
    purpose = request.purpose or workspace.ring.get(request.key).purpose
    return replace(request, consent=replace(request.consent, purpose=purpose))


@contextmanager
def exporting_act(
    workspace: Workspace, request: ProtectRequest, source: Source, facts: dict[str, Fact]
) -> Iterator[Act]:
    """The act, on the source and the key; for what was said, or what grant or key are for."""
    key = key_of(workspace, request)
    about = with_key(about_source(workspace, source), key)
    moment = Moment(
        accepted_risk=request.accept_risk is not None,
        purpose=request.purpose,
        key=key,
    )
    with workspace.gate.act(
        Action.PROTECT, request.place, facts, about=about, moment=moment
    ) as act:
        yield act


def with_key(about: About, key: About | None) -> About:
    """The source, and the key that takes part."""
    return about if key is None else replace(about, also=key.bound())


def _facts(result: ProtectResult) -> dict[str, Fact]:
    manifest, worst, joined = result.manifest, result.leak.worst, result.leak.joined
    facts: dict[str, Fact] = {
        "cipherset": manifest.cipherset_id,
        "key_id": manifest.key_id,
        "key_version": manifest.key_version,
        "reid": worst.excess,
        "reid_high": worst.high,
        "repeated": result.repeated,
        "vectors_found": result.vectors_found,
        "without_consent": manifest.settings.get("rows_without_consent"),
        "rows_suspect": manifest.settings.get("rows_suspect"),
        **result.engine,
    }
    if joined is None:
        return facts
    return facts | {
        "joined_with": ",".join(joined.exports),
        "joined_reid": joined.reid.excess,
        "joined_reid_high": joined.reid.high,
    }


def _protect(
    owner: Owner, request: ProtectRequest, source: Source, session: Session
) -> ProtectResult:
    encoder = opened_for(request.roles, request.encoder, session.cache)
    settings = request_digest(request, encoder.digest)
    asked, known = Asked(keyed_digest(owner, source), settings), look(owner)
    with (
        stage_directory(owner.workspace.exports / STAGED) as kept,
        stage_directory(request.target, mode=0o755) as staged,
    ):
        about = with_key(about_source(owner.workspace, source), key_of(owner.workspace, request))
        before = made_before(owner, request, about, (known.readable, asked), staged=staged)
        if before is not None:
            return before
        check_readable(request, known)
        with (
            exporting(owner.workspace, source, owner.key, request.accept_mixing) as origin,
            remembered_by(owner, encoder, request.source) as remembered,
        ):
            rows = consenting(source, request)
            text, chosen = needed_columns(owner, request, rows, remembered.texts, known.readable)
            roles, rules = replace(request.roles, text=text), keyed_rules(request.rules, owner.key)
            on = _engine(session, owner, request, origin.about.id)
            read = _reader(on, request, rows)
            dataset, facts = read_dataset(owner, roles, rules, read, remembered, kept)
            draft = _draft(owner, request, (dataset, facts, asked), known, (origin, kept))
            draft = replace(draft, without_consent=rows.n_dropped if request.consent else None)
            built = _allowed(owner, request, draft, kept=kept, staged=staged)
            manifest = describe(owner, request, built)
            charged = charged_for(draft.dataset, draft.plan, new_minimizer=draft.fitted.is_new)
            with (
                placing(owner, known, charged.exported, new_minimizer=draft.fitted.is_new),
                owner.workspace.ring.relying_on(owner.key, purpose=KeyUse.EXPORT),
            ):
                about = with_key(origin.about, key_of(owner.workspace, request))
                with leaving(owner, request, about, built.leak, charged):
                    digest = put_in_place(owner, request, built, manifest, kept=kept, staged=staged)
                origin.made(digest, manifest)
    result = ProtectResult(manifest, request.target, built.leak, built.utility, fields=chosen)
    return replace(result, vectors_found=_vectors_found(remembered), engine=on.facts)


@contextmanager
def remembered_by(owner: Owner, encoder: Opened, source: str) -> Iterator[Opened]:
    """The encoder with what it embedded of ``source`` before; as it is where there are no texts."""
    if encoder.texts is None:
        yield encoder
        return
    workspace = owner.workspace
    whose = Whose(workspace.gate.actor, whole_name(source))
    with remembering(workspace.home, owner.key, encoder.texts, whose) as remembered:
        yield replace(encoder, texts=remembered)


def _vectors_found(encoder: Opened) -> int:
    """How many texts were not embedded again."""
    return encoder.texts.found if isinstance(encoder.texts, RememberingEncoder) else 0


def consenting(source: Source, request: ProtectRequest) -> Source:
    """The rows of the source that may be used for what they are wanted for."""
    return source if request.consent is None else source.with_consent(request.consent)


def _draft(
    owner: Owner,
    request: ProtectRequest,
    read: tuple[Dataset, EncoderFacts, Asked],
    known: Known,
    places: tuple[Origin, Path],
) -> Draft:
    """Plan, fit, and say what the noise promises."""
    (dataset, facts, asked), (origin, kept) = read, places
    plan = _plan(request, dataset)
    dataset = joined(owner, request, dataset, plan, kept)
    shared = shared_rows(known.readable, dataset, plan, seed=request.seed)
    chosen = fitted(owner, request, dataset, plan, facts)
    beside = synthetic_beside(known.readable, dataset, plan)
    promise = privacy_facts(
        chosen.protection, Beside(shared, beside), unreadable=len(known.unreadable)
    )
    return Draft(dataset, plan, chosen, facts, asked, shared, promise, origin)


def read_dataset(
    owner: Owner,
    roles: ColumnRoles,
    rules: SanitizeRules,
    read: Read,
    encoder: Opened,
    kept: Path,
) -> tuple[Dataset, EncoderFacts]:
    """The rows that ``read`` gives, sealed in ``kept``; and by what encoder."""
    identity = RowIdentity(owner.workspace.ring.signer())
    reading = Reading(roles, encoder.texts, rules, identity, images=encoder.images)
    path = kept / state.VECTORS
    dataset = load(read, reading, path=path, sealer=owner.sealer, progress=owner.progress)
    return dataset, encoder.facts(dataset.dim)


def _engine(session: Session, owner: Owner, request: ProtectRequest, asset: str) -> Distributed:
    """Workers are given stand-ins of the key where the rules ask for them, and identities."""
    key = owner.key if request.rules.treatments.keyed else None
    return Distributed(
        *(session, owner.workspace, request.engine, request.source, asset, key), identifies=True
    )


def _reader(on: Distributed, request: ProtectRequest, source: Source) -> Read:
    """What makes the rows of ``source`` vectors: this process, or workers."""
    if not request.engine.is_ray:
        return partial(embedded, source, progress=on.session.progress)
    return partial(_by_workers, on, request, source)


def _by_workers(
    on: Distributed,
    request: ProtectRequest,
    source: Source,
    reading: Reading,
    found: dict[str, int],
) -> Iterator[Embedded]:
    spec = chosen_spec(request.roles, request.encoder)
    settings = on_workers.settings(reading, request.rules, spec, request.consent)
    if request.consent is not None:
        source.count_dropped()
    answers = on.answers(source, on_workers.STAGE, settings)
    batches = (each for _, tables in answers for each in on_workers.decoded(tables, found))
    for each in on_workers.numbered(batches):
        if reading.encoder is not None:
            on.session.progress.advance(len(each.values))
        if reading.copies is not None:
            reading.copies.add(each.said)
        yield each


def _plan(request: ProtectRequest, dataset: Dataset) -> Plan:
    is_pls = request.minimize != AUTO and parse_spec(request.minimize).kind is MinimizerKind.PLS
    plan = make_plan(
        dataset,
        Drawing(
            request.test_share,
            request.fit_share,
            request.seed,
            numeric=is_pls or request.roles.ranked,
            drop_suspects=request.drop_suspects,
        ),
    )
    if request.accept_risk is None:
        check_enough(dataset, plan, request.max_reid)
    return plan


def _allowed(
    owner: Owner, request: ProtectRequest, draft: Draft, *, kept: Path, staged: Path
) -> Built:
    """The export, built, and measured to keep its limits."""
    built = _build(owner, request, draft, kept=kept, staged=staged)
    check_measured(request, built.leak)
    return built


def _build(
    owner: Owner, request: ProtectRequest, draft: Draft, *, kept: Path, staged: Path
) -> Built:
    """Write every row into ``staged``, then attack the very ciphertexts that would leave."""
    plan, dataset, protection = draft.plan, draft.dataset, draft.fitted.protection
    train = sample(plan.train, FIT_ROWS, seed=request.seed)
    test = sample(plan.test, TEST_ROWS, seed=request.seed)
    again = draft.shared.rows if draft.shared else train[:0]
    watched = Watched(np.unique(np.concatenate([train, test, again])), protection.cipher.dim)
    with stage_directory(kept / "scratch") as scratch:
        places = Places(staged, scratch, ephemeral_sealer())
        exported = write_rows(dataset, plan, protection, places, watched, owner.progress)
        seal_rows(kept, owner, dataset, exported.written)
    owner.progress.start("attack and evaluate", None)
    train_part = Part(plan.rows(dataset, train), watched.of(train))
    test_part = Part(plan.rows(dataset, test), watched.of(test))
    leak = measure_leak(protection, train=train_part, test=test_part, seed=request.seed)
    if draft.shared is not None:
        part = Part(plan.rows(dataset, again), watched.of(again))
        leak = replace(leak, joined=measure_join(owner, draft.shared, protection, part))
    utility = (
        None
        if plan.task is None
        else measure(protection, train_part, test_part.rows, seed=request.seed)
    )
    owner.progress.finish()
    return Built(draft, leak, utility, exported.written, exported.anchored)
