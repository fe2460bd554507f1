"""A bundle that came in as bytes; nothing of it is believed."""

from typing import Final

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.manifest import read_bundle_manifest
from cipherset.pipeline.train import Bundle

# A model that is larger is scored by its owner, on the command line.
MOST_UPLOAD_BYTES: Final = 16_000_000


def read_upload(manifest: bytes, onnx: bytes) -> Bundle:
    """The bundle of ``bundle.json`` and ``model.onnx``.

    Raises:
        InputError: ``upload_size``.
        IntegrityError: ``bundle_schema``, ``not_canonical``; ``bundle_digest``: these do not
            belong together.
    """
    if len(onnx) > MOST_UPLOAD_BYTES:
        raise InputError(
            f"the model has {len(onnx)} bytes, at most {MOST_UPLOAD_BYTES} are taken",
            code="upload_size",
            hint="train a smaller one, or have its owner score it: cipherset evaluate",
        )
    read = read_bundle_manifest(manifest)
    if canonical.digest_bytes(onnx) != read.onnx:
        raise IntegrityError(
            "the model is not the one that bundle.json names",
            code="bundle_digest",
            hint="send model.onnx and bundle.json of one bundle",
        )
    return Bundle(read, canonical.digest_bytes(manifest), onnx)
