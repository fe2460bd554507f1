"""Names by lists, cues and a model together: each finds what the others miss.

Who asks for the model wants names found, at the price of more words that are none: its persons and
places count as they come, but for those made of ordinary words or known products only. Of its
organizations, most of which are none, those with a capital word on no list count.
"""

from collections.abc import Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors.adapters.spacy import SpacyDetector
from cipherset.pipeline.sanitize.detectors.names.context import PRODUCTS, may_be_strange
from cipherset.pipeline.sanitize.detectors.names.naming import Reading
from cipherset.pipeline.sanitize.detectors.names.organizations import OrganizationDetector
from cipherset.pipeline.sanitize.detectors.names.people import NameDetector
from cipherset.pipeline.sanitize.detectors.names.places import PlaceDetector
from cipherset.pipeline.sanitize.spans import Span


class NamesWithModel:
    """``PERSON``, ``LOCATION`` and ``ORGANIZATION`` by lists and cues, and by spaCy's small model.

    Some hundred times slower than the lists alone.
    """

    name: Final = "name lists, cues and spacy small model"
    version: Final = "2"
    entities: Final = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})

    def __init__(self) -> None:
        """Looks for the packages.

        Raises:
            BackendError: spaCy or the model is not installed.
        """
        self._model = SpacyDetector()
        self._lists = (NameDetector(), PlaceDetector(), OrganizationDetector())

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        found = [
            [span for span in spans if _is_likely(text[span.start : span.end], span.entity)]
            for text, spans in zip(texts, self._model.detect(texts), strict=True)
        ]
        for detector in self._lists:
            for spans, more in zip(found, detector.detect(texts), strict=True):
                spans += more
        return found


def _is_likely(text: str, entity: str) -> bool:
    """Whether what the model calls an ``entity`` has a word that may be a name.

    Ordinary words, and products that the lists know, are none.
    """
    reading = Reading(text)
    keys = [word.key for word in reading.words]
    if entity == "ORGANIZATION":
        return any(may_be_strange(reading, at) for at in range(len(reading)))
    return not all(
        said.is_never or (said.is_word and not said.is_name) or key in PRODUCTS
        for said, key in zip(reading.said, keys, strict=True)
    )
