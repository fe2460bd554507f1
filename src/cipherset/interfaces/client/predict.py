"""Deployed models, called from Python; each answer is verified where it arrives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from cipherset.app.serving.models.answer import in_base64
from cipherset.app.serving.models.signed import Said, Statement, verified_statement
from cipherset.interfaces.client.connection import Connection

LABEL: Final = "label"
_LABELS: Final = "/v1/predict"
_SCORES: Final = "/v1/predict/scores"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What was answered, in the order of the inputs, and the statement that was signed under it.

    Each of ``predictions`` has a ``label``, and ``probability`` or ``probabilities`` (in the order
    of ``classes``) where they were asked for; or no label and an ``error``. ``signature`` is the
    envelope: with ``nonce`` anybody can verify it again, offline.
    """

    predictions: list[dict[str, Any]] = field(repr=False)
    classes: list[str]
    nonce: str
    signature: str = field(repr=False)
    statement: Statement

    @property
    def labels(self) -> list[str | float | list[str] | None]:
        """The labels alone; a list of them where the model tells several of each row."""
        return [each["label"] for each in self.predictions]


@dataclass(frozen=True, slots=True)
class _Body:
    model: str
    precision: str
    predictions: list[dict[str, Any]]
    classes: list[str]
    nonce: str
    signature: str


_BODY: Final = TypeAdapter(_Body)


class PredictCalls:
    """``/v1/predict``."""

    _connection: Connection

    def predict(
        self,
        model: str,
        texts: Sequence[str] = (),
        *,
        vectors: Sequence[Sequence[float]] = (),
        images: Sequence[bytes] = (),
        precision: str = LABEL,
        fingerprint: str | None = None,
    ) -> Predictions:
        """What ``model`` answers to each text; to vectors or images where it was made for those.

        Args:
            model: The name that it was deployed as.
            texts: At most 256.
            vectors: Instead of texts.
            images: Instead of texts; the bytes of files, at most 32.
            precision: ``label``; ``rounded`` or ``full`` probabilities, which take a grant.
            fingerprint: Of the key that must have signed; without it only changes are seen.

        Raises:
            IntegrityError: ``answer_other``, ``signature``, ``signer``: this is not what was
                answered to this request.
            CiphersetError: as the gateway refused it.
        """
        rows = np.asarray(vectors, dtype=np.float32).tolist()
        files = [in_base64(each) for each in images]
        inputs: list[Any] = list(texts) or rows or files
        body: dict[str, Any] = {"model": model, "texts": list(texts), "vectors": rows}
        if files:
            body["images"] = files
        if precision != LABEL:
            body["precision"] = precision
        path = _LABELS if precision == LABEL else _SCORES
        told = self._connection.told(_BODY, self._connection.ask("POST", path, body=body))
        said = Said(model, precision, inputs, told.predictions, told.nonce)
        statement = verified_statement(told.signature, said, fingerprint=fingerprint)
        return Predictions(told.predictions, told.classes, told.nonce, told.signature, statement)
