"""Detector of what stands under a heading, in the tables within a text: CSV, TSV, Markdown."""

import re
from collections.abc import Iterator
from typing import Final

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
    """What a heading calls a kind of identifier, or a date of birth, in each row below it."""

    name = "tables"
    version = "1"
    entities = FITTING | {"DATE_OF_BIRTH"}
    n_digits = 4

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
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
    said = [cue_in(cell) for _, cell in cells]
    return (mark, said) if any(said) else ("", [])


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
        if entity == "DATE_OF_BIRTH":
            if DATE.fullmatch(cell):
                yield Span(begin, end, entity)
        elif entity is not None and fits(text, begin, end, Cue(entity, strong=True)):
            yield Span(begin, end, entity)
