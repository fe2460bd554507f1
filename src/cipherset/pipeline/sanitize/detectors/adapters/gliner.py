"""Entities as a GLiNER model sees them, read from a directory of yours; nothing is fetched."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.detectors.adapters.missing import missing
from cipherset.pipeline.sanitize.spans import Span

# A GLiNER model is asked in words; these are the ones its makers train on.
_LABELS: Final[Mapping[str, str]] = {
    "person": "PERSON",
    "location": "LOCATION",
    "organization": "ORGANIZATION",
    "street address": "STREET_ADDRESS",
    "date of birth": "DATE_OF_BIRTH",
    "medical condition": "HEALTH",
    "medication": "HEALTH",
}
_FILES: Final = ("gliner_config.json", "model.safetensors")
_BATCH: Final = 8


class GlinerDetector:
    """What a GLiNER model finds when it is asked for ``labels``.

    It reads some hundred words of a text and no more: cut long texts before.
    """

    name: Final = "gliner"
    version: Final = "1"

    def __init__(
        self,
        directory: Path,
        labels: Mapping[str, str] = _LABELS,
        *,
        lowest_score: float = 0.5,
    ) -> None:
        """The model is read when it is first used.

        Args:
            directory: The model with ``gliner_config.json``, its tokenizer, and its weights as
                ``model.safetensors``.
            labels: What the model is asked for, and the entity that it is to us.
            lowest_score: Of 1; what the model is less sure of is left out.

        Raises:
            BackendError: GLiNER is not installed.
            InputError: A file of the model is not there.
        """
        if find_spec("gliner") is None:
            raise missing("gliner", "pip install gliner")
        for name in _FILES:  # weights in any other form are pickles
            if not (directory / name).is_file():
                raise InputError(
                    f"the directory of the GLiNER model has no {name}",
                    code="gliner_model",
                    hint="give the directory of a model that was saved with safetensors",
                )
        self._directory = directory
        self._labels = dict(labels)
        self._lowest_score = lowest_score
        self.entities = frozenset(labels.values())

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        asked = list(self._labels)
        found = _model(self._directory).inference(
            list(texts), asked, threshold=self._lowest_score, batch_size=_BATCH
        )
        return [
            [Span(each["start"], each["end"], self._labels[each["label"]]) for each in spans]
            for spans in found
        ]


@cache
def _model(directory: Path) -> Any:  # noqa: ANN401  GLiNER is imported late
    from gliner import GLiNER

    return GLiNER.from_pretrained(str(directory), local_files_only=True)
