"""``protect --release synthetic``: rows are drawn in the place of the source's, and these leave.

What leaves is computed from the rows through sums with noise alone, so the (epsilon, delta) holds
for each row as a whole, label included. What the owner is told beside that is not in it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cipherset.app import state
from cipherset.app.ciphers import open_cipher
from cipherset.app.encoders import opened_for
from cipherset.app.exports.codes import Codes
from cipherset.app.exports.commit import keyed_digest, place
from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.earlier.exposure import epsilon_debits
from cipherset.app.exports.earlier.live import STAGED, look
from cipherset.app.exports.earlier.meanwhile import placing
from cipherset.app.exports.private.draw import Drawn, Parts, draw, parted
from cipherset.app.exports.private.figures import Figures, Real, measured
from cipherset.app.exports.private.written import (
    BALL,
    NO_FACTOR,
    Release,
    describe,
    seal_meta,
    seal_rows,
    told_of,
    write_rows,
)
from cipherset.app.exports.protect import (
    consenting,
    exporting_act,
    for_purpose,
    read_dataset,
    remembered_by,
    with_key,
)
from cipherset.app.exports.request import Owner, ProtectRequest, key_of
from cipherset.app.exports.utility import Protection
from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.app.labels.made import AT
from cipherset.app.labels.origin import Origin, exporting
from cipherset.app.places import Made, check_target
from cipherset.app.reading.embedded import embedded
from cipherset.app.sanitizing.rules import keyed_rules
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.envelope import fingerprint
from cipherset.core.errors import PolicyError, UsageError
from cipherset.core.files import stage_directory
from cipherset.core.manifest import (
    EncoderFacts,
    Manifest,
    Task,
)
from cipherset.core.values import Guarantee
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.policy import UNBOUNDED
from cipherset.pipeline.export import write_manifest
from cipherset.pipeline.ingest import Source, open_source


@dataclass(frozen=True, slots=True)
class SyntheticResult:
    """What was drawn and written; ``figures`` are the owner's, and not in what leaves."""

    manifest: Manifest
    target: Path
    figures: Figures

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        manifest = self.manifest
        kept = manifest.synthetic
        return {
            "cipherset": str(self.target),
            "cipherset_id": manifest.cipherset_id,
            "release": "synthetic",
            "signer": fingerprint(manifest.signer.public_key),
            "key_id": manifest.key_id,
            "rows": {"train": manifest.splits.train.rows, "test": manifest.splits.test.rows},
            "classes": len(manifest.classes),
            "dim": manifest.dim,
            "scheme": manifest.scheme,
            "minimizer": manifest.minimizer,
            "synthetic": None if kept is None else kept.model_dump(mode="json"),
            "for_the_owner_alone": self.figures.as_json(),
        }


def release_synthetic(session: Session, request: ProtectRequest) -> SyntheticResult:
    """Draw rows that keep ``request.synthetic`` of each row of the source, and let these leave.

    Leaks: of each row what (epsilon, delta) allows, on the conditions that the manifest names.

    Raises:
        InputError, UsageError, KeyAccessError, BackendError: as their messages say.
        PolicyError: ``minimizer_bound``; ``budget``: the epsilon of a row is spent;
            ``not_allowed``; nothing is written then.
    """
    kept = request.synthetic
    if kept is None:
        raise UsageError(
            "a synthetic release needs an epsilon and a delta",
            code="usage",
            hint="give --epsilon E --delta D",
        )
    check_target(request.target, Made.CIPHERSET, overwrite=request.overwrite)
    source = open_source(request.source)
    facts: dict[str, Fact] = {
        "source": source.name,
        "key": request.key,
        "release": "synthetic",
        "epsilon": kept.epsilon,
        "delta": kept.delta,
        "rules": request.rules.digest,
    }
    with (
        open_workspace(session) as workspace,
        exporting_act(workspace, request, source, facts) as act,
    ):
        key = workspace.ring.open(request.key, purpose=KeyUse.EXPORT)
        owner = Owner(workspace, key, AesGcmSealer.from_key(key), session.progress)
        _check_free(owner)
        request = for_purpose(workspace, request)
        result = _released(owner, request, kept, source, session.cache)
        act.facts.update(
            {
                "cipherset": result.manifest.cipherset_id,
                "key_id": result.manifest.key_id,
                "key_version": result.manifest.key_version,
                AT: str(request.target.absolute()),
            }
        )
    return result


def _check_free(owner: Owner) -> None:
    """A release has a minimizer of its own, and a key version no more than one."""
    if state.minimizer_path(owner.workspace.minimizers, owner.key).exists():
        raise PolicyError(
            "this key version already has a minimizer, and a synthetic release makes its own",
            code="minimizer_bound",
            hint="create another key for another purpose: cipherset key create NAME",
        )


