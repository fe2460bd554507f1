"""Small ciphersets to write, read and tamper with."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from securesystemslib.signer import CryptoSigner

from cipherset.core import envelope
from cipherset.core.manifest import (
    EncoderFacts,
    Lineage,
    Manifest,
    SignerFacts,
    SplitsFacts,
    Task,
)
from cipherset.core.secret import Secret
from cipherset.core.values import EncryptedVectors
from cipherset.custody.keys import AesGcmSealer
from cipherset.pipeline.export import CiphersetWriter, Layout, Split, Written, write_manifest

CLASSES = ("bad", "good")
LABELED = Layout(dim=3, task=Task.CLASSIFICATION)


def sealer() -> AesGcmSealer:
    return AesGcmSealer(Secret(bytes(range(32))))


def batch(n: int, start: int = 0, dim: int = 3, **columns: object) -> EncryptedVectors:
    """Rows whose first coordinate is the source row, so that a test can follow each."""
    rows = np.arange(start, start + n)
    values = np.zeros((n, dim), dtype=np.float32)
    values[:, 0] = rows
    kept = {"label": [CLASSES[i % 2] for i in rows]} | columns
    return EncryptedVectors(values, pa.table({"row": pa.array(rows, pa.int64()), **kept}))


def manifest_of(
    splits: SplitsFacts,
    signer: CryptoSigner,
    layout: Layout,
    classes: tuple[str, ...] = CLASSES,
) -> Manifest:
    return Manifest(
        scheme="rsap/1",
        key_id="tickets",
        key_version=1,
        key_check="ab" * 16,
        cipherset_id=os.urandom(16).hex(),
        created="2026-01-02T03:04:05Z",
        dim=layout.dim,
        approximation_factor=4.0,
        minimizer=f"bottleneck:{layout.dim}",
        encoder=EncoderFacts(name="minilm", digest="sha256:" + "0" * 64, dim=384),
        task=layout.task,
        label_column=None if layout.task is None else "category",
        classes=classes if layout.task and layout.task.has_names else (),
        clear_columns=layout.clear,
        splits=splits,
        sanitizer={"email": 3},
        k_anonymity=None,
        assessment={"reidentification": 0.004},
        utility={"plain": 0.93},
        settings={"max_reid": 0.05},
        lineage=Lineage(
            source_digest="hmac-sha256:" + "0" * 64, run_id="run-1", package_version="0.1.0"
        ),
        signer=SignerFacts(public_key=envelope.public_key_of(signer)),
    )


@dataclass
class Sample:
    """A cipherset on disk with what made it."""

    path: Path
    signer: CryptoSigner
    layout: Layout
    written: Written
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self.sign(manifest_of(self.written.splits, self.signer, self.layout))

    def sign(self, manifest: Manifest) -> None:
        self.manifest = manifest
        write_manifest(self.path, manifest, self.signer)


def write_sample(
    folder: Path,
    train: list[EncryptedVectors],
    test: list[EncryptedVectors],
    layout: Layout = LABELED,
) -> Sample:
    staged, scratch = folder / "sample.cipherset", folder / "scratch"
    staged.mkdir()
    scratch.mkdir()
    writer = CiphersetWriter(staged, scratch=scratch, sealer=sealer(), layout=layout)
    for split, batches in ((Split.TRAIN, train), (Split.TEST, test)):
        for one in batches:
            writer.append(split, one)
    return Sample(staged, CryptoSigner.generate_ed25519(), layout, writer.finish())
