"""From a bundle to the map that makes its queries: key, minimizer, encoder; owner's side only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cipherset.app import state
from cipherset.app.ciphers import open_cipher
from cipherset.app.encoders import open_encoder
from cipherset.app.exports.codes import Codes
from cipherset.app.exports.dataset import VECTOR, matrix
from cipherset.app.exports.utility import Protection
from cipherset.app.images.encoders import open_image_encoder
from cipherset.app.reading.embedded import Reading, vectors_of
from cipherset.app.sanitizing.rules import sealed_rules
from cipherset.app.workspace import Session, Workspace
from cipherset.core.errors import IntegrityError, KeyAccessError
from cipherset.core.manifest import BundleManifest, KeyFacts
from cipherset.core.protocols import Encoder, ImageEncoder, Sealer
from cipherset.core.secret import KeyHandle
from cipherset.core.values import Float32s, Vectors
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.minimize import load
from cipherset.pipeline.sanitize import SanitizeRules

BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Gateway:
    """What answers for one export: its sealed state and its map from plain vector to query."""

    export: state.ExportState
    protection: Protection
    full_width: Protection = field(repr=False)
    rules: SanitizeRules

    def queries(self, x: Float32s, *, at_gate: bool) -> Float32s:
        """Noise-free ciphertext of plain vectors: minimized, or of full width for the gate."""
        return (self.full_width if at_gate else self.protection).query(x)

    def split_rows(self, split: str) -> Codes:
        """The source rows of a split, ascending."""
        rows = [
            table.filter(np.asarray(table.column("split")) == split).column("source").to_numpy()
            for table in self.export.rows.chunks()
        ]
        return np.sort(np.concatenate(rows))

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Plain vectors of at most ``n`` rows of both splits, in random order, (<= n, dim)."""
        rows = np.concatenate([self.split_rows("train"), self.split_rows("test")])
        chosen = self.export.vectors.take(rng.permutation(rows)[:n])
        return matrix(chosen.column(VECTOR))

    def stored(self, split: str) -> Iterator[Vectors]:
        """The plain vectors of a split, sealed at home, with their columns."""
        rows, spool = self.split_rows(split), self.export.vectors
        for start in range(0, len(rows), BATCH_ROWS):
            table = spool.take(rows[start : start + BATCH_ROWS])
            yield Vectors(matrix(table.column(VECTOR)), table.drop_columns([VECTOR]))


def open_gateway(
    workspace: Workspace, cipherset_id: str, needed: KeyFacts, *, use: KeyUse = KeyUse.QUERY
) -> Gateway:
    """The gateway for an export and the key that a bundle or cipherset names.

    Raises:
        KeyAccessError: the key is not in this workspace, another secret is under its name, or
            its version may not be put to that use.
        IntegrityError: a sealed part is missing or was changed; ``bundle_labels``: the model
            answers other labels than the rows have.
    """
    made_under = state.MadeUnder(key_id=needed.key_id, key_version=needed.key_version)
    gateway = open_sealed(workspace, cipherset_id, made_under, use=use)
    if gateway.protection.cipher.key_check != needed.key_check:
        raise KeyAccessError(
            f"key {needed.key_id} v{needed.key_version} here is not the key that made this export",
            code="wrong_key",
            hint="run this in the workspace (--home) that made the export",
        )
    if isinstance(needed, BundleManifest):
        _check_labels(needed, gateway.export.meta)
    return gateway


def _check_labels(bundle: BundleManifest, meta: state.Meta) -> None:
    """Which labels a model may answer is the export's to say: who trained it could add to them.

    Of a set it tells a bit of a query without noise with each label, and of a number always 8.
    """
    own = (meta.task, meta.settings.classes)
    if bundle.task.has_names and (bundle.task, bundle.classes) != own:
        raise IntegrityError(
            "the model answers other labels than the rows have that it was trained on",
            code="bundle_labels",
            hint="have it trained again: what it may answer is written by cipherset train",
        )


def open_sealed(
    workspace: Workspace,
    cipherset_id: str,
    made_under: state.MadeUnder,
    *,
    use: KeyUse = KeyUse.QUERY,
) -> Gateway:
    """The gateway for an export by what is sealed here of it, without the export itself.

    Raises: as ``open_gateway``; another secret does not open what is sealed.
    """
    key = workspace.ring.open(made_under.key_id, made_under.key_version, purpose=use)
    sealer = AesGcmSealer.from_key(key)
    export = state.read_state(workspace.exports, cipherset_id, sealer)
    protection = _protection(workspace, key, sealer, export.meta)
    rules = sealed_rules(export.meta.rules, key)
    return Gateway(export, protection, _full_width(key, export.meta), rules)


def _protection(
    workspace: Workspace, key: KeyHandle, sealer: Sealer, meta: state.Meta
) -> Protection:
    path = state.minimizer_path(workspace.minimizers, key)
    minimizer, bound = state.read_minimizer(path, sealer)
    if bound != meta.settings:
        raise IntegrityError(
            "the minimizer of this key version is not the one this export was made with",
            code="minimizer_changed",
            hint="restore the workspace from a backup",
        )
    cipher = open_cipher(
        key,
        dim=minimizer.dim,
        scheme=bound.scheme,
        approximation_factor=bound.approximation_factor,
        noise=bound.noise,
    )
    return Protection(meta.task, minimizer, cipher)


def _full_width(key: KeyHandle, meta: state.Meta) -> Protection:
    """For training at the gate: every dimension, no noise, still bound to the key."""
    everything = load("none", {"width": np.array([meta.dim_in], dtype=np.float64)})
    cipher = VectorCipher(
        key, dim=meta.dim_in, scheme=meta.settings.scheme, approximation_factor=0.0
    )
    return Protection(meta.task, everything, cipher)


def read_like(
    session: Session, gateway: Gateway, source: str, *, labeled: bool
) -> Iterator[Vectors]:
    """Rows of another source through the recorded columns, rules and encoder.

    Raises:
        InputError: the source lacks a recorded column, or a row is not fit.
        BackendError: the encoder's weights are not there.
    """
    meta = gateway.export.meta
    roles = meta.roles_for(labeled=labeled)
    reading = Reading(
        roles,
        encoder_of(meta, session.cache),
        gateway.rules,
        images=image_encoder_of(meta, session.cache),
        columns=meta.settings.columns,
    )
    return vectors_of(open_source(source), reading, {}, session.progress)


def encoder_of(meta: state.Meta, cache: Path) -> Encoder | None:
    """The encoder of texts that the export was made with, None where it was of something else.

    Raises:
        IntegrityError: other weights than those recorded.
    """
    if meta.encoder_spec is None or meta.image is not None:
        return None
    encoder = open_encoder(meta.encoder_spec, cache)
    _check_same(meta, encoder.digest)
    return encoder


def image_encoder_of(meta: state.Meta, cache: Path) -> ImageEncoder | None:
    """The encoder of images that the export was made with, None where it was of something else.

    Raises:
        IntegrityError: other weights than those recorded.
    """
    if meta.encoder_spec is None or meta.image is None:
        return None
    encoder = open_image_encoder(meta.encoder_spec, cache)
    _check_same(meta, encoder.digest)
    return encoder


def _check_same(meta: state.Meta, digest: str) -> None:
    if digest != meta.settings.encoder:
        raise IntegrityError(
            f"encoder {meta.encoder_spec} here is not the one this export was made with",
            code="encoder_changed",
            hint="give the same weights: predictions of another encoder mean nothing",
        )
