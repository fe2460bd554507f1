"""The same table in every format a source can have."""

import bz2
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[dict[str, Any]]
Write = Callable[[Rows], Path]


def _delimited(rows: Rows, delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(["" if v is None else _cell(v) for v in row.values()])
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def _parquet(rows: Rows) -> bytes:
    out = io.BytesIO()
    groups = max(7, len(rows) // 3)  # more than one, however small
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=groups)
    return out.getvalue()


_ENCODE: dict[str, Callable[[Rows], bytes]] = {
    ".csv": lambda rows: _delimited(rows, ","),
    ".tsv": lambda rows: _delimited(rows, "\t"),
    ".jsonl": lambda rows: "\n".join(json.dumps(row) for row in rows).encode(),
    ".ndjson": lambda rows: "".join(
        json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows
    ).encode(),
    ".parquet": _parquet,
}
_PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
}
FORMATS = [kind + pack for kind in _ENCODE for pack in _PACK if kind + pack != ".parquet.bz2"]


def write_source(folder: Path, suffix: str, rows: Rows) -> Path:
    kind, _, pack = suffix[1:].partition(".")
    path = folder / f"rows{suffix}"
    path.write_bytes(_PACK["." + pack if pack else ""](_ENCODE["." + kind](rows)))
    return path
