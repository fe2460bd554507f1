"""The texts that detectors are measured on, each with what is marked in it."""

import csv
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cipherset.pipeline.sanitize import Span
from cipherset.pipeline.sanitize.bench import ENTITIES, STRUCTURED, TOPICS, Case, load_cases

# Types of pii-anon-eval; those that are not here are of no entity of ours, and are ignored.
PII_ANON = {
    "PERSON_NAME": "PERSON",
    "ORGANIZATION_NAME": "ORGANIZATION",
    "LOCATION_NAME": "LOCATION",
    "STREET_ADDRESS": "STREET_ADDRESS",
    "POSTAL_CODE": "POSTAL_CODE",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "URL": "URL",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "CREDIT_CARD_NUMBER": "CARD",
    "IBAN": "IBAN",
    "BANK_ACCOUNT_NUMBER": "BANK_ACCOUNT",
    "BANK_ROUTING_NUMBER": "BANK_ACCOUNT",
    "SWIFT_BIC_CODE": "BANK_ACCOUNT",
    "SOCIAL_SECURITY_NUMBER": "NATIONAL_ID",
    "NATIONAL_ID_NUMBER": "NATIONAL_ID",
    "PASSPORT_NUMBER": "PASSPORT",
    "DRIVER_LICENSE_NUMBER": "DRIVER_LICENSE",
    "TAX_ID": "TAX_ID",
    "LICENSE_PLATE": "VEHICLE",
    "VEHICLE_IDENTIFICATION_NUMBER": "VEHICLE",
    "LATITUDE_LONGITUDE": "COORDINATES",
    "DATE_OF_BIRTH": "DATE_OF_BIRTH",
    "CRYPTOCURRENCY_ADDRESS": "CRYPTO_WALLET",
    "MEDICAL_RECORD_NUMBER": "MEDICAL_RECORD",
    "HEALTH_INSURANCE_ID": "MEDICAL_RECORD",
    "EMPLOYEE_ID": "REFERENCE_ID",
    "INVOICE_NUMBER": "REFERENCE_ID",
    "INSURANCE_POLICY_NUMBER": "REFERENCE_ID",
    # As in our own cases: numbers of prescriptions and of who prescribes speak of a treatment.
    "PRESCRIPTION_NUMBER": "MEDICAL_RECORD",
    "NPI_NUMBER": "MEDICAL_RECORD",
    "DEA_NUMBER": "MEDICAL_RECORD",
    "COURT_CASE_NUMBER": "REFERENCE_ID",
    "DOCKET_NUMBER": "REFERENCE_ID",
    "BAR_NUMBER": "REFERENCE_ID",
    "USERNAME": "USERNAME",
    "SOCIAL_MEDIA_HANDLE": "USERNAME",
    "PASSWORD": "SECRET",
    "API_KEY": "SECRET",
    "AUTHENTICATION_TOKEN": "SECRET",
    "SALARY": "AMOUNT",
}
# Made by the same templates as what it marks, but often left unmarked: MAC addresses and phones in
# logs, keys in settings, numbers of claims, tickets, samples and prescriptions.
PII_ANON_UNMARKED = re.compile(
    r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\+1 \(\d{3}\) \d{3}-\d{4}|\bsk-[0-9a-f]{12}\b"
    r"|\b[A-Z]{1,4}-?\d[\d-]{4,}\b|#\d{4,6}\b"
)
PII_ANON_SPLITS = ("clinical", "legal", "technology", "adversarial")
WNUT = {
    "person": "PERSON",
    "location": "LOCATION",
    "group": "ORGANIZATION",
    "corporation": "ORGANIZATION",
}


@dataclass(frozen=True)
class Texts:
    """A set of cases; ``entities`` are what was marked in it, None if all was."""

    name: str
    data: str
    cases: tuple[Case, ...] = field(repr=False)
    entities: frozenset[str] | None = None


