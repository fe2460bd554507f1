"""All detectors of identifiers and secrets as one, which reads each text once."""

from collections.abc import Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.addresses import AddressDetector
from cipherset.pipeline.sanitize.detectors.structured.credentials import CredentialDetector
from cipherset.pipeline.sanitize.detectors.structured.dates import BirthDateDetector
from cipherset.pipeline.sanitize.detectors.structured.emails import EmailDetector
from cipherset.pipeline.sanitize.detectors.structured.identifiers import IdentifierDetector
from cipherset.pipeline.sanitize.detectors.structured.logins.said import SaidDetector
from cipherset.pipeline.sanitize.detectors.structured.network import NetworkDetector
from cipherset.pipeline.sanitize.detectors.structured.payments import (
    PaymentDetector,
    WalletDetector,
)
from cipherset.pipeline.sanitize.detectors.structured.phones import PhoneDetector
from cipherset.pipeline.sanitize.detectors.structured.reading.text import TextDetector, found_by
from cipherset.pipeline.sanitize.detectors.structured.tables import TableDetector
from cipherset.pipeline.sanitize.spans import Span


class StructuredDetector:
    """All of ``structured_parts`` in one: each text is read once."""

    name: Final = "structured"
    version: Final = "3"

    def __init__(self, phone_region: str) -> None:
        """``phone_region``: whose numbers need no prefix; two capital letters, ISO 3166."""
        self._parts = structured_parts(phone_region)
        self.entities: Final = frozenset[str]().union(*(part.entities for part in self._parts))

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text."""
        return [_resolved(spans) for spans in found_by(self._parts, texts)]


_KEPT_IN_URL: Final = frozenset({"SECRET", "EMAIL"})  # worse to show than where they stand


def _resolved(spans: list[Span]) -> list[Span]:
    """``spans`` in order without those that lie within another; of the same two, the first."""
    if len(spans) < 2:
        return spans
    order = {span: index for index, span in reversed(list(enumerate(spans)))}
    kept: list[Span] = []
    outer: Span | None = None
    for span in sorted(order, key=lambda span: (span.start, -span.end, order[span])):
        if outer is None or span.end > outer.end:
            outer = span
        elif outer.entity != "URL" or span.entity not in _KEPT_IN_URL:
            continue
        kept.append(span)
    return kept


def structured_parts(phone_region: str) -> tuple[TextDetector, ...]:
    """Every detector of identifiers and secrets; sums of money are nobody's, so not theirs."""
    return (
        CredentialDetector(),
        SaidDetector(),
        NetworkDetector(),
        EmailDetector(),
        PaymentDetector(),
        WalletDetector(),
        TableDetector(),
        IdentifierDetector(),
        PhoneDetector(phone_region),
        BirthDateDetector(),
        AddressDetector(),
    )
