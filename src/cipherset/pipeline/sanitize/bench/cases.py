"""Texts in which what is personal was marked: shipped ones, or a file of your own.

A file holds one JSON object a line, and may end in ``.gz``:

    id        any string, once in the file
    text      the text
    spans     [start, end, "ENTITY"] each; code points, as Python counts; may be empty
    ignored   [start, end] each, where a finding is neither right nor wrong; may be left out
    split     "dev" to write detectors by, "test" to measure them; "test" if left out
    style     what kind of text it is, such as "mail" or "log"; may be left out
    language  such as "en"; "en" if left out

The shipped cases were written by someone who had not seen the detectors. ``scripts/bench``
makes them; nobody in them is meant.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.spans import Span

SHIPPED: Final = "cases.jsonl.gz"
_STRUCTURED: Final = (
    "EMAIL URL IP MAC PHONE CARD IBAN BANK_ACCOUNT NATIONAL_ID PASSPORT DRIVER_LICENSE TAX_ID "
    "VEHICLE COORDINATES DATE_OF_BIRTH CRYPTO_WALLET MEDICAL_RECORD REFERENCE_ID USERNAME SECRET "
    "POSTAL_CODE"
)
_IN_WORDS: Final = (
    "STREET_ADDRESS AMOUNT PERSON LOCATION ORGANIZATION CONFIDENTIAL SOURCE_CODE TRADE_SECRET"
)
_TOPICS: Final = "HEALTH RELIGION POLITICS ETHNICITY SEXUALITY UNION CRIMINAL FINANCIAL"
STRUCTURED: Final = frozenset(_STRUCTURED.split())
TOPICS: Final = frozenset(_TOPICS.split())
ENTITIES: Final = STRUCTURED | TOPICS | frozenset(_IN_WORDS.split())
# A sum of money alone tells of nobody: a text with no more than that is clean.
NOT_PERSONAL: Final = frozenset({"AMOUNT"})


@dataclass(frozen=True, slots=True)
class Case:
    """A text and the spans a detector should find in it; ``ignored`` are (start, end) pairs."""

    id: str
    text: str = field(repr=False)
    spans: tuple[Span, ...] = field(repr=False)
    ignored: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    split: str = "test"
    style: str = ""
    language: str = "en"

    @property
    def clean(self) -> bool:
        """Whether nothing personal is in it: what a detector reports here is a false alarm."""
        return not self.ignored and all(span.entity in NOT_PERSONAL for span in self.spans)


def load_cases(path: Path | None = None, *, split: str | None = None) -> tuple[Case, ...]:
    """The cases of a file, or the shipped ones; of one ``split`` where it is given.

    Raises:
        InputError: no such file (code ``cases_missing``), or a line is not a case (code
            ``cases_corrupt``): the message names the line, never what stands in it.
    """
    if path is None:
        lines = gzip.decompress(files(__package__).joinpath(SHIPPED).read_bytes())
        name = SHIPPED
    else:
        lines, name = _read(path), path.name
    cases = tuple(_cases(lines, name))
    return cases if split is None else tuple(case for case in cases if case.split == split)


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except FileNotFoundError:
        raise InputError(
            f"no file {path.name}",
            code="cases_missing",
            hint="expected a file of cases, one JSON object a line",
        ) from None
    except (gzip.BadGzipFile, EOFError):
        raise _corrupt(path.name, 1, "not a whole gzip file") from None


def _cases(lines: bytes, name: str) -> Iterator[Case]:
    seen: set[str] = set()
    for number, line in enumerate(lines.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            case = _case(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _corrupt(name, number, "not a case") from None
        for start, end in [(span.start, span.end) for span in case.spans] + [*case.ignored]:
            if not 0 <= start < end <= len(case.text):
                raise _corrupt(name, number, f"a span {start} to {end} outside the text")
        if case.id in seen:
            raise _corrupt(name, number, "an id that was there before")
        seen.add(case.id)
        yield case


def _case(raw: dict[str, Any]) -> Case:
    return Case(
        id=str(raw["id"]),
        text=str(raw["text"]),
        spans=tuple(sorted(Span(int(a), int(b), str(kind)) for a, b, kind in raw["spans"])),
        ignored=tuple((int(a), int(b)) for a, b in raw.get("ignored", ())),
        split=str(raw.get("split", "test")),
        style=str(raw.get("style", "")),
        language=str(raw.get("language", "en")),
    )


def _corrupt(name: str, line: int, found: str) -> InputError:
    return InputError(
        f"{name}, line {line}: {found}",
        code="cases_corrupt",
        hint='expected {"id": "1", "text": "call Jo", "spans": [[5, 7, "PERSON"]]}',
    )