def all_sets(data: Path | None, rows: int) -> Iterator[Texts]:
    """What is there: the shipped cases, and with ``data`` up to ``rows`` of each local copy."""
    shipped = "the cases that come with the package, split test"
    yield Texts("own cases", shipped, load_cases(split="test"))
    if data is None:
        return
    pii = data / "pii_anon_eval"
    if pii.is_dir():
        cases = list(pii_anon(pii))
        parts = [sampled([c for c in cases if c.style == part], rows) for part in PII_ANON_SPLITS]
        english = tuple(case for part in parts for case in part if case.language == "en")
        # Places and topics are marked here and there only.
        marked = ENTITIES - TOPICS - {"LOCATION"}
        yield Texts("pii-anon-eval", "pii-anon-eval, test splits, English", english, marked)
        others = sampled([case for case in cases if case.language != "en"], rows)
        name = "pii-anon-eval, other languages"
        yield Texts(name, "pii-anon-eval, test splits, not English", others, STRUCTURED)
    if (data / "wnut17").is_dir():
        cases = sampled(list(wnut(data / "wnut17" / "test.conll")), 2 * rows)
        yield Texts("WNUT-17", "WNUT-17 test", cases, frozenset(WNUT.values()))
    if (data / "banking77").is_dir():
        yield Texts("BANKING77", "BANKING77 test", sampled(list(banking(data)), rows))
    if (data / "sms_spam").is_dir():
        yield Texts("SMS", "SMS Spam Collection", sampled(list(sms(data)), rows))


def sampled(cases: Sequence[Case], rows: int) -> tuple[Case, ...]:
    """At most ``rows`` of them, in their order; the same every time."""
    if len(cases) <= rows:
        return tuple(cases)
    chosen = np.random.default_rng(0).choice(len(cases), size=rows, replace=False)
    return tuple(cases[i] for i in sorted(chosen))


def pii_anon(folder: Path) -> Iterator[Case]:
    for part in PII_ANON_SPLITS:
        with gzip.open(folder / f"test_{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                spans = [(s["start"], s["end"], PII_ANON.get(s["type"])) for s in row["spans"]]
                marked = tuple(Span(a, b, entity) for a, b, entity in spans if entity)
                others = [(a, b) for a, b, entity in spans if not entity]
                yield Case(
                    row["id"],
                    row["text"],
                    marked,
                    (*others, *again(row["text"], marked)),
                    style=part,
                    language=row["language"],
                )


def again(text: str, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Where what is marked, or a word of a name, stands a second time without a mark.

    And where what that set always makes up is not marked.
    """
    words = {text[span.start : span.end] for span in spans}
    for span in spans:
        if span.entity == "PERSON":
            words |= set(re.findall(r"\w{3,}", text[span.start : span.end]))
    patterns = [rf"\b{re.escape(word)}\b" for word in sorted(words)]
    for pattern in (*patterns, PII_ANON_UNMARKED):
        for match in re.finditer(pattern, text):
            if not any(match.start() < span.end and span.start < match.end() for span in spans):
                yield match.span()


def wnut(path: Path) -> Iterator[Case]:
    """One case for each sentence, its tokens put together with blanks."""
    for number, block in enumerate(path.read_text(encoding="utf-8").split("\n\n")):
        tokens = [line.split("\t") for line in block.splitlines() if "\t" in line]
        spans: list[Span] = []
        ignored, position = [], 0
        for token, tag in tokens:
            end = position + len(token)
            entity = WNUT.get(tag[2:])
            if entity and tag.startswith("I-") and spans:
                spans[-1] = Span(spans[-1].start, end, spans[-1].entity)
            elif entity:
                spans.append(Span(position, end, entity))
            elif tag != "O":  # a product or a work: a name, but of nobody
                ignored.append((position, end))
            position = end + 1
        if tokens:
            text = " ".join(token for token, _ in tokens)
            yield Case(str(number), text, tuple(spans), tuple(ignored))


def banking(data: Path) -> Iterator[Case]:
    with (data / "banking77" / "test.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            yield Case(str(number), row["text"], ())


def sms(data: Path) -> Iterator[Case]:
    lines = (data / "sms_spam" / "SMSSpamCollection.tsv").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:]):
        yield Case(str(number), line.partition("\t")[2], ())
