"""Plain vectors to rows of an index: fresh ids, tokens for tags, reversible ciphertext."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from cipherset.core.protocols import Pseudonymizer
from cipherset.core.values import LABEL, Float32s
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.index import Entries, Tag
from cipherset.pipeline.index.entries import ID_BYTES, TAG_BYTES, Bytes

# Of each tag the value of each row, None where it has none.
Given = Mapping[Tag, Sequence[str | None]]
_ENTITIES = {Tag.TENANT: "INDEX_TENANT", Tag.DATASET: "INDEX_DATASET", Tag.LABEL: "INDEX_LABEL"}


@dataclass(frozen=True, slots=True)
class Encrypting:
    """One version of a key at work for one index."""

    cipher: VectorCipher = field(repr=False)
    tokens: Pseudonymizer = field(repr=False)

    def token(self, tag: Tag, value: str) -> bytes:
        """What stands for a value of a tag: keyed, the same wherever it comes; 16 bytes."""
        return self.tokens.token(_ENTITIES[tag], value)[:TAG_BYTES]

    def entries(self, x: Float32s, given: Given, ids: Bytes | None = None) -> Entries:
        """Rows of the index with these plain vectors; ``given`` has a value per row and tag.

        With fresh ids, or with ``ids`` (n, 16) where the rows are in the index already.
        """
        n = len(x)
        if ids is None:
            raw = np.frombuffer(secrets.token_bytes(ID_BYTES * n), dtype=np.uint8)
            ids = raw.reshape(n, ID_BYTES)
        tags = np.zeros((n, len(Tag), TAG_BYTES), dtype=np.uint8)
        for tag, values in given.items():
            tags[:, tag] = self._tokens(tag, values)
        version = np.full(n, self.cipher.key_version, dtype=np.int32)
        empty = np.empty((n, 44), dtype=np.uint8)
        draft = Entries(ids, x, empty, tags, version)
        c, seals = self.cipher.encrypt_reversible(
            x, associated_data=draft.bound(), copies_share_noise=True
        )
        stored = np.asarray(c, dtype=np.float32)
        return Entries(draft.ids, stored, seals, tags, version)

    def plain(self, entries: Entries) -> Float32s:
        """The plain vectors of rows, once every seal was found to fit.

        Raises:
            IntegrityError: ``seal``: a row, its id or one of its tags was changed.
        """
        return self.cipher.decrypt(entries.vectors, entries.seals, associated_data=entries.bound())

    def _tokens(self, tag: Tag, values: Sequence[str | None]) -> Bytes:
        known: dict[str | None, bytes] = {
            value: bytes(TAG_BYTES) if value is None else self.token(tag, value)
            for value in set(values)
        }
        raw = b"".join(known[value] for value in values)
        return np.frombuffer(raw, dtype=np.uint8).reshape(-1, TAG_BYTES)


def tags_of(columns: pa.Table, dataset: str, tenant: str | None) -> dict[Tag, list[str]]:
    """The values that rows of a source are tagged by, as strings."""
    given = {Tag.DATASET: [dataset] * columns.num_rows}
    named = ((Tag.LABEL, LABEL), (Tag.TENANT, tenant))
    for tag, column in named:
        if column is not None and column in columns.column_names:
            given[tag] = [str(value) for value in columns.column(column).to_pylist()]
    return given
