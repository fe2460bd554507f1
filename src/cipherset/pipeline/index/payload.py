"""Rows of an index as payloads of a document store: bytes as hex digits."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s
from cipherset.pipeline.index.entries import (
    ID_BYTES,
    SEAL_BYTES,
    TAG_BYTES,
    Bytes,
    Entries,
    Tag,
    reading_answer,
)

FIELDS = ("seal", *(tag.name.lower() for tag in Tag), "version")


def hexed(rows: Bytes) -> list[str]:
    """The bytes of each row as hex digits."""
    return [one.tobytes().hex() for one in np.asarray(rows, np.uint8)]


def payloads_of(entries: Entries) -> list[dict[str, Any]]:
    """Of each row its seal, its tags and the version of its key, by the names in ``FIELDS``."""
    seals = hexed(entries.seals)
    tags = [hexed(entries.tags[:, tag]) for tag in Tag]
    rows = zip(seals, *tags, entries.versions.tolist(), strict=True)
    return [dict(zip(FIELDS, row, strict=True)) for row in rows]


def entries_of_payloads(
    ids: Sequence[str], vectors: Sequence[Any], payloads: Sequence[Mapping[str, Any]], dim: int
) -> Entries:
    """The rows of which these are ids, vectors (dim,) and payloads.

    Raises:
        IntegrityError: ``index_answer``.
    """
    if not ids:
        return Entries.none(dim)
    with reading_answer(), np.errstate(over="raise"):
        tags = [_bytes([one[tag.name.lower()] for one in payloads], TAG_BYTES) for tag in Tag]
        x: Float32s = np.array(vectors, dtype=np.float32).reshape(-1, dim)
        return Entries(
            _bytes(ids, ID_BYTES),
            x,
            _bytes([one["seal"] for one in payloads], SEAL_BYTES),
            np.stack(tags, axis=1),
            np.array([one["version"] for one in payloads], dtype=np.int32),
        )


def _bytes(digits: Sequence[str], width: int) -> npt.NDArray[np.uint8]:
    raw = b"".join(map(bytes.fromhex, digits))
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, width)
