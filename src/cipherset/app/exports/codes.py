"""Values of a column to small integers, so that what is held per row stays a few bytes."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app import state
from cipherset.core.manifest import Task
from cipherset.core.sets import Indicators, indicators, labels_of
from cipherset.core.values import LABEL

Codes = npt.NDArray[np.int64]
_SPARSE: Final = 2


@dataclass(slots=True)
class Codebook:
    """Grows as batches come in; ``values[code]`` is the value again ("" for a missing one)."""

    values: list[str] = field(default_factory=list, repr=False)
    _codes: dict[str | None, int] = field(default_factory=dict, repr=False)

    def encode(self, column: pa.ChunkedArray) -> Codes:
        """The codes of ``column``, shape (n,), in order of first appearance."""
        texts = pa.chunked_array([column.cast(pa.string())]).combine_chunks()
        encoded = texts.dictionary_encode(null_encoding="encode")
        mapping = [self._code(value) for value in encoded.dictionary.to_pylist()]
        codes: Codes = np.asarray(mapping, dtype=np.int64)[encoded.indices.to_numpy()]
        return codes

    def _code(self, value: str | None) -> int:
        code = self._codes.setdefault(value, len(self.values))
        if code == len(self.values):
            self.values.append(value or "")
        return code


def combine(columns: list[Codes]) -> Codes:
    """One code per distinct combination of codes, shape (n,), in the order of combinations."""
    codes = ranked(columns[0])
    for column in map(ranked, columns[1:]):
        codes = ranked(codes * (column.max(initial=0) + 1) + column)
    return codes


def ranked(codes: Codes) -> Codes:
    """Each code's place among the distinct ones, ascending, shape (n,).

    Of codes that leave few out it takes 8 bytes for each, where ``numpy.unique`` takes 32.
    """
    low, high = int(codes.min(initial=0)), int(codes.max(initial=0))
    if high - low > _SPARSE * len(codes):
        return np.unique(codes, return_inverse=True)[1].reshape(-1).astype(np.int64)
    there = np.zeros(high - low + 1, dtype=bool)
    there[codes - low if low else codes] = True
    if low == 0 and there.all():
        return codes
    places = np.cumsum(there, dtype=np.int64) - 1
    found: Codes = places[codes - low if low else codes]
    return found


def targets_of(table: pa.Table, meta: state.Meta) -> Codes | npt.NDArray[np.float64] | Indicators:
    """The labels of ``table`` as the export's minimizer was given them; -1 for an unknown class.

    Of sets of labels 0 or 1 for each that is known.

    Raises:
        pa.ArrowInvalid: labels that are to be numbers are not.
    """
    if meta.task is Task.CLASSIFICATION:
        names = pa.array(meta.settings.classes, pa.string())
        labels = pc.fill_null(table.column(LABEL).cast(pa.string()), "")
        found = pc.fill_null(pc.index_in(labels, value_set=names), -1)
        return np.asarray(found.to_numpy(), dtype=np.int64)
    if meta.task is Task.MULTILABEL:
        sets = [labels_of(text) for text in table.column(LABEL).to_pylist()]
        return indicators(sets, meta.settings.classes)
    if meta.task is Task.REGRESSION:
        return np.asarray(table.column(LABEL).cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.zeros(table.num_rows, dtype=np.int64)
