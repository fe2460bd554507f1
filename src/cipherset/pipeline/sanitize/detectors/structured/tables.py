"""Detector of what stands in the tables within a text: CSV, TSV, Markdown.

Under a heading, what the heading says; in a row without one, a date before ``_BORN_BEFORE`` and a
number that could be a phone's, where other cells of the row are a person's.
"""

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from cipherset.pipeline.sanitize.detectors.structured.dates import DATE
from cipherset.pipeline.sanitize.detectors.structured.identifiers import FITTING, fits
from cipherset.pipeline.sanitize.detectors.structured.reading.cues import Cue, cue_in
from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, TextDetector
from cipherset.pipeline.sanitize.spans import Span

_DELIMITERS: Final = ",\t;|"
_CELL: Final = {
    mark: re.compile(rf'[ ]*("[^"\n]*"|[^{re.escape(mark)}\n]*)[ ]*(?:{re.escape(mark)}|\Z)')
    for mark in _DELIMITERS
}
_HEADING_LONGEST: Final = 32
_COLUMNS: Final = range(2, 65)
_RULE: Final = re.compile(r"[\s|:+-]+")


class TableDetector(TextDetector):
    """What a heading calls an identifier, a date of birth or a login, and rows of a person's."""

    name = "tables"
    version = "2"
    entities = FITTING | {"DATE_OF_BIRTH", "PHONE", "USERNAME", "SECRET"}

    def likely(self, reading: Reading) -> bool:
        return "\n" in reading.text or reading.n_digits >= _ROW_DIGITS

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
        if reading.n_digits >= _ROW_DIGITS:
            yield from _rows(text)
        if "\n" not in text:
            return
        mark = ""
        columns: list[str | None] = []
        start = 0
        for line in text.split("\n"):
            cells = _cells(line, mark) if columns else []
            if len(cells) == len(columns) > 0:
                yield from _in_row(text, start, cells, columns)
            elif not (columns and _RULE.fullmatch(line)):
                mark, columns = _heading(line)
            start += len(line) + 1


def _heading(line: str) -> tuple[str, list[str | None]]:
    """The mark between the headings in ``line``, and what each says; none if it has none."""
    if any(map(str.isdigit, line)):
        return "", []
    mark = max(_DELIMITERS, key=line.count)
    cells = _cells(line, mark)
    if len(cells) not in _COLUMNS or any(len(cell) > _HEADING_LONGEST for _, cell in cells):
        return "", []
    said = [_LOGINS.get(cell.lower()) or cue_in(cell) for _, cell in cells]
    if "SECRET" not in said:
        said = [None if each == "USERNAME" else each for each in said]
    return (mark, said) if any(said) else ("", [])


_LOGINS: Final = {
    **dict.fromkeys(
        (
            *(
                "user",
                "username",
                "user name",
                "user_name",
                "login",
                "userid",
                "user id",
                "account",
            ),
            *(
                "benutzer",
                "benutzername",
                "usuario",
                "utilisateur",
                "identifiant",
                "utente",
                "gebruiker",
            ),
        ),
        "USERNAME",
    ),
    **dict.fromkeys(
        (
            *(
                "password",
                "pass",
                "pw",
                "pwd",
                "passwd",
                "passwort",
                "kennwort",
                "pin",
                "secret",
                "token",
            ),
            *(
                "contrase\u00f1a",
                "mot de passe",
                "wachtwoord",
                "senha",
                "passphrase",
                "api key",
                "api_key",
            ),
        ),
        "SECRET",
    ),
}


def _cells(line: str, mark: str) -> list[tuple[int, str]]:
    """Where each cell begins in ``line``, and the cell, without quotes and blanks."""
    if mark not in line:
        return []
    cells = []
    for match in _CELL[mark].finditer(line):
        cell = match.group(1)
        bare = cell.strip(' "')
        cells.append((match.start(1) + len(cell) - len(cell.lstrip(' "')), bare))
    return cells[:-1] if cells and match.start() == len(line) else cells


