"""``/v1/predict``: what deployed models answer; labels, or probabilities under a grant."""

import base64
import binascii
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cipherset.app.serving.models.answer import (
    MOST_IMAGES,
    MOST_INPUTS,
    Answer,
    Precision,
    Question,
    in_base64,
)
from cipherset.app.serving.models.predict import open_models
from cipherset.core.errors import InputError
from cipherset.core.values import Float32s
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

_BODY_BYTES: Final = 48 << 20  # one image of the largest size that is read, in base64
_WIDEST: Final = 8192
Text = Annotated[str, Field(max_length=100_000)]
Vector = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]],
    Field(min_length=1, max_length=_WIDEST),
]


class ToPredict(BaseModel):
    """The model's name, and texts; vectors or images where the model was made for those."""

    model_config = ConfigDict(extra="forbid")

    # It becomes the subject of an event: it is none that could be anybody's words.
    model: str = Field(max_length=64, pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["router"])
    texts: list[Text] = Field(
        default=[], max_length=MOST_INPUTS, examples=[["where is my parcel?"]]
    )
    vectors: list[Vector] = Field(default=[], max_length=MOST_INPUTS)
    images: list[Annotated[str, Field(max_length=_BODY_BYTES)]] = Field(
        default=[], max_length=MOST_IMAGES, description="Files of images, in base64."
    )


class ToScore(ToPredict):
    """The same, and how precisely the probabilities are to be told."""

    precision: Literal[Precision.ROUNDED, Precision.FULL] = Precision.ROUNDED


class OnePrediction(BaseModel):
    """The answer for one input; ``error`` instead of a label where it cannot be answered."""

    label: str | float | list[str] | None = Field(examples=["parcel"])
    probability: float | None = None
    probabilities: list[float] | None = None
    error: str | None = None


class Predictions(BaseModel):
    """The answers in the order of the inputs, and the statement that is signed under them."""

    model: str
    precision: Precision
    predictions: list[OnePrediction]
    classes: list[str]
    nonce: str = Field(description="Goes into the digests of the statement.")
    signature: str = Field(description="DSSE envelope over digests, lineage and time.")


def router(services: Services) -> APIRouter:
    """The routes, and the models that they keep open."""
    routes = APIRouter(prefix="/v1/predict", tags=["predict"])
    models = services.closing.enter_context(open_models(services.session))
    if models.alarms is not None:
        services.checks["webhooks"] = models.alarms.sender.check
    # Whoever asks a model waits for it; what a client leaves out is not in the answer either.
    options: dict[str, Any] = {"response_model": Predictions, "response_model_exclude_unset": True}

    @routes.post(
        "",
        summary="The label of each text, vector or image",
        openapi_extra=performs(Action.PREDICT, body_bytes=_BODY_BYTES),
        **options,
    )
    def predict(body: ToPredict, session: Caller) -> Any:  # noqa: ANN401 -- see options
        return _told(models.predict(session, body.model, _question(body, Precision.LABEL)))

    @routes.post(
        "/scores",
        summary="The label of each with its probability, which takes a grant",
        openapi_extra=performs(Action.PREDICT_SCORES, body_bytes=_BODY_BYTES),
        **options,
    )
    def scores(body: ToScore, session: Caller) -> Any:  # noqa: ANN401 -- see options
        return _told(models.predict(session, body.model, _question(body, body.precision)))

    return routes


def _question(body: ToPredict, precision: Precision) -> Question:
    if sum(map(bool, (body.texts, body.vectors, body.images))) > 1:
        raise InputError(
            "more than one of texts, vectors and images are given",
            code="inputs_twice",
            hint="send one of them",
        )
    vectors = _array(body.vectors) if body.vectors else None
    images = tuple(_file(text, at) for at, text in enumerate(body.images))
    return Question(tuple(body.texts), vectors, precision, images)


def _file(text: str, at: int) -> bytes:
    """What is in base64, spelled in the one way that the signed statement spells it."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or in_base64(raw) != text:
        raise InputError(
            f"image {at} is not in base64",
            code="image_base64",
            hint="send the bytes of the file as RFC 4648, section 4, has them, padded, in one line",
        )
    return raw


def _array(rows: list[list[float]]) -> Float32s:
    if len({len(row) for row in rows}) != 1:
        raise InputError(
            "the vectors have different widths",
            code="vector_widths",
            hint="send rows of the encoder's width",
        )
    return np.array(rows, dtype=np.float32)


def _told(answer: Answer) -> dict[str, Any]:
    return answer.as_json()
