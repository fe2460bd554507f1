"""Values of a column to small integers, so that what is held per row stays a few bytes."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app import state
from cipherset.core.manifest import Task
from cipherset.core.sets import Indicators, indicators, labels_of
from cipherset.core.values import LABEL

Codes = npt.NDArray[np.int64]


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
    """One code per distinct combination of codes, shape (n,)."""
    _, codes = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.int64)


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
