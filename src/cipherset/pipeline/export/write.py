"""Encrypted vectors to the files of a cipherset, in an order that says nothing of the source.

Order: ``append`` every batch, ``finish`` once, then ``write_manifest`` into the same staged
directory, which the caller puts in place as a whole. Rows wait in sealed scratch and are written
in the order of their random ids (``shuffle``), in parts small enough to be verified in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
from securesystemslib.signer import Signer

from cipherset.core import canonical, envelope
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.core.manifest import (
    CIPHERSET_TYPE,
    Manifest,
    SplitFacts,
    SplitsFacts,
    manifest_bytes,
)
from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.core.values import ROW, EncryptedVectors
from cipherset.pipeline.export.layout import Layout, to_table
from cipherset.pipeline.export.parts import Parts
from cipherset.pipeline.export.shuffle import Shuffle, fresh_ids
from cipherset.pipeline.export.split import Split

MANIFEST: Final = "manifest.json"
_SOURCE: Final = "_source_row"
_MAP: Final = "rowmap"


@dataclass(frozen=True, slots=True)
class Written:
    """The splits for the manifest, and where each row came from, for the owner's eyes only.

    ``row_map`` gives tables of ``row`` (the id in the export, string), ``source`` (the 0-based
    row of the source, int64) and ``split`` (string); read it once, then seal it.
    """

    splits: SplitsFacts
    row_map: Iterator[pa.Table] = field(repr=False)


class CiphersetWriter:
    """Writes the Parquet parts of both splits into a staged directory.

    As a context manager it lets go of its scratch at the end, whatever happened.

    Leaks: ciphertexts, labels and the clear columns that ``layout`` names; counts. Not the
    order of the source, not its row numbers, not its name.
    """

    def __init__(self, staged: Path, *, scratch: Path, sealer: Sealer, layout: Layout) -> None:
        """Write below ``staged`` (there, empty); wait, sealed, in ``scratch`` (there)."""
        self._staged = staged
        self._scratch = scratch
        self._sealer = sealer
        self._layout = layout
        self._schema: pa.Schema | None = None
        self._shuffles = {
            split: Shuffle(scratch, sealer, name=f"shuffle-{split.value}") for split in Split
        }

    def append(self, split: Split, batch: EncryptedVectors) -> None:
        """Take a batch of ciphertexts with their ``columns`` (``row``, label, clear columns).

        Raises:
            InputError: columns are missing, null or of another type than before.
            DimensionError: vectors of another width.
        """
        n = len(batch.values)
        if batch.columns.num_rows != n or ROW not in batch.columns.column_names:
            raise InputError(
                f"{n} vectors, but {batch.columns.num_rows} rows of columns or no row numbers",
                code="row_count",
                hint="pass the columns that came with the vectors",
            )
        table = to_table(batch, self._layout, fresh_ids(n))
        if self._schema is not None and not table.schema.equals(self._schema):
            raise InputError(
                "a clear column changes its type from one batch to the next",
                code="clear_type",
                hint="give the column one type in the source",
            )
        self._schema = table.schema
        source = batch.columns[ROW].combine_chunks().cast(pa.int64())
        self._shuffles[split].append(table.append_column(_SOURCE, source))

    def finish(self) -> Written:
        """Write all parts.

        Raises:
            InputError: no rows for the training split.
            BackendError: disk full, no permission.
        """
        if self._shuffles[Split.TRAIN].n_rows == 0:
            raise InputError(
                "there are no rows to train on",
                code="no_rows",
                hint="check the source and the share of rows kept for the test split",
            )
        with SpoolWriter(self._scratch / _MAP, self._sealer, _MAP) as row_map:
            facts = {split: self._write_split(split, row_map) for split in Split}
        splits = SplitsFacts(train=facts[Split.TRAIN], test=facts[Split.TEST])
        return Written(splits, Spool(self._scratch / _MAP, self._sealer, _MAP).chunks())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for shuffle in self._shuffles.values():
            shuffle.discard()

    def _write_split(self, split: Split, row_map: SpoolWriter) -> SplitFacts:
        with Parts(self._staged, split, self._layout.dim) as parts:
            for table in self._shuffles[split].tables():
                name = pa.array([split.value] * table.num_rows)
                row_map.append(
                    pa.table({"row": table[ROW], "source": table[_SOURCE], "split": name})
                )
                parts.append(table.drop_columns([_SOURCE]))
            return parts.close()


def write_manifest(staged: Path, manifest: Manifest, signer: Signer) -> str:
    """Sign ``manifest`` into ``staged/manifest.json`` and return the digest of that file.

    Raises:
        InputError: the manifest names another key than the signer's.
        BackendError: disk full, no permission.
    """
    raw = envelope.sign(manifest_bytes(manifest), CIPHERSET_TYPE, signer)
    path = staged / MANIFEST
    with disk_errors(path):
        path.write_bytes(raw)
    return canonical.digest_bytes(raw)
