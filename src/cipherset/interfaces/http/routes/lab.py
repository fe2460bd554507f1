"""``/v1/evaluate`` and ``/v1/train``: the lab's models on rows that never leave."""

import binascii
from base64 import b64decode, b64encode
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from cipherset.app.serving.lab.evaluate import evaluate_upload
from cipherset.app.serving.lab.jobs import Jobs, JobState
from cipherset.app.serving.lab.recipes import SearchSpace
from cipherset.app.serving.lab.train import Order
from cipherset.app.serving.lab.upload import read_upload
from cipherset.core.errors import InputError
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

# A model of 16 MB in base64, and its manifest.
_UPLOAD_BYTES: Final = 24_000_000
# Each row is a run of its own.
_EVALUATE_S: Final = 600.0
Digest = Annotated[
    str, Field(pattern=r"^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0123456789abcdef" * 4])
]

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["0123456789abcdef"])]


class ToEvaluate(BaseModel):
    """A bundle, and the id of the cipherset that it was trained on (its manifest's digest)."""

    model_config = ConfigDict(extra="forbid")

    cipherset: Digest
    manifest: str = Field(max_length=1_000_000, description="bundle.json, as text")
    onnx: str = Field(max_length=22_000_000, description="model.onnx, in base64")


class Evaluated(BaseModel):
    """The figures, each with the standard deviation of its noise, None where one is withheld.

    ``accuracy`` and ``macro_f1`` of classes, ``r2`` and ``mae`` of numbers. ``stored``: this very
    bundle was scored before, and this is what was told then. ``epsilon`` and ``delta``: what one
    evaluation gives away of one row, its label given.
    """

    accuracy: float | None = None
    accuracy_deviation: float | None = None
    macro_f1: float | None = None
    macro_f1_deviation: float | None = None
    r2: float | None = None
    r2_deviation: float | None = None
    mae: float | None = None
    mae_deviation: float | None = None
    n: int
    epsilon: float
    delta: float
    stored: bool
    evaluations_left: int


class ToTrain(BaseModel):
    """The export's id, a search space, and what the model is for where rows have a purpose."""

    model_config = ConfigDict(extra="forbid")

    cipherset: Digest
    space: SearchSpace
    purpose: str | None = Field(default=None, min_length=1, max_length=500)


class Why(BaseModel):
    """Why there is no model."""

    code: str
    message: str
    hint: str


class MembershipFound(BaseModel):
    """The share of its rows that can be told at one false in a hundred; ``ci`` at 95 %."""

    metric: str
    attack: str
    value: float
    ci: list[float]
    limit: float


class Standing(BaseModel):
    """A job; with its model's digest, figures and membership once it is done."""

    job: str
    state: JobState
    cipherset: str
    candidates: int
    model: str | None = None
    bundle: str | None = None
    figures: dict[str, float | int | None] | None = None
    membership: MembershipFound | None = None
    error: Why | None = None


class Fetched(BaseModel):
    """A bundle's two files."""

    manifest: str = Field(description="bundle.json, as text")
    onnx: str = Field(description="model.onnx, in base64")


def router(services: Services) -> APIRouter:
    """The routes, and the jobs that they keep."""
    routes = APIRouter(prefix="/v1", tags=["lab"])
    # What is no figure of the task is not in the answer.
    options: dict[str, Any] = {"response_model": Evaluated, "response_model_exclude_unset": True}

    @routes.post(
        "/evaluate",
        summary="Aggregate figures of an uploaded model on sealed rows, with noise",
        openapi_extra=performs(Action.EVALUATE, body_bytes=_UPLOAD_BYTES, request_s=_EVALUATE_S),
        **options,
    )
    def evaluate(body: ToEvaluate, session: Caller) -> Any:  # noqa: ANN401 -- see options
        bundle = read_upload(body.manifest.encode(errors="surrogatepass"), _bytes(body.onnx))
        return evaluate_upload(session, bundle, body.cipherset).as_json()

    _add_training(routes, services.closing.enter_context(Jobs()))
    return routes


def _add_training(routes: APIRouter, jobs: Jobs) -> None:
    options: dict[str, Any] = {"response_model": Standing, "response_model_exclude_unset": True}

    @routes.post(
        "/train",
        status_code=202,
        summary="Train a declared search space at the gate; a job",
        openapi_extra=performs(Action.TRAIN_AT_GATE),
        **options,
    )
    def train(body: ToTrain, session: Caller) -> Any:  # noqa: ANN401 -- see options
        return jobs.order(session, Order(body.cipherset, body.space, body.purpose)).as_json()

    @routes.get(
        "/train/{job_id}",
        summary="Where a job of yours is, and what came out of it",
        openapi_extra=performs(Action.VIEW),
        **options,
    )
    def look(job_id: JobId, session: Caller) -> Any:  # noqa: ANN401 -- see options
        return jobs.look(session, job_id)

    @routes.post(
        "/train/{job_id}/cancel",
        summary="End a job of yours; what it cost is spent",
        openapi_extra=performs(Action.VIEW),
        **options,
    )
    def cancel(job_id: JobId, session: Caller) -> Any:  # noqa: ANN401 -- see options
        return jobs.cancel(session, job_id)

    @routes.get(
        "/train/{job_id}/bundle",
        summary="The model that a job of yours made",
        openapi_extra=performs(Action.VIEW),
    )
    def fetch(job_id: JobId, session: Caller) -> Fetched:
        found = jobs.fetch(session, job_id)
        return Fetched(manifest=found.manifest.decode(), onnx=b64encode(found.bundle.onnx).decode())


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            "the model is not in base64", code="onnx_base64", hint="encode the bytes of model.onnx"
        ) from None