def _released(
    owner: Owner, request: ProtectRequest, kept: Guarantee, source: Source, cache: Path
) -> SyntheticResult:
    encoder = opened_for(request.roles, request.encoder, cache)
    known, digest = look(owner), keyed_digest(owner, source)
    with (
        stage_directory(owner.workspace.exports / STAGED) as sealed,
        stage_directory(request.target, mode=0o755) as staged,
        exporting(owner.workspace, source, owner.key, request.accept_mixing) as origin,
        remembered_by(owner, encoder, request.source) as remembered,
    ):
        rules = keyed_rules(request.rules, owner.key)
        read = partial(embedded, consenting(source, request), progress=owner.progress)
        dataset, facts = read_dataset(owner, request.roles, rules, read, remembered, sealed)
        parts = parted(dataset, request.test_share)
        owner.progress.start("draw rows", None)
        drawn = draw(dataset, parts.fit, kept, np.random.default_rng(secrets.randbits(128)))
        release = _release(owner, request, (dataset, parts, drawn), facts, (digest, origin))
        splits = write_rows(release, request.test_share, sealed, staged)
        seal_rows(owner, release, sealed)
        manifest = describe(owner, request, kept, release, splits)
        figures = _figures(release, request.seed)
        owner.progress.finish()
        used = dataset.charged(parts.fit)
        about = with_key(origin.about, key_of(owner.workspace, request))
        with (
            placing(owner, known, used, new_minimizer=True),
            owner.workspace.ring.relying_on(owner.key, purpose=KeyUse.EXPORT),
            _leaving(owner, request, about, used),
        ):
            made = write_manifest(staged, manifest, owner.workspace.ring.signer())
            seal_meta(owner, request, kept, release, (manifest, made, sealed))
            place(owner, request, manifest.cipherset_id, made, kept=sealed, staged=staged)
        origin.made(made, manifest)
    return SyntheticResult(manifest, request.target, figures)


@contextmanager
def _leaving(
    owner: Owner, request: ProtectRequest, about: About, used: np.ndarray[Any, Any]
) -> Iterator[None]:
    """The act by which drawn rows leave: no row does, but each that was used is charged."""
    gate, kept = owner.workspace.gate, request.synthetic
    cap = gate.ledger.transact(gate.policies).limits.budgets.epsilon
    spent = epsilon_debits(about, 0.0 if kept is None else kept.epsilon, cap, used)
    moment = Moment(
        purpose=request.purpose,
        key=key_of(owner.workspace, request),
        reid=0.0,
        is_fresh=True,
        exposure_left=UNBOUNDED,
        debits=(spent[0],),
        row_debits=(spent[1],),
        granted_as=Action.PROTECT,
    )
    facts: dict[str, Fact] = {"rows": 0, "release": "synthetic"}
    with gate.act(Action.EXPORT, str(request.target), facts, about=about, moment=moment):
        yield


def _release(
    owner: Owner,
    request: ProtectRequest,
    made: tuple[Dataset, Parts, Drawn],
    encoder: EncoderFacts,
    origin: tuple[str, Origin],
) -> Release:
    dataset, parts, drawn = made
    cipher = open_cipher(
        owner.key,
        dim=drawn.minimizer.dim,
        scheme=request.scheme,
        approximation_factor=NO_FACTOR,
        noise=BALL,
    )
    settings = state.Settings(
        minimizer=drawn.minimizer.spec,
        approximation_factor=NO_FACTOR,
        scheme=request.scheme,
        encoder=encoder.digest or encoder.name,
        classes=drawn.classes,
        fit_share=request.fit_share,
        test_share=request.test_share,
        seed=request.seed,
    )
    protection = Protection(Task.CLASSIFICATION, drawn.minimizer, cipher)
    return Release(
        *(dataset, parts, drawn, protection, settings, encoder, *origin), cipher.encrypt(drawn.z)
    )


def _figures(release: Release, seed: int) -> Figures:
    fit, held = (
        _real(release, told_of(release, part)[:most])
        for part, most in ((release.parts.fit, None), (release.parts.test, 4000))
    )
    released = (release.ciphertexts, release.drawn.y)
    return measured(release.protection, released, fit, held, seed=seed)


def _real(release: Release, rows: Codes) -> Real:
    labels = release.dataset.labels
    codes = rows if labels is None else np.searchsorted(release.drawn.codes, labels[rows])
    return Real(release.dataset.vectors(rows), codes)
