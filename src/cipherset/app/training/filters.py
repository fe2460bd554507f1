"""Row filters by name, for commands, and their verdicts on plain lists of texts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import pyarrow as pa

from cipherset.core.errors import UsageError
from cipherset.core.values import ROW, Records
from cipherset.guard.prompts.injection import is_hiding, score
from cipherset.pipeline.sanitize.training import (
    BrokenEncoding,
    Duplicates,
    EmptyRows,
    InjectedRows,
    OversizedRows,
    Refused,
    RowFilter,
    filter_batch,
)

# In the order in which they see the rows: what is quarantined is nobody's original.
FILTERS: Final[Mapping[str, Callable[[], RowFilter]]] = {
    "empty": EmptyRows,
    "oversized": OversizedRows,
    "encoding": BrokenEncoding,
    "injection": partial(InjectedRows, score, is_hiding),
    "duplicates": Duplicates,
}
DEFAULT: Final = ("empty", "oversized", "encoding", "duplicates")


def filters_named(names: Sequence[str] = DEFAULT) -> list[RowFilter]:
    """A new filter for each of ``names``, in the order of ``FILTERS``.

    Raises:
        UsageError: ``row_filter``: no filter of that name.
    """
    for name in names:
        if name not in FILTERS:
            raise UsageError(
                f"no filter {name!r}", code="row_filter", hint=f"any of {', '.join(FILTERS)}"
            )
    return [make() for name, make in FILTERS.items() if name in names]


def refused(
    texts: Sequence[str], filters: Sequence[RowFilter], *, first_row: int = 0
) -> tuple[Refused, ...]:
    """Which of ``texts``, rows ``first_row`` … of the source, are not to be kept, and why.

    Call it for one batch after the other, with the same filters: they remember. A row of several
    text columns is judged as these joined by a line break.
    """
    rows = pa.array(range(first_row, first_row + len(texts)), pa.int64())
    return filter_batch(Records(list(texts), pa.table({ROW: rows})), filters).refused
