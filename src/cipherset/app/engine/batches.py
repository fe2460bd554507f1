"""One JSON value for each batch of a part: a table of one row, in an answer."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

_SCHEMA: Final = pa.schema([("batch", pa.large_binary())])


def as_table(told: dict[str, Any]) -> pa.Table:
    """What a worker says of one batch."""
    return pa.table([[json.dumps(told).encode()]], schema=_SCHEMA)


def told(tables: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    """What it said of each, in order."""
    for table in tables:
        for raw in table.column(0):
            yield json.loads(raw.as_py())
