"""``scan`` on a worker: what was seen of each column of a batch; of its texts, those with finds."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import pyarrow as pa

from cipherset.app.engine.batches import as_table
from cipherset.app.engine.made import Made, kept
from cipherset.app.engine.task import Task
from cipherset.app.scanning.columns import BATCH_ROWS, Read, read_batch, scan_detectors
from cipherset.core.values import Span
from cipherset.custody.keys import JobKeys
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import Fault, Looked, default_policy, look
from cipherset.pipeline.sanitize.label import ReadCells

STAGE: Final = "scan"


def settings(columns: Sequence[str]) -> dict[str, Any]:
    """What the stage takes: the columns to look at, all by default."""
    return {"columns": list(columns), "rules": default_policy().digest}


def answer(part: Source, task: Task, keys: JobKeys, made: Made) -> Iterator[pa.Table]:
    """What is in each batch of ``part``; values are told apart by hashes under the job's key."""
    detectors = kept(made, ("scan",), partial(scan_detectors, default_policy()))

    def code(cell: str) -> int:
        return int(keys.hashes.of([cell.encode("utf-8", "surrogatepass")])[0])

    for batch in part.cells(task.settings["columns"], BATCH_ROWS):
        n_rows, read = read_batch(batch, partial(look, detectors), code)
        columns = {name: _encoded(cells) for name, cells in read.items()}
        yield as_table({"rows": n_rows, "columns": columns})


def decoded(told: Mapping[str, Any]) -> Read:
    """How many rows a batch has, and what was seen of each column."""
    return told["rows"], {name: _decoded(cells) for name, cells in told["columns"].items()}


def _encoded(read: ReadCells) -> dict[str, Any]:
    texts = []
    for position, ((text, n), spans) in enumerate(
        zip(read.texts.items(), read.looked.spans, strict=True)
    ):
        fault = read.looked.faults.get(position)
        if spans or fault is not None:
            told = None if fault is None else asdict(fault)
            texts.append([text, n, [[s.start, s.end, s.entity] for s in spans], told])
    return {
        "rows": read.n_rows,
        "times": list(read.times.items()),
        "shapes": dict(read.shapes),
        "texts": texts,
        "invisible": read.invisible,
        "truncated": read.truncated,
    }


def _decoded(told: Mapping[str, Any]) -> ReadCells:
    spans = [[Span(*span) for span in found] for _, _, found, _ in told["texts"]]
    faults = {
        position: Fault(**fault)
        for position, (_, _, _, fault) in enumerate(told["texts"])
        if fault is not None
    }
    return ReadCells(
        told["rows"],
        dict(told["times"]),
        Counter(told["shapes"]),
        {text: n for text, n, _, _ in told["texts"]},
        Looked(spans, faults),
        told["invisible"],
        told["truncated"],
    )
