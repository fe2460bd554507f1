"""``sanitize`` on a worker: the texts of a batch that changed, what was found, who is set apart.

The rows stay where they are: whoever asked reads them too, and puts in what is told here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from typing import Any, Final

import pyarrow as pa

from cipherset.app.engine.batches import as_table, told
from cipherset.app.engine.made import Made, kept
from cipherset.app.engine.task import Task
from cipherset.app.sanitizing.batch import CleanBatch, Quarantined, Work, clean_batch
from cipherset.app.training.filters import filters_named
from cipherset.core.errors import IntegrityError
from cipherset.core.rows import Rows
from cipherset.custody.keys import JobKeys
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import SanitizeRules, detectors_of, look, policy_of
from cipherset.pipeline.sanitize.training import Reason
from cipherset.pipeline.sanitize.treat import Treating

STAGE: Final = "sanitize"


def settings(work: Work, rules: str, filters: Iterable[str]) -> dict[str, Any]:
    """What the stage takes; ``rules`` as text, ``filters`` by name."""
    return {
        "text": list(work.text),
        "rules": rules,
        "largest_row": work.largest_row,
        "filters": sorted(filters),
        "marked": {str(row): reason.value for row, reason in work.marked.items()},
    }


def keyed(rules: str, keys: JobKeys, made: Made) -> SanitizeRules:
    """The rules of that text with the keys of this part; only the detectors are kept."""
    policy = policy_of(rules)
    detectors = kept(made, ("rules", policy.digest), partial(detectors_of, policy))
    return SanitizeRules(detectors, Treating(policy.treatments, keys.pseudonyms))


def answer(part: Source, task: Task, keys: JobKeys, made: Made) -> Iterator[pa.Table]:
    """What became of each batch of ``part``."""
    asked = task.settings
    work = Work(
        tuple(asked["text"]),
        keyed(asked["rules"], keys, made),
        asked["largest_row"],
        tuple(filters_named(asked["filters"])),
        {int(row): Reason(reason) for row, reason in asked["marked"].items()},
    )
    looking = partial(look, work.rules.detectors)
    for rows in part.whole():
        yield as_table(_encoded(clean_batch(work, rows, looking)))


def decoded(
    part: Source, tables: Iterable[pa.Table], text: tuple[str, ...]
) -> Iterator[CleanBatch]:
    """The batches of ``part`` with what a worker made of them.

    Raises:
        IntegrityError: ``part_changed``.
    """
    for rows, said in zip_longest(part.whole(), told(tables)):
        if (
            rows is None
            or said is None
            or (said["rows"], said["start"]) != (rows.n_rows, rows.start)
        ):
            raise changed(part)
        yield _decoded(rows, said, text)


def changed(part: Source) -> IntegrityError:
    """The rows that a worker read are not those that are there now."""
    return IntegrityError(
        f"{part.name} is not what workers have read: it was changed while the job ran",
        code="part_changed",
        hint="run the same command again, and leave the source alone until it is done",
    )


def _encoded(batch: CleanBatch) -> dict[str, Any]:
    texts = {}
    for column, cells in batch.cells.items():
        before = batch.rows.cells(column)
        texts[column] = [
            [row, cell]
            for row, (cell, was) in enumerate(zip(cells, before, strict=True))
            if isinstance(cell, str) and cell != was
        ]
    return {
        "start": batch.rows.start,
        "rows": batch.rows.n_rows,
        "texts": texts,
        "counts": [[row, dict(counts)] for row, counts in batch.counts.items()],
        "refused": [[row, asdict(why)] for row, why in batch.refused.items()],
    }


def _decoded(rows: Rows, said: Mapping[str, Any], text: tuple[str, ...]) -> CleanBatch:
    cells = {column: rows.cells(column) for column in text}
    for column, changes in said["texts"].items():
        for row, cell in changes:
            cells[column][row] = cell
    counts = {row: Counter(found) for row, found in said["counts"]}
    refused = {row: Quarantined(**why) for row, why in said["refused"]}
    return CleanBatch(rows, cells, counts, refused)
