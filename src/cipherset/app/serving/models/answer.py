"""What is asked of a deployed model and what it answers, as both sides see it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cipherset.core.errors import InputError
from cipherset.core.values import Float32s

# One request waits for one batch of the encoder; what is longer is a job for the command line.
MOST_INPUTS: Final = 256
# The encoder reads the first few hundred words; a detector looks at all of them.
MOST_CHARACTERS: Final = 20_000
# Each may have as many pixels as the command line reads; they are decoded one after another.
MOST_IMAGES: Final = 32
ROUNDED_DIGITS: Final = 1


class Precision(StrEnum):
    """How much of what a model computes is told; beyond the label it takes a grant.

    ``rounded``: the label's probability to one decimal. ``full``: the probability of each class.
    """

    LABEL = "label"
    ROUNDED = "rounded"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Question:
    """Texts, or vectors (n, dim) or files of images where the model was made for those."""

    texts: tuple[str, ...] = field(default=(), repr=False)
    vectors: Float32s | None = field(default=None, repr=False)
    precision: Precision = Precision.LABEL
    images: tuple[bytes, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.images or self.texts) if self.vectors is None else len(self.vectors)

    def inputs(self) -> list[Any]:
        """The inputs as JSON has them: what the digest of a request is over."""
        if self.images:
            return [in_base64(each) for each in self.images]
        return list(self.texts) if self.vectors is None else self.vectors.tolist()

    def contents(self) -> list[bytes]:
        """What the ledger's digests are over: UTF-8, files, or a vector's numbers as JSON."""
        if self.images:
            return list(self.images)
        if self.vectors is not None:
            return [repr(each).encode() for each in self.vectors.tolist()]
        return [each.encode(errors="surrogatepass") for each in self.texts]

    def lengths(self) -> list[int]:
        """Characters of each text, numbers of each vector, bytes of each file."""
        return [len(each) for each in self.images or self.inputs()]


def in_base64(raw: bytes) -> str:
    """A file as JSON has it: RFC 4648, section 4."""
    return base64.b64encode(raw).decode("ascii")


@dataclass(frozen=True, slots=True)
class Predicted:
    """The answer for one input; ``error`` says why there is none, and then there is no label.

    The label is a tuple where a row has several.
    """

    label: str | float | tuple[str, ...] | None
    probability: float | None = None
    probabilities: tuple[float, ...] | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What is there of it."""
        label = list(self.label) if isinstance(self.label, tuple) else self.label
        told: dict[str, Any] = {"label": label}
        if self.probability is not None:
            told["probability"] = self.probability
        if self.probabilities is not None:
            told["probabilities"] = list(self.probabilities)
        if self.error is not None:
            told["error"] = self.error
        return told


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that goes back: the predictions in the order of the inputs, and their proof.

    ``nonce`` is hexadecimal and goes into both digests of the signed statement: whoever has only
    the statement cannot confirm a guess of the text. ``classes`` names the columns of
    ``probabilities``.
    """

    model: str
    precision: Precision
    predictions: tuple[Predicted, ...] = field(repr=False)
    classes: tuple[str, ...]
    nonce: str
    signature: str = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The body of the response."""
        return {
            "model": self.model,
            "precision": self.precision.value,
            "predictions": [each.as_json() for each in self.predictions],
            "classes": list(self.classes),
            "nonce": self.nonce,
            "signature": self.signature,
        }


def check_question(question: Question) -> None:
    """Refuse what is not asked of a model.

    Raises:
        InputError: ``no_inputs``, ``too_many_inputs``.
    """
    if len(question) == 0:
        raise InputError("nothing is asked", code="no_inputs", hint="send at least one text")
    if len(question) > MOST_INPUTS:
        raise InputError(
            f"{len(question)} inputs are asked at once, at most {MOST_INPUTS} are answered",
            code="too_many_inputs",
            hint="send them in several requests",
        )
    if len(question.images) > MOST_IMAGES:
        raise InputError(
            f"{len(question.images)} images are asked at once, at most {MOST_IMAGES} are answered",
            code="too_many_inputs",
            hint="send them in several requests",
        )


def faults_of(texts: Sequence[str]) -> dict[int, str]:
    """Which texts cannot be answered, and why; the others are."""
    found = {}
    for at, text in enumerate(texts):
        if len(text) > MOST_CHARACTERS:
            found[at] = "text_too_long"
        elif any("\ud800" <= character <= "\udfff" for character in text):
            found[at] = "text_not_unicode"
    return found
