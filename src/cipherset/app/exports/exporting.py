"""Every row through minimizer and cipher into the files of a cipherset, one chunk at a time.

Rows with the same text or vector get the same ciphertext: of copies with noise of their own, the
mean would be nearly without. In memory are the ciphertexts of rows of which there are several.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cipherset.app.exports.codes import Codes, combine
from cipherset.app.exports.dataset import VECTOR, Dataset, matrix
from cipherset.app.exports.plan import Plan
from cipherset.app.exports.utility import Protection, Targets
from cipherset.core.protocols import Progress, Sealer
from cipherset.core.values import EncryptedVectors, Float32s
from cipherset.pipeline.export import CiphersetWriter, Layout, Split, Written
from cipherset.pipeline.sanitize.training.copies import first_equal


@dataclass(slots=True)
class Watched:
    """The ciphertexts of some rows, caught as they were written; the very ones that leave."""

    rows: Codes = field(repr=False)
    dim: int
    ciphertexts: Float32s = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.ciphertexts = np.zeros((len(self.rows), self.dim), dtype=np.float32)

    def of(self, rows: Codes) -> Float32s:
        """The ciphertexts of ``rows``, which are watched, shape (len(rows), dim)."""
        return self.ciphertexts[np.searchsorted(self.rows, rows)]

    def catch(self, first: int, values: Float32s) -> None:
        """Keep those of rows ``first`` … that are watched; ``rows`` is ascending."""
        low, high = np.searchsorted(self.rows, [first, first + len(values)])
        self.ciphertexts[low:high] = values[self.rows[low:high] - first]


class Repeated:
    """Gives every row the ciphertext of the first row that is the same."""

    def __init__(self, dataset: Dataset, dim: int, targets: Targets | None) -> None:
        """Nothing is remembered of rows that are there once.

        With ``targets`` copies share only where these are the same too: a rule that moves rows
        may move one of two and not the other.
        """
        self._first = first_equal(dataset.alike)
        if targets is not None:
            self._first = first_equal(combine([self._first, first_equal(targets)]))
        copies = self._first != np.arange(dataset.n_rows)
        self._kept = Watched(np.unique(self._first[copies]), dim)

    def share(self, first: int, values: Float32s) -> None:
        """Put the ciphertexts of first rows in place of their copies'; rows ``first`` …."""
        self._kept.catch(first, values)
        origins = self._first[first : first + len(values)]
        copies = np.flatnonzero(origins != np.arange(first, first + len(values)))
        values[copies] = self._kept.of(origins[copies])


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and how many of its rows were moved onto the anchor of their class."""

    written: Written = field(repr=False)
    anchored: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where an export is built: what will leave, and sealed scratch that will not."""

    staged: Path
    scratch: Path
    sealer: Sealer = field(repr=False)


def write_rows(
    dataset: Dataset,
    plan: Plan,
    protection: Protection,
    places: Places,
    watched: Watched,
    progress: Progress,
) -> Exported:
    """Encrypt and write every exported row of ``dataset``."""
    layout = Layout(protection.cipher.dim, plan.task, dataset.roles.keep)
    writer = CiphersetWriter(
        places.staged, scratch=places.scratch, sealer=places.sealer, layout=layout
    )
    parts = np.zeros(dataset.n_rows, dtype=np.int8)
    parts[plan.train], parts[plan.test] = 1, 2
    progress.start("minimize, encrypt, shuffle", dataset.n_rows)
    first = anchored = 0
    ruled = protection.minimizer.beyond is not None
    repeated = Repeated(dataset, protection.cipher.dim, plan.targets if ruled else None)
    for chunk in dataset.spool.chunks():
        targets = plan.targets[first : first + chunk.num_rows]
        placed = protection.minimizer.place(matrix(chunk.column(VECTOR)), targets)
        values = protection.cipher.encrypt(placed.rows)
        leaving = parts[first : first + len(values)] > 0
        anchored += int((placed.moved & leaving).sum())
        repeated.share(first, values)
        watched.catch(first, values)
        columns = chunk.drop_columns([VECTOR])
        for split, code in ((Split.TRAIN, 1), (Split.TEST, 2)):
            chosen = np.flatnonzero(parts[first : first + len(values)] == code)
            writer.append(split, EncryptedVectors(values[chosen], columns.take(chosen)))
        first += len(values)
        progress.advance(len(values))
    progress.finish()
    progress.start("write", None)
    written = writer.finish()
    progress.finish()
    return Exported(written, anchored)
