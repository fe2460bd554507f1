"""Which rows may answer, and the nearest of them: every distance is computed, block by block."""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s
from cipherset.pipeline.index.entries import Entries, Filter, bad_answer

BLOCK_ROWS: Final = 16_384

Bools = npt.NDArray[np.bool_]


def squared_norms(vectors: Float32s) -> Float32s:
    """The squared 2-norm of each row, shape (n,)."""
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors), dtype=np.float32)


def nearest(
    vectors: Float32s, norms: Float32s, query: Float32s, top: int, allowed: Bools | None
) -> tuple[npt.NDArray[np.int64], Float32s]:
    """The rows with the smallest ``sum((row - query) ** 2)``, nearest first, and these sums.

    They are computed as ``norms - 2 * vectors @ query + sum(query ** 2)``: of rows that are
    equally near to the last bit of float32, either may come first.

    Args:
        vectors: Shape (n, dim); may be mapped from a file.
        norms: Squared 2-norms of the rows, shape (n,).
        query: Shape (dim,).
        top: How many at most.
        allowed: Which rows may answer, shape (n,); None where all may.
    """
    found: list[tuple[npt.NDArray[np.int64], Float32s]] = []
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        squared = norms[block] - 2.0 * (vectors[block] @ query)
        if allowed is not None:
            squared[~allowed[block]] = np.inf
        kept = np.arange(len(squared))
        if len(squared) > top:
            kept = np.argpartition(squared, top - 1)[:top]
        found.append((kept + start, squared[kept]))
    rows = np.concatenate([each for each, _ in found]) if found else np.empty(0, np.int64)
    squared = np.concatenate([each for _, each in found]) if found else np.empty(0, np.float32)
    order = np.argsort(squared, kind="stable")[:top]
    order = order[np.isfinite(squared[order])]
    return rows[order], squared[order] + np.float32(query @ query)


def allowed_rows(entries: Entries, where: Filter) -> Bools | None:
    """Which rows ``where`` lets answer, shape (n,); None where it lets all."""
    if not where.tags and where.version is None:
        return None
    allowed = np.ones(len(entries), dtype=bool)
    if where.version is not None:
        allowed &= entries.versions == where.version
    for tag, tokens in where.tags.items():
        mine = np.ascontiguousarray(entries.tags[:, tag])
        one = np.zeros(len(entries), dtype=bool)
        for token in tokens:
            one |= (mine == np.frombuffer(token, np.uint8)).all(axis=1)
        allowed &= one
    return allowed


def check_answer(found: Entries, most: int, where: Filter) -> None:
    """See that a store answered what it was asked: rows that ``where`` lets answer, each once.

    That their seals fit says that they were stored under the key, not that they were asked for:
    without this, whoever keeps the store could answer with another tenant's rows.

    Raises:
        IntegrityError: ``index_answer``.
    """
    allowed = allowed_rows(found, where)
    if len(found) > most or (allowed is not None and not allowed.all()):
        raise bad_answer("is more than was asked for")
    if len(np.unique(found.ids, axis=0)) != len(found):
        raise bad_answer("has a row twice")
