"""Tables with a header: CSV (comma, semicolon, tab, bar), W3C extended logs, Zeek's own.

Zeek: ``dns.log``, ``http.log``, ``ssl.log``, ``conn.log`` and others with ``#fields``. W3C
extended: ``#Fields: date time c-ip cs-username cs-host cs-bytes``. A CSV's header says which column
is what, by the names in ``roles.py`` or as the caller maps them.

Sources: https://docs.zeek.org/en/master/log-formats.html; https://www.w3.org/TR/WD-logfile.html;
RFC 4180.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cipherset.evidence.discover.egress.call import How, Seen
from cipherset.evidence.discover.egress.formats.roles import (
    Columns,
    calls_in,
    columns_of,
    plain_name,
)

_DELIMITERS: Final = ",;\t|"
_ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
_LOG_OF: Final = {
    "dns": {"host": "query", "answers": "answers"},
    "http": {"host": "host", "bytes_up": "request_body_len"},
    "ssl": {"host": "server_name"},
    "conn": {"address": "id.resp_h", "bytes_up": "orig_bytes"},
    "quic": {"host": "server_name"},
}
_VISITS: Final = frozenset({"title", "visit_time", "visit_count", "visitcount", "last_visit_time"})
Reader = Callable[[str], Sequence[Seen]]


def csv_table(given: Mapping[str, str], of_nobody: str) -> Reader:
    """A reader of CSV whose first line is the header."""
    names: list[str] = []
    columns: dict[str, tuple[str, ...]] = {}
    state = {"delimiter": ",", "how": How.REQUEST}

    def read(line: str) -> Sequence[Seen]:
        if not names:
            delimiter = max(_DELIMITERS, key=line.count)
            header = _cells(line, delimiter)
            columns.update(columns_of(header, given))
            names.extend(header)
            state["delimiter"] = delimiter
            state["how"] = _how(header, columns)
            return ()
        if not line.strip():
            return ()
        cells = _cells(line, str(state["delimiter"]))
        if len(cells) != len(names):
            raise ValueError("another number of cells than the header has")
        row = dict(zip(names, cells, strict=True))
        return calls_in(row, columns, How(state["how"]), of_nobody)

    return read


def w3c(given: Mapping[str, str], of_nobody: str) -> Reader:
    """A reader of W3C extended logs; ``date`` and ``time`` are joined."""
    names: list[str] = []
    columns: dict[str, tuple[str, ...]] = {}

    def read(line: str) -> Sequence[Seen]:
        if line.startswith("#"):
            if line.startswith("#Fields:"):
                names.clear()  # where the header is none, so are the lines below it
                found = line.removeprefix("#Fields:").split()
                columns.update(columns_of(found, given))
                names.extend(found)
            return ()
        if not names:
            raise ValueError("no #Fields")
        cells = _cells(line, " ")
        if len(cells) != len(names):
            raise ValueError("another number of cells than #Fields has")
        row = dict(zip(names, cells, strict=True))
        if {"date", "time"} <= row.keys():
            row["time"] = f"{row['date']}T{row['time']}"
        return calls_in(row, columns, How.REQUEST, of_nobody)

    return read


def zeek(given: Mapping[str, str], of_nobody: str) -> Reader:
    """A reader of Zeek's logs, whose fields ``#fields`` names."""
    head = {"separator": "\t", "path": ""}
    names: list[str] = []
    columns: dict[str, tuple[str, ...]] = {}

    def read(line: str) -> Sequence[Seen]:
        if line.startswith("#"):
            _head(line, head, names, columns, given)
            return ()
        if not names:
            raise ValueError("no #fields")
        cells = line.split(head["separator"])
        if len(cells) != len(names):
            raise ValueError("another number of cells than #fields has")
        row = dict(zip(names, (_unescaped(cell) for cell in cells), strict=True))
        if head["path"] == "dns":
            return _looked_up(row, columns, of_nobody)
        return calls_in(row, columns, How.REQUEST, of_nobody)

    return read


def _looked_up(row: Mapping[str, str], columns: Columns, of_nobody: str) -> Sequence[Seen]:
    """A line of ``dns.log``; one without a query is nobody's call."""
    if row.get("query", "-") in {"-", "", "(empty)"}:
        return ()
    return calls_in(row, columns, How.LOOKUP, of_nobody)


def _head(
    line: str,
    head: dict[str, str],
    names: list[str],
    columns: dict[str, tuple[str, ...]],
    given: Mapping[str, str],
) -> None:
    if line.startswith("#separator"):
        head["separator"] = _unescaped(line.split(" ", 1)[-1]) or "\t"
    parts = line.split(head["separator"])
    if parts[0] == "#path" and len(parts) > 1:
        head["path"] = parts[1]
    if parts[0] == "#fields":
        names.clear()  # where the header is none, so are the lines below it
        of_path = _LOG_OF.get(head["path"], {})
        mine = {role: name for role, name in of_path.items() if name in parts[1:]}
        columns.update(columns_of(parts[1:], {**mine, **given}))
        names.extend(parts[1:])


def _how(header: Sequence[str], columns: Columns) -> How:
    names = {plain_name(name) for name in header}
    is_visits = "url" in names and bool(names & _VISITS) and not columns["principal"]
    return How.VISIT if is_visits else How.REQUEST


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error:
        raise ValueError("no line of a table") from None
    return cells


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
