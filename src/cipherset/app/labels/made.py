"""What an asset says in the ledger of how it was made: small, and nothing private.

All of it is in the signed manifest that the asset has; the ledger keeps it so that lineage shows
it, and an altered artifact is known for what it was, without the file.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cipherset.app import state
from cipherset.core import canonical
from cipherset.core.manifest import BundleManifest, EncoderFacts, Manifest, PartFile
from cipherset.pipeline.index import IndexManifest

Attributes = dict[str, Any]
# The fact of an act that says where it put what it made, whatever folder it was in.
AT: Final = "at"
# The digest of the model's own file in a bundle: a copy of it alone is known again.
ONNX: Final = "onnx"


def of_export(manifest: Manifest, minimizers: Path) -> Attributes:
    """How a cipherset was made; ``minimizers`` is where the sealed one of its key version is."""
    splits, privacy = manifest.splits, manifest.privacy or manifest.synthetic
    sealed = state.minimizer_of(minimizers, manifest.key_id, manifest.key_version)
    return {
        "cipherset_id": manifest.cipherset_id,
        "key_id": manifest.key_id,
        "key_version": manifest.key_version,
        "rows": splits.train.rows + splits.test.rows,
        "train_rows": splits.train.rows,
        "test_rows": splits.test.rows,
        "scheme": manifest.scheme,
        "approximation_factor": manifest.approximation_factor,
        "noise": manifest.noise,
        "epsilon": None if privacy is None else privacy.epsilon,
        "delta": None if privacy is None else privacy.delta,
        "dim": manifest.dim,
        "minimizer": manifest.minimizer,
        "minimizer_digest": canonical.digest_bytes(sealed.read_bytes()),
        **({} if manifest.synthetic is None else {"release": "synthetic"}),
        **_encoder(manifest.encoder),
        "sanitizer": canonical.digest(dict(manifest.sanitizer)),
        "settings": dict(manifest.settings),
        "parts": parts_digest((*splits.train.files, *splits.test.files)),
    }


def of_index(manifest: IndexManifest) -> Attributes:
    """How an encrypted index was made."""
    return {
        "index_id": manifest.index_id,
        "key_id": manifest.key_id,
        "key_version": manifest.keys[0].version,
        "rows": manifest.rows,
        "scheme": manifest.scheme,
        "approximation_factor": manifest.approximation_factor,
        "dim": manifest.dim,
        **_encoder(manifest.encoder),
        "sanitizer": canonical.digest(dict(manifest.sanitizer)),
    }


def of_model(manifest: BundleManifest) -> Attributes:
    """What a bundle says of its model."""
    return {
        "key_id": manifest.key_id,
        "key_version": manifest.key_version,
        "scheme": manifest.scheme,
        "dim": manifest.dim,
        "model": manifest.model.value,
        "task": manifest.task.value,
        "metrics": dict(manifest.metrics),
        ONNX: manifest.onnx,
        "packages": dict(manifest.packages),
    }


def parts_digest(parts: Iterable[PartFile]) -> str:
    """One digest over the rows' files, so that they are known without their manifest."""
    return digest_of_files({part.path: part.sha256 for part in parts})


def digest_of_files(digests: dict[str, str]) -> str:
    """The same from the digest of each file, by its path in the cipherset."""
    return canonical.digest(digests)


def _encoder(encoder: EncoderFacts) -> Attributes:
    return {"encoder": encoder.name, "encoder_digest": encoder.digest}
