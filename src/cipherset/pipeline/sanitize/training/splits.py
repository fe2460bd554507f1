"""Texts that are nearly the same belong on one side of a split, or the test is no test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.training.duplicates import OVERLAP, ExactTexts, NearRows
from cipherset.pipeline.sanitize.training.minhash import BANDS, Sketcher, Sketches, overlap

Clusters = npt.NDArray[np.int64]
_AHEAD: Final = (1, 2, 4, 8)  # how far ahead among rows with one band a row is compared


def near_clusters(sketches: Sketches, *, least_overlap: float = OVERLAP) -> Clusters:
    """Numbers from 0 on, shape (n,), equal where rows are linked by pairs of near duplicates.

    Of the rows that share a band each is compared with the first and with some that follow it, so
    that templated rows cost no square. Memory beside the sketches: about 40 bytes per row.
    """
    n_rows = len(sketches)
    left, right = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for band in range(BANDS):
        for a, b in _candidates(sketches.bands[:, band]):
            close = overlap(sketches.bytes_[a], sketches.bytes_[b]) >= least_overlap
            left.append(a[close])
            right.append(b[close])
    return linked(np.concatenate(left), np.concatenate(right), n_rows)


def linked(left: Clusters, right: Clusters, n_rows: int) -> Clusters:
    """The connected components of the pairs (left[i], right[i]) of ``n_rows`` rows, shape (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(left), dtype=bool), (left, right)), shape=(n_rows, n_rows))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _candidates(band: npt.NDArray[np.uint32]) -> Iterable[tuple[Clusters, Clusters]]:
    order = np.argsort(band, kind="stable")
    values = band[order]
    begins = np.append(True, values[1:] != values[:-1])
    first = order[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
    yield order[~begins], first[~begins]
    for step in _AHEAD:
        same = np.flatnonzero(values[step:] == values[:-step])
        yield order[same + step], order[same]


@dataclass(frozen=True, slots=True)
class Leak:
    """Of ``rows`` test rows how many are in the training rows: the same, or nearly."""

    rows: int
    same: int
    near: int


def leak(
    train: Iterable[Sequence[str]],
    test: Iterable[Sequence[str]],
    *,
    least_overlap: float = OVERLAP,
) -> Leak:
    """How many texts of the batches ``test`` are in the batches ``train``, the same or nearly."""
    exact, near, sketcher = ExactTexts(), NearRows(), Sketcher()
    for texts in train:
        fresh = [text for text, seen in zip(texts, exact.add(texts), strict=True) if not seen]
        near.add(sketcher.sketch(fresh), least_overlap)
    rows = n_same = n_near = 0
    for texts in test:
        seen = exact.has(texts)
        others = [text for text, is_same in zip(texts, seen, strict=True) if not is_same]
        rows += len(texts)
        n_same += sum(seen)
        n_near += int(near.find(sketcher.sketch(others), least_overlap).sum())
    return Leak(rows, n_same, n_near)


def check_leak(train: Iterable[Sequence[str]], test: Iterable[Sequence[str]]) -> None:
    """Nothing, if no text of the batches ``test`` is in the batches ``train``, same or nearly.

    Raises:
        InputError: ``split_leak``, with how many are.
    """
    found = leak(train, test)
    if found.same or found.near:
        raise InputError(
            f"of {found.rows} test rows {found.same} are training rows too, and {found.near} "
            "nearly: a model that learned them by heart would look good",
            code="split_leak",
            hint="take them out of one of the two, or split again with both in one file",
        )
