"""``bundle``: a model that was trained elsewhere is bound to the key of its cipherset.

Needs no key and no workspace, as ``train`` does not: whoever trained the model does it, in the lab.
The bundle says the same of itself as one that was trained here, except for the model's family.
"""

from dataclasses import dataclass
from pathlib import Path

from cipherset.app.places import Made, check_target
from cipherset.app.scoring.score import lab_figures
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors, read_regular
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import MOST_BYTES, Bundle, describe, write_bundle


@dataclass(frozen=True, slots=True)
class BringRequest:
    """The ONNX file ``model``, trained on ``cipherset``, and where its bundle goes."""

    model: Path
    cipherset: Path
    target: Path
    overwrite: bool = False


def bring(request: BringRequest) -> Bundle:
    """Write the bundle of an ONNX model, with what it scores on the cipherset's test rows.

    It is held to what the owner's side asks of a model before anything is written, and it
    answers the lab's own rows first: one that answers no label is found here.

    Raises:
        UsageError: the target is there already, or cannot be there.
        InputError: no such model, not ONNX, a cipherset without labels.
        DimensionError: the model takes vectors of another width.
        PolicyError: an operator that is not allowed, or an answer that is not a label.
        IntegrityError: the cipherset was changed.
    """
    check_target(request.target, Made.BUNDLE, overwrite=request.overwrite)
    onnx_model = _read(request.model)
    cipherset = open_cipherset(request.cipherset)
    draft = Bundle(describe(onnx_model, cipherset, {}), "", onnx_model)
    x, y = cipherset.to_numpy("test")
    figures = lab_figures(draft, x, y) if len(x) else {}
    manifest = describe(onnx_model, cipherset, figures)
    return write_bundle(request.target, onnx_model, manifest, overwrite=request.overwrite)


def _read(path: Path) -> bytes:
    """The file's bytes, or one more than a model may have, for its check to refuse."""
    with disk_errors(path):
        try:
            raw = read_regular(path.resolve(), most_bytes=MOST_BYTES + 1)
        except FileNotFoundError:
            raw = None
    if raw is None:
        raise InputError(
            f"there is no model {path}",
            code="model_missing",
            hint="name the ONNX file that your library wrote",
        )
    return raw
