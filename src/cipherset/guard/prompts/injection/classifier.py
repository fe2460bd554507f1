"""A small classifier over an encoder's vectors: what is meant like an attack, whatever its words.

Two linear heads, trained on texts of our own (``scripts/injection_classifier.py``). ``attack``: the
text turns a model around; looked for in runs of sentences. ``request``: the text asks an assistant
for something; a user does nothing else, but in a document or in a tool's result each such sentence
is somebody's attempt. Whoever can ask this classifier as often as he likes gets past it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.protocols import Encoder
from cipherset.guard.prompts.injection.windows import runs, sentences

_RUN: Final = 500  # characters: about what the encoder reads at once, with room for other scripts
_MOST_WINDOWS: Final = 64  # of a text; in a longer one they are longer
# Logits from which a text is refused, chosen on rows of even number (benchmarks/injection.py).
ATTACK: Final = 2.5
REQUEST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Head:
    """A linear function of a unit vector."""

    weights: npt.NDArray[np.float64] = field(repr=False)
    bias: float

    def logits(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """``x @ weights + bias``, shape (n,)."""
        told: npt.NDArray[np.float64] = x @ self.weights + self.bias
        return told


class InjectionClassifier:
    """The shipped heads, over the encoder that they were trained with."""

    def __init__(self, encoder: Encoder) -> None:
        """Read the weights.

        Raises:
            InputError: ``classifier_encoder``: the weights are another encoder's.
        """
        shipped = _shipped()
        if shipped["encoder"] != encoder.digest:
            raise InputError(
                f"the classifier of injections was not trained with the encoder {encoder.name}",
                code="classifier_encoder",
                hint="use the default encoder, or none: the other layers need no encoder",
            )
        self.version: Final[str] = shipped["version"]
        self._encoder = encoder
        self._heads = {
            name: Head(np.array(head["weights"]), head["bias"])
            for name, head in shipped["heads"].items()
        }

    def attack_scores(self, texts: Sequence[str]) -> list[float]:
        """For each of ``texts`` how much it turns a model around; from 1 on it is an attack."""
        windows = [runs(text, _RUN, _MOST_WINDOWS) for text in texts]
        return self._highest("attack", windows, ATTACK)

    def request_scores(self, texts: Sequence[str]) -> list[float]:
        """For each how much it asks of an assistant; from 1 on, in a document, an attack."""
        windows = [sentences(text, _MOST_WINDOWS) for text in texts]
        return self._highest("request", windows, REQUEST)

    def _highest(self, head: str, windows: Sequence[Sequence[str]], enough: float) -> list[float]:
        """The highest logit among the windows of each text, in units of ``enough``; 0 if lower."""
        flat = [window for each in windows for window in each]
        if not flat:
            return [0.0] * len(windows)
        logits = iter(self._heads[head].logits(self._encoder.encode(flat)) / enough)
        return [max([0.0, *(float(next(logits)) for _ in each)]) for each in windows]


def _shipped() -> dict[str, Any]:
    raw = files(__package__).joinpath("classifier.json").read_text(encoding="utf-8")
    shipped: dict[str, Any] = json.loads(raw)
    return shipped
