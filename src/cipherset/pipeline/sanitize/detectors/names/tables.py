"""Fields of a table that is written out in a text: CSV, tabs, or bars as in Markdown."""

import re
from collections.abc import Callable, Iterator
from typing import Final

_LINE: Final = re.compile(r"[^\r\n]+")
_SEPARATORS: Final = (",", "|", "\t", ";")
_LONGEST_HEADING: Final = 1000  # characters; a longer line is no heading
_FEWEST: Final = 2


def below(text: str, wanted: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where the fields stand that have a heading which is ``wanted``, with the blanks around them.

    A heading is a line of short fields without digits; its table ends where a line has another
    number of fields.
    """
    columns: list[int] = []
    separator, width = "", 0
    for line in _LINE.finditer(text):
        if width:
            fields = _fields(text, line.start(), line.end(), separator)
            if len(fields) == width:
                yield from (fields[column] for column in columns)
                continue
            if not line.group().strip("|+-=: \t"):  # a rule below the heading, or between rows
                continue
            width = 0
        found = _heading(text, line.start(), line.end(), wanted)
        if found:
            separator, width, columns = found


def _heading(
    text: str, start: int, end: int, wanted: Callable[[str], bool]
) -> tuple[str, int, list[int]] | None:
    if end - start > _LONGEST_HEADING:
        return None
    for separator in _SEPARATORS:
        if separator not in text[start:end]:
            continue
        fields = _fields(text, start, end, separator)
        headings = [text[low:high].strip(" \t\"'").lower() for low, high in fields]
        columns = [at for at, heading in enumerate(headings) if heading and wanted(heading)]
        if len(headings) >= _FEWEST and columns and not any(map(_has_digit, headings)):
            return separator, len(fields), columns
    return None


def _has_digit(heading: str) -> bool:
    return any(map(str.isdigit, heading))


def _fields(text: str, start: int, end: int, separator: str) -> list[tuple[int, int]]:
    """The fields between ``start`` and ``end``; a separator within double quotes separates not."""
    fields = []
    begin, quoted = start, False
    for at in range(start, end):
        char = text[at]
        if char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            fields.append((begin, at))
            begin = at + 1
    fields.append((begin, end))
    return fields
