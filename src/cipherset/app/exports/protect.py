"""``protect``: sanitize, embed, minimize, encrypt, measure, and only then let it leave.

The export and everything measured on it is built in staged folders. It is put in place after
the measurement, of it alone and joined with earlier exports of its rows, has allowed it. What was
exported before is not made again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from cipherset.app import state
from cipherset.app.encoders import open_encoder
from cipherset.app.engine import embedded as on_workers
from cipherset.app.engine.run import Distributed
from cipherset.app.exports.commit import (
    Built,
    Draft,
    describe,
    keyed_digest,
    put_in_place,
    seal_rows,
)
from cipherset.app.exports.dataset import Dataset, Embedded, Reading, embedded, load
from cipherset.app.exports.earlier.exposure import leaving
from cipherset.app.exports.earlier.join import (
    check_joined,
    check_readable,
    measure_join,
    shared_rows,
)
from cipherset.app.exports.earlier.live import STAGED, Known, look
from cipherset.app.exports.earlier.meanwhile import placing
from cipherset.app.exports.earlier.privacy import Beside, privacy_facts, synthetic_beside
from cipherset.app.exports.earlier.repeat import Asked, made_before, request_digest
from cipherset.app.exports.exporting import Places, Watched, write_rows
from cipherset.app.exports.fitting import check_bound, fitted
from cipherset.app.exports.leak import TIMES, Leak, measure_leak
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
from cipherset.app.exports.utility import Part, measure
from cipherset.app.fields.needed import needed_columns
from cipherset.app.gate import About, Act, Action, Fact, Moment
from cipherset.app.gate.subjects import about_source
from cipherset.app.labels.made import AT
from cipherset.app.labels.origin import Origin, exporting
from cipherset.app.places import Made, check_target
from cipherset.app.sanitizing.rules import keyed_rules
from cipherset.app.vectors.remember import RememberingEncoder, remembering
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import PolicyError
from cipherset.core.files import stage_directory
from cipherset.core.manifest import EncoderFacts
from cipherset.core.protocols import Encoder
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys import AesGcmSealer, KeyUse, ephemeral_sealer
from cipherset.custody.keys.identity import Identities, RowIdentity
from cipherset.pipeline.ingest import Source, open_source
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
    check_target(request.target, Made.CIPHERSET, overwrite=request.overwrite)
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
        result = _protect(owner, request, source, session)
        act.facts.update({**_facts(result), AT: str(request.target.absolute())})
    return result


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
        Action.PROTECT, str(request.target), facts, about=about, moment=moment
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
    encoder = None if request.roles.vector else open_encoder(request.encoder, session.cache)
    settings = request_digest(request, None if encoder is None else encoder.digest)
    asked, known = Asked(keyed_digest(owner, source), settings), look(owner)
    with (
        stage_directory(owner.workspace.exports / STAGED) as kept,
        stage_directory(request.target, mode=0o755) as staged,
    ):
        before = made_before(owner, request, known.readable, asked, staged=staged)
        if before is not None:
            return before
        check_readable(request, known)
        with (
            exporting(owner.workspace, source, owner.key, request.accept_mixing) as origin,
            remembered_by(owner, encoder) as remembered,
        ):
            rows = consenting(source, request)
            text, chosen = needed_columns(owner, request, rows, remembered, known.readable)
            reading = _reading(owner, request, text, remembered)
            on = _engine(session, owner, request, origin.about.id)
            dataset, facts = _read(owner, reading, _batches(on, request, rows, reading), kept)
            draft = _draft(owner, request, (dataset, facts, asked), known, origin)
            if request.consent is not None:
                draft = replace(draft, without_consent=rows.n_dropped)
            built = _allowed(owner, request, draft, kept=kept, staged=staged)
            manifest = describe(owner, request, built)
            exported = dataset.identities[np.concatenate([draft.plan.train, draft.plan.test])]
            with (
                placing(owner, known, exported, new_minimizer=draft.fitted.is_new),
                owner.workspace.ring.relying_on(owner.key, purpose=KeyUse.EXPORT),
            ):
                about = with_key(origin.about, key_of(owner.workspace, request))
                fitted_on = _newly_fitted(draft)
                with leaving(owner, request, about, built.leak, exported, fitted_on=fitted_on):
                    digest = put_in_place(owner, request, built, manifest, kept=kept, staged=staged)
                origin.made(digest, manifest)
    result = ProtectResult(manifest, request.target, built.leak, built.utility, fields=chosen)
    return replace(result, vectors_found=remembered.found if remembered else 0, engine=on.facts)


@contextmanager
def remembered_by(owner: Owner, encoder: Encoder | None) -> Iterator[RememberingEncoder | None]:
    """The encoder with what it embedded before; None where the source brings its own vectors."""
    if encoder is None:
        yield None
        return
    with remembering(owner.workspace.home, owner.key, encoder) as remembered:
        yield remembered


def _newly_fitted(draft: Draft) -> Identities | None:
    """The rows that a minimizer was fitted on here; None where the key version had one."""
    return draft.dataset.identities[draft.plan.fit] if draft.fitted.is_new else None


def consenting(source: Source, request: ProtectRequest) -> Source:
    """The rows of the source that may be used for what they are wanted for."""
    return source if request.consent is None else source.with_consent(request.consent)


def _draft(
    owner: Owner,
    request: ProtectRequest,
    read: tuple[Dataset, EncoderFacts, Asked],
    known: Known,
    origin: Origin,
) -> Draft:
    """Plan, fit, and say what the noise promises."""
    dataset, facts, asked = read
    plan = _plan(request, dataset)
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
    source: Source,
    encoder: Encoder | None,
    kept: Path,
) -> tuple[Dataset, EncoderFacts]:
    """The rows of the source, cleaned and embedded, sealed in ``kept``; and by what encoder."""
    reading = Reading(roles, encoder, rules, RowIdentity(owner.workspace.ring.signer()))
    return _read(owner, reading, embedded(source, reading, owner.progress), kept)


def _reading(
    owner: Owner, request: ProtectRequest, text: tuple[str, ...], encoder: Encoder | None
) -> Reading:
    """What makes rows of the source vectors, of the text columns that are needed."""
    identity = RowIdentity(owner.workspace.ring.signer())
    rules = keyed_rules(request.rules, owner.key)
    return Reading(replace(request.roles, text=text), encoder, rules, identity)


def _engine(session: Session, owner: Owner, request: ProtectRequest, asset: str) -> Distributed:
    """Workers are given stand-ins of the key where the rules ask for them, and identities."""
    key = owner.key if request.rules.treatments.keyed else None
    return Distributed(
        *(session, owner.workspace, request.engine, request.source, asset, key), identifies=True
    )


def _batches(
    on: Distributed, request: ProtectRequest, source: Source, reading: Reading
) -> Iterator[Embedded]:
    if not request.engine.is_ray:
        yield from embedded(source, reading, on.session.progress)
        return
    settings = on_workers.settings(reading, request.rules, request.encoder)
    for _, tables in on.answers(source, on_workers.STAGE, settings):
        for each in on_workers.decoded(tables):
            on.session.progress.advance(0 if each.texts is None else len(each.texts))
            yield each


def _read(
    owner: Owner, reading: Reading, batches: Iterator[Embedded], kept: Path
) -> tuple[Dataset, EncoderFacts]:
    path, encoder = kept / state.VECTORS, reading.encoder
    dataset = load(batches, reading, path=path, sealer=owner.sealer, progress=owner.progress)
    if encoder is None:
        return dataset, EncoderFacts(name="given", digest=None, dim=dataset.dim)
    return dataset, EncoderFacts(name=encoder.name, digest=encoder.digest, dim=encoder.dim)


def _plan(request: ProtectRequest, dataset: Dataset) -> Plan:
    numeric = request.minimize != AUTO and parse_spec(request.minimize).kind is MinimizerKind.PLS
    plan = make_plan(
        dataset,
        Drawing(
            request.test_share,
            request.fit_share,
            request.seed,
            numeric=numeric,
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
    _decide(request, built.leak)
    check_joined(request, built.leak.joined)
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


def _decide(request: ProtectRequest, leak: Leak) -> None:
    """Refuse what was measured to give away too much, unless the risk is accepted."""
    if request.accept_risk is not None:
        return
    worst, exposed = leak.worst, leak.exposure
    if not worst.decidable or worst.high > request.max_reid:
        raise PolicyError(
            f"re-identification of the finished export, file, key and minimizer stolen: "
            f"{worst.excess:.4f}, up to {worst.high:.4f} (limit {request.max_reid:g}), among "
            f"{worst.candidates} candidates; from the clear columns alone {worst.label_alone:.4f}",
            code="measured_risk",
            hint="add noise (raise --approximation-factor, or lower epsilon), lower the "
            "minimizer's dimension, raise --max-reid, or record an exception with --accept-risk "
            "REASON (such an export can stay at home, for cipherset train --at-gate)",
        )
    if exposed.top_excess > TIMES * request.max_reid:
        raise PolicyError(
            f"the most exposed 1 % of the rows ({exposed.top_rows} held-out ones) are found at a "
            f"rate of {exposed.top_excess:.3f} beyond their clear columns, file, key and minimizer "
            f"stolen; the most is {TIMES} times the limit of {request.max_reid:g}",
            code="most_exposed",
            hint="add noise, raise --max-reid, use a key that has no minimizer "
            "yet, or record an exception with --accept-risk REASON",
        )
    check_joined(request, leak.joined)