def _in_row(
    text: str, start: int, cells: list[tuple[int, str]], columns: list[str | None]
) -> Iterator[Span]:
    for (at, cell), entity in zip(cells, columns, strict=True):
        begin, end = start + at, start + at + len(cell)
        form = _CELLS.get(entity or "")
        if entity is not None and form is not None:
            if form.fullmatch(cell):
                yield Span(begin, end, entity)
        elif entity is not None and fits(text, begin, end, Cue(entity, strong=True)):
            yield Span(begin, end, entity)


_ROW_DIGITS: Final = 8
_ROW_CELLS: Final = 3
_BORN_BEFORE: Final = 2013  # a date since then is more often an order's
_YEAR: Final = re.compile("(?:1[89]|20)[0-9]{2}")
_PHONE: Final = re.compile(r"[+(]{0,2}[0-9](?:[ ()./-]{0,3}[0-9]){6,14}")
_LOGIN: Final = re.compile(r"(?![-*x.]{1,64}\Z|(?i:none|null|n/a|yes|no|true|false)\Z)\S{2,64}")
_CELLS: Final = {"DATE_OF_BIRTH": DATE, "PHONE": _PHONE, "USERNAME": _LOGIN, "SECRET": _LOGIN}
_MAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,120}\.[^\s@]{2,60}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,34}")
_NAME: Final = re.compile(
    r"[A-Z\u00c0-\u00de][\w'-]{1,30}(?:,? [A-Z\u00c0-\u00de][\w'.-]{0,30}){1,3}"
)
_TRUNK: Final = dict.fromkeys(("GB", "DE", "FR", "IT", "NL", "BE", "CH", "AT", "SE"), "0")
_HOME: Final = {"ES": "679", "DK": "23456789", "NO": "49", "PT": "9", "PL": "5678", "CZ": "67"}


def _rows(text: str) -> Iterator[Span]:
    start = 0
    for line in text.split("\n"):
        mark = max(_DELIMITERS, key=line.count)
        if line.count(mark) >= _ROW_CELLS - 1:
            yield from _of_person(start, _cells(line, mark))
        start += len(line) + 1


def _of_person(start: int, cells: list[tuple[int, str]]) -> Iterator[Span]:
    """A date of birth and a phone number, of a row where another cell is a person's."""
    if len(cells) not in _COLUMNS:
        return
    mails = sum(_MAIL.fullmatch(cell) is not None for _, cell in cells)
    ibans = [cell[:2] for _, cell in cells if _IBAN.fullmatch(cell)]
    names = sum(_NAME.fullmatch(cell) is not None for _, cell in cells)
    phones = [(at, cell) for at, cell in cells if _PHONE.fullmatch(cell)]
    dates = [(at, cell) for at, cell in cells if DATE.fullmatch(cell)]
    dialed = any(cell.startswith(("+", "00")) for _, cell in phones)
    if not (mails or ibans or (names and dates) or dialed):
        return
    for at, cell in dates:
        year = _YEAR.search(cell)
        if year is not None and int(year.group()) < _BORN_BEFORE:
            yield Span(start + at, start + at + len(cell), "DATE_OF_BIRTH")
    for at, cell in phones:
        if not DATE.fullmatch(cell) and _is_home(re.sub("[^0-9+]", "", cell), ibans):
            yield Span(start + at, start + at + len(cell), "PHONE")


def _is_home(number: str, countries: list[str]) -> bool:
    """Whether ``number`` has its prefix, or is a mobile's at home in ``countries`` if told."""
    if number.startswith(("+", "00")):
        return True
    homes = _TRUNK if number.startswith("0") else _HOME
    for region in countries or homes:
        if number[0] in homes.get(region, ""):
            try:
                if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                    return True
            except phonenumbers.NumberParseException:
                continue
    return False
