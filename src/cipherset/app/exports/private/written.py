"""The two folders of a synthetic release: what leaves, and what stays sealed of the source."""

import math
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.app import state
from cipherset.app.exports.codes import Codes
from cipherset.app.exports.commit import meta_of
from cipherset.app.exports.dataset import Dataset, known_by
from cipherset.app.exports.private.draw import Drawn, Parts
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.exports.utility import Protection
from cipherset.app.labels.origin import Origin
from cipherset.core.envelope import public_key_of
from cipherset.core.files import stage_directory
from cipherset.core.manifest import (
    EncoderFacts,
    Lineage,
    Manifest,
    SignerFacts,
    SplitsFacts,
    SyntheticFacts,
    Task,
)
from cipherset.core.spool import SpoolWriter
from cipherset.core.values import LABEL, ROW, EncryptedVectors, Float32s, Guarantee
from cipherset.custody.keys import ephemeral_sealer
from cipherset.pipeline.export import CiphersetWriter, Layout, Split, fresh_ids

# The noise of each row: none is a person's.
NO_FACTOR: Final = 0.0
BALL: Final = "ball"
CONDITIONS: Final = (
    "for one row of the source, its vector and its label, replaced by any others; of n rows of one "
    "person, or n copies of a row, it promises n times epsilon and delta at most",
    "given the encoder, the rules by which each text was cleaned, the settings, the label of the "
    "source, and how many of its rows may be used",
    "for this release and what is computed from it, such as a model; not for other exports of the "
    "rows, for models trained at the gate, or for what is answered about held-out rows: what was "
    "spent on them adds up in the ledger",
    "against whoever cannot tell the operating system's random numbers from chance",
)


@dataclass(frozen=True, slots=True)
class Release:
    """All that goes into the two folders; ``real`` are rows fitted on and held out."""

    dataset: Dataset
    parts: Parts
    drawn: Drawn
    protection: Protection
    settings: state.Settings
    encoder: EncoderFacts
    source: str
    origin: Origin
    ciphertexts: Float32s = field(repr=False)


def write_rows(release: Release, test_share: float, sealed: Path, staged: Path) -> SplitsFacts:
    """Drawn rows of both splits; the lab scores on drawn ones too."""
    drawn = release.drawn
    names = pa.array(drawn.classes, pa.string()).take(pa.array(drawn.y))
    columns = pa.table({ROW: np.arange(len(drawn.y)), LABEL: names})
    layout = Layout(release.protection.cipher.dim, Task.CLASSIFICATION, ())
    first = max(math.ceil(len(drawn.y) * (1 - test_share)), 1)
    with stage_directory(sealed / "scratch") as scratch:
        writer = CiphersetWriter(staged, scratch=scratch, sealer=ephemeral_sealer(), layout=layout)
        for split, part in ((Split.TRAIN, slice(0, first)), (Split.TEST, slice(first, None))):
            rows = np.arange(len(drawn.y))[part]
            writer.append(split, EncryptedVectors(release.ciphertexts[part], columns.take(rows)))
        return writer.finish().splits


def seal_rows(owner: Owner, release: Release, sealed: Path) -> None:
    """Which rows of the source were used and which were not; none of their ids is in the export."""
    with SpoolWriter(sealed / state.ROWS, owner.sealer, state.ROWS) as writer:
        for split, part in ((Split.TRAIN, release.parts.fit), (Split.TEST, release.parts.test)):
            rows = told_of(release, part)
            table = pa.table(
                {
                    "row": fresh_ids(len(rows)),
                    "source": rows,
                    "split": pa.array([split.value] * len(rows), pa.string()),
                }
            )
            writer.append(known_by(table, release.dataset))


def told_of(release: Release, rows: Codes) -> Codes:
    """Those of ``rows`` whose class is told of."""
    labels = release.dataset.labels
    return rows if labels is None else rows[np.isin(labels[rows], release.drawn.codes)]


def describe(
    owner: Owner,
    request: ProtectRequest,
    kept: Guarantee,
    release: Release,
    splits: SplitsFacts,
) -> Manifest:
    """What it says of itself: nothing that was measured on the rows."""
    cipher = release.protection.cipher
    return Manifest(
        scheme=cipher.scheme,
        key_id=owner.key.key_id,
        key_version=owner.key.version,
        key_check=cipher.key_check,
        cipherset_id=secrets.token_hex(16),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        dim=cipher.dim,
        approximation_factor=NO_FACTOR,
        synthetic=SyntheticFacts(epsilon=kept.epsilon, delta=kept.delta, conditions=CONDITIONS),
        minimizer=release.drawn.minimizer.spec,
        encoder=release.encoder,
        task=Task.CLASSIFICATION,
        label_column=release.dataset.roles.label,
        classes=release.drawn.classes,
        clear_columns=(),
        splits=splits,
        sanitizer={},
        k_anonymity=None,
        assessment={},
        utility={},
        settings={"test_share": request.test_share},
        label=release.origin.label,
        lineage=Lineage(
            source_digest=release.source,
            run_id=secrets.token_hex(8),
            package_version=version("cipherset"),
        ),
        signer=SignerFacts(public_key=public_key_of(owner.workspace.ring.signer())),
    )


def seal_meta(
    owner: Owner,
    request: ProtectRequest,
    kept: Guarantee,
    release: Release,
    made: tuple[Manifest, str, Path],
) -> None:
    """Seal what the owner's commands need to know, and the minimizer."""
    manifest, digest, sealed = made
    meta = meta_of(owner, request, release.dataset, manifest, digest, release.settings).model_copy(
        update={"synthetic": state.Promise(epsilon=kept.epsilon, delta=kept.delta)}
    )
    state.write_meta(sealed, meta, owner.sealer)
    path = state.minimizer_path(owner.workspace.minimizers, owner.key)
    state.write_minimizer(path, release.protection.minimizer, release.settings, owner.sealer)
