"""Names by lists, cues and a model together: each finds what the others miss.

The small model calls much a name that is none, drugs and first words of sentences above all, so
what it finds counts only where the lists agree: a person needs a word that is a name and no
other, a place one that is listed. Its organizations do not count.
"""

from collections.abc import Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors.adapters.spacy import SpacyDetector
from cipherset.pipeline.sanitize.detectors.names.lists import Known
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
    version: Final = "1"
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
    """Whether the words of ``text`` may be an ``entity``, going by the lists."""
    reading = Reading(text)
    said = reading.said
    whole = reading.words and reading.words[0].start == 0
    if not whole or not all(word.is_capital for word in reading.words):
        return False
    if entity == "PERSON":
        names = [each for each in said if each.is_name and not each.is_plain]
        return bool(names) and not any(_is_ordinary(each) for each in said)
    return entity == "LOCATION" and any(each.is_place for each in said)


def _is_ordinary(said: Known) -> bool:
    return said.is_word and not said.is_name
