"""A report that came from elsewhere, taken in only if every field is what it should be."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from cipherset.core.errors import InputError
from cipherset.evidence.discover.code.found import (
    FIELDS,
    MOST_TEXT,
    SCHEMA,
    Found,
    Kind,
    NotRead,
    ReadFault,
    Report,
    shown,
)

MOST_BYTES: Final = 64_000_000
MOST_FINDINGS: Final = 100_000
MOST_NOT_READ: Final = 1_000
_MOST_COUNT: Final = 2**53 - 1
_DIGEST: Final = re.compile(r"(?:sha256:[0-9a-f]{64})?")
_INSTANT: Final = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?")
_TOP: Final = frozenset(Report(roots=(), findings=()).as_json())
_NUMBERS: Final = ("line", "size_bytes", "n_times")
_DIGESTS: Final = ("digest", "bundle")


def read_report(raw: bytes) -> Report:
    """The report that an agent or another machine wrote as JSON.

    Raises:
        InputError: ``discover_report``: not a report, or one with a field that it cannot have.
    """
    if len(raw) > MOST_BYTES:
        _refuse(f"it is larger than {MOST_BYTES} bytes")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        _refuse("it is not JSON")
    return report_of(value)


def report_of(value: object) -> Report:
    """The report that this is, once it is no JSON any more.

    Raises:
        InputError: ``discover_report``: not a report, or one with a field that it cannot have.
    """
    if not isinstance(value, dict) or set(value) != _TOP:
        _refuse(f"it does not have exactly the fields {', '.join(sorted(_TOP))}")
    if value["schema"] != SCHEMA:
        _refuse(f"its schema is not {SCHEMA}")
    return Report(
        roots=tuple(_text(root, "roots") for root in _list(value["roots"], "roots", 1_000)),
        findings=tuple(
            _found(one, f"findings[{number}]")
            for number, one in enumerate(_list(value["findings"], "findings", MOST_FINDINGS))
        ),
        not_read=tuple(
            _not_read(one, f"not_read[{number}]")
            for number, one in enumerate(_list(value["not_read"], "not_read", MOST_NOT_READ))
        ),
        n_not_read=_number(value["n_not_read"], "n_not_read"),
        n_files=_number(value["n_files"], "n_files"),
        host=_text(value["host"], "host"),
        started=_matching(_INSTANT, value["started"], "started"),
        finished=_matching(_INSTANT, value["finished"], "finished"),
        catalog=_matching(_DIGEST, value["catalog"], "catalog"),
    )


def _found(value: object, where: str) -> Found:
    row = _row(value, set(FIELDS), where)
    kinds = [kind for kind in Kind if kind.value == row["kind"]]
    if not kinds:
        _refuse(f"{where}.kind is none of {', '.join(Kind)}")
    for name in _DIGESTS:
        _matching(_DIGEST, row[name], f"{where}.{name}")
    for name in _NUMBERS:
        _number(row[name], f"{where}.{name}")
    for name in ("what", "path", "how", "service"):
        _text(row[name], f"{where}.{name}")
    if not row["what"] or not row["path"]:
        _refuse(f"{where} names nothing")
    return Found(
        kind=kinds[0],
        what=row["what"],
        path=row["path"],
        line=row["line"],
        how=row["how"],
        service=row["service"],
        digest=row["digest"],
        bundle=row["bundle"],
        size_bytes=row["size_bytes"],
        n_times=row["n_times"],
    )


def _not_read(value: object, where: str) -> NotRead:
    row = _row(value, {"path", "fault"}, where)
    faults = [fault for fault in ReadFault if fault.value == row["fault"]]
    if not faults:
        _refuse(f"{where}.fault is not one of this version")
    return NotRead(_text(row["path"], f"{where}.path"), faults[0])


def _row(value: object, names: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        _refuse(f"{where} does not have exactly the fields {', '.join(sorted(names))}")
    return value


def _list(value: object, where: str, most: int) -> list[object]:
    if not isinstance(value, list) or len(value) > most:
        _refuse(f"{where} is not a list of at most {most}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT or shown(value) != value:
        _refuse(f"{where} is not text on one line of at most {MOST_TEXT} characters")
    return value


def _matching(pattern: re.Pattern[str], value: object, where: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        _refuse(f"{where} does not have its form")
    return value


def _number(value: object, where: str) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_COUNT:
        _refuse(f"{where} is not a whole number from 0")
    return value


def _refuse(reason: str) -> NoReturn:
    raise InputError(
        f"this is not a report of a scan: {reason}",
        code="discover_report",
        hint="have the agent of this version write it anew: cipherset discover --agent-file FILE",
    )
