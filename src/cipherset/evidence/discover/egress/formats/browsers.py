"""The history databases of browsers: Chromium's ``History`` and Firefox' ``places.sqlite``.

They are opened read-only and as they lie there, so that the browser's own locks and journals are
left alone. Exports of them as CSV or JSON are read as tables and records.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from cipherset.core.errors import InputError
from cipherset.evidence.discover.egress.call import Call, How
from cipherset.evidence.discover.egress.formats.times import since_epoch
from cipherset.evidence.discover.egress.names import host_of

MAGIC: Final = b"SQLite format 3\0"
_LONGEST_URL: Final = 4096
_CHROMIUM: Final = (
    "SELECT substr(urls.url, 1, ?), visits.visit_time FROM visits JOIN urls ON urls.id = visits.url"
)
_FIREFOX: Final = (
    "SELECT substr(moz_places.url, 1, ?), moz_historyvisits.visit_date FROM moz_historyvisits "
    "JOIN moz_places ON moz_places.id = moz_historyvisits.place_id"
)
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table'"


def visits_in(path: Path, principal: str) -> Iterator[Call | None]:
    """The visits that a history tells, all of ``principal``; None for one that is none.

    Raises:
        InputError: ``egress_format``: it is no history of a browser, or cannot be read.
    """
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            tables = {name for (name,) in database.execute(_TABLES)}
            query = _CHROMIUM if {"urls", "visits"} <= tables else _FIREFOX
            for url, time in database.execute(query, (_LONGEST_URL,)):
                yield from _visit(url, time, principal)
    except sqlite3.Error:
        raise InputError(
            f"{path.name}: a database that is no history of a browser",
            code="egress_format",
            hint="give Chromium's History or Firefox' places.sqlite, or an export as CSV or JSON",
        ) from None


def _visit(url: object, time: object, principal: str) -> Sequence[Call | None]:
    """The visit; None where it is none, nothing where it was to no host (``about:blank``)."""
    if not isinstance(url, str) or not isinstance(time, int) or time < 0:
        return (None,)
    host = host_of(url)
    if host is None:
        return ()
    try:
        return (Call(How.VISIT, principal, host, at=since_epoch(float(time))),)
    except ValueError:
        return (None,)
