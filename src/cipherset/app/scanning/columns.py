"""One batch of a source into what was seen of each of its columns."""

from collections.abc import Callable
from typing import Final

from cipherset.pipeline.ingest import Batch
from cipherset.pipeline.sanitize import Detector, Look, Policy, every_detector
from cipherset.pipeline.sanitize.label import ReadCells, read_cells

BATCH_ROWS: Final = 1024  # for a worker: small enough that all have some
Read = tuple[int, dict[str, ReadCells]]


def scan_detectors(policy: Policy) -> tuple[Detector, ...]:
    """Whatever is taken out, and what is only labeled; sums of money are nobody's."""
    return tuple(each for each in every_detector(policy) if each.entities != {"AMOUNT"})


def read_batch(batch: Batch, looking: Look, code: Callable[[str], int] = hash) -> Read:
    """How many rows there are, and each column as ``looking`` sees it."""
    cells = batch.table.to_pydict()
    return batch.table.num_rows, {name: read_cells(cells[name], looking, code) for name in cells}
