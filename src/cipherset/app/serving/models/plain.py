"""From what was asked to plain vectors: sanitized and encoded, where the model takes that."""

from collections.abc import Sequence
from typing import Final, NoReturn

import numpy as np

from cipherset.app.reading.beside import check_no_columns
from cipherset.app.serving.models.answer import Question, faults_of
from cipherset.app.serving.models.deployments import Opened
from cipherset.core.errors import DimensionError, InputError
from cipherset.core.protocols import ImageEncoder
from cipherset.core.values import Float32s
from cipherset.pipeline.ingest import decoded
from cipherset.pipeline.sanitize import sanitize_texts

WITHHELD: Final = "text_withheld"


def plain_vectors(opened: Opened, question: Question) -> tuple[Float32s, dict[int, str]]:
    """Plain vectors of the inputs that can be answered, and why the others cannot.

    Raises:
        InputError: ``columns_beside``; ``value_is_text``, ``value_is_vector``,
            ``value_is_image``: the model takes something else; ``image_unreadable``,
            ``image_too_large``; ``not_finite``.
        DimensionError: vectors of another width.
    """
    meta = opened.gateway.export.meta
    check_no_columns(meta, "a served model")
    if opened.images is not None:
        if not question.images:
            _refuse(question, "images")
        return _seen(opened, opened.images, question.images), {}
    if opened.encoder is None:
        if question.vectors is None:
            _refuse(question, "vectors")
        return _checked(question.vectors, meta.dim_in), {}
    if not question.texts:
        _refuse(question, "text")
    faults = faults_of(question.texts)
    fit = [at for at in range(len(question)) if at not in faults]
    clean = sanitize_texts([question.texts[at] for at in fit], opened.gateway.rules)
    faults |= {fit[position]: WITHHELD for position in clean.withheld}
    texts = [text for at, text in zip(fit, clean.texts, strict=True) if at not in faults]
    if not texts:
        return np.zeros((0, meta.dim_in), dtype=np.float32), faults
    return opened.encoder.encode(texts), faults


def _refuse(question: Question, taken: str) -> NoReturn:
    told = f"send {taken if taken != 'text' else 'texts'}"
    if question.images:
        message = f"this model takes {taken}, not images"
        raise InputError(message, code="value_is_image", hint=told)
    if question.vectors is not None:
        message = f"this model takes {taken}, not vectors"
        raise InputError(message, code="value_is_vector", hint=told)
    raise InputError(f"this model takes {taken}, not text", code="value_is_text", hint=told)


def _seen(opened: Opened, encoder: ImageEncoder, files: Sequence[bytes]) -> Float32s:
    """One after another, whoever asks: of the rest only the pixels that are asked for are held."""
    pixels = []
    for at, raw in enumerate(files):
        with opened.decoding:  # taken anew for each, so that one request waits for no other's all
            pixels.append(decoded(raw, encoder.side, place=f"image {at}"))
    return encoder.encode(np.stack(pixels))


def _checked(x: Float32s, dim: int) -> Float32s:
    if x.ndim != 2 or x.shape[1] != dim:
        raise DimensionError(
            f"vectors have shape {x.shape}, the model takes (n, {dim})",
            code="dimension",
            hint="send vectors of the encoder that made the training set",
        )
    if not np.isfinite(x).all():
        raise InputError("a vector is not finite", code="not_finite", hint="check what made it")
    return x
