"""A cipherset directory, verified before it is read; needs no key and trusts nothing.

Order: the manifest's envelope; the exact set of files; then each part, as a whole in memory:
size, SHA-256, Parquet form, columns, number of rows, values. Reading a split goes through the
same steps again, so what is parsed is always the very bytes that were hashed, even if the
directory changes after it was opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cipherset.core import canonical, envelope
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.manifest import CIPHERSET_TYPE, Manifest, PartFile, Task, read_manifest
from cipherset.core.objects import SCHEME, ObjectFolder
from cipherset.core.sets import indicators
from cipherset.core.values import LABEL, Float32s
from cipherset.pipeline.export.files import Files, opened
from cipherset.pipeline.export.layout import check_schema, layout_of, matrix
from cipherset.pipeline.export.split import Split
from cipherset.pipeline.export.write import MANIFEST

if TYPE_CHECKING:
    import pandas as pd
    import torch

MANIFEST_BYTES: Final = 16_000_000
# 16 times what the writer makes; more would only serve to fill the reader's memory.
_PART_BYTES: Final = 1_000_000_000
_FRESH: Final = "it changed after it was signed; get a fresh copy"


@dataclass(frozen=True, slots=True)
class Cipherset:
    """A verified cipherset: what it says of itself, who signed it, and its rows.

    ``manifest_digest`` is that of the signed manifest.json and stands in every model's lineage.
    """

    path: Path | ObjectFolder
    manifest: Manifest = field(repr=False)
    manifest_digest: str
    fingerprint: str

    def batches(self, split: str) -> Iterator[pa.Table]:
        """The rows of a split, one file at a time, each verified as it is read.

        Raises:
            InputError: no such split.
            IntegrityError: the directory changed since it was opened.
        """
        files = self._files(split)
        with opened(self.path) as place:
            for part in files:
                yield _load_part(place, part, self.manifest)

    def to_arrow(self, split: str) -> pa.Table:
        """The rows of a split: ``row``, ``vector``, ``label`` and the clear columns."""
        tables = list(self.batches(split))
        if not tables:
            return self._empty()
        return pa.concat_tables(tables)

    def to_numpy(self, split: str) -> tuple[Float32s, npt.NDArray[Any]]:
        """Vectors, shape (n, dim), and their labels, shape (n,): names, or numbers for regression.

        Where a row has several, 0 or 1 for each of ``manifest.classes``: int64 (n, classes).

        Raises:
            InputError: no such split, or a cipherset without labels.
        """
        if self.manifest.task is None:
            raise InputError(
                "this cipherset has no labels",
                code="no_label",
                hint="read its rows with to_arrow",
            )
        table = self.to_arrow(split)
        if self.manifest.task is Task.MULTILABEL:
            known = indicators(table[LABEL].to_pylist(), self.manifest.classes)
            return matrix(table), known.astype(np.int64)
        labels = table[LABEL].to_numpy()
        if self.manifest.task is Task.CLASSIFICATION:
            labels = labels.astype(np.str_)
        return matrix(table), labels

    def to_pandas(self, split: str) -> "pd.DataFrame":
        """The rows of a split as a pandas frame; ``vector`` holds one array a row.

        Raises:
            InputError: pandas is not installed.
        """
        try:
            return self.to_arrow(split).to_pandas()
        except ImportError:
            raise _missing("pandas") from None

    def to_torch(self, split: str) -> "tuple[torch.Tensor, torch.Tensor]":
        """Vectors (n, dim) and labels (n,): positions in ``manifest.classes``, or float32 numbers.

        Where a row has several, float32 (n, classes), as losses over sigmoids take them.

        Raises:
            InputError: torch is not installed, or a cipherset without labels.
        """
        try:
            import torch
        except ImportError:
            raise _missing("torch") from None
        x, y = self.to_numpy(split)
        if self.manifest.task is Task.CLASSIFICATION:
            position = {name: code for code, name in enumerate(self.manifest.classes)}
            codes = np.array([position[name] for name in y.tolist()], dtype=np.int64)
            return torch.from_numpy(x.copy()), torch.from_numpy(codes)
        return torch.from_numpy(x.copy()), torch.from_numpy(y.astype(np.float32))

    def _files(self, split: str) -> tuple[PartFile, ...]:
        if split not in set(Split):
            raise InputError(
                f"there is no split {split!r}; there are train and test",
                code="split",
                hint="ask for train or test",
            )
        splits = self.manifest.splits
        return (splits.train if split == Split.TRAIN else splits.test).files

    def _empty(self) -> pa.Table:
        # The training split is never empty, and both have the same columns.
        return next(self.batches(Split.TRAIN)).slice(0, 0)


def open_cipherset(path: Path | ObjectFolder | str, *, signer: str | None = None) -> Cipherset:
    """The cipherset in the directory ``path``, every byte of it verified.

    Args:
        path: The directory that was exported, or ``s3://BUCKET/PREFIX``.
        signer: The fingerprint of the one key that may have signed it; without it, anybody's
            signature will do, and only says that nothing changed since.

    Raises:
        InputError: there is no such directory.
        IntegrityError: one byte differs, a file is extra or missing, or another key signed it.
        BackendError: no permission; ``object_store``.
    """
    root = place_of(path)
    with opened(root) as place:
        raw = place.read(MANIFEST, most_bytes=MANIFEST_BYTES)
        verified = envelope.verify(raw, CIPHERSET_TYPE, expected_fingerprint=signer)
        manifest = read_manifest(verified.payload)
        splits = manifest.splits
        parts = (*splits.train.files, *splits.test.files)
        _check_listing(place.names(), {MANIFEST, *(part.path for part in parts)})
        for part in parts:
            _load_part(place, part, manifest)
    return Cipherset(root, manifest, canonical.digest_bytes(raw), verified.fingerprint)


def place_of(path: Path | ObjectFolder | str) -> Path | ObjectFolder:
    """The directory, or the prefix in an object store, that a text names.

    Raises:
        InputError: ``object_address``.
    """
    if isinstance(path, str):
        return ObjectFolder(path) if path.startswith(SCHEME) else Path(path)
    return path


def _check_listing(found: frozenset[str], expected: set[str]) -> None:
    for what, names in (("missing", expected - found), ("not in the manifest", found - expected)):
        if names:
            raise IntegrityError(
                f"{min(names)!r} is {what}"
                + (f", and {len(names) - 1} more" if len(names) > 1 else ""),
                code="files",
                hint="get a fresh copy of the directory, and put nothing into it",
            )


def _load_part(place: Files, part: PartFile, manifest: Manifest) -> pa.Table:
    """The table in one file, after everything that the manifest says of it was checked."""
    raw = place.read(part.path, most_bytes=min(part.bytes, _PART_BYTES))
    if len(raw) != part.bytes or canonical.digest_bytes(raw) != part.sha256:
        raise IntegrityError(
            f"{part.path} is not the file that was signed", code="digest", hint=_FRESH
        )
    table = _parse(raw, part, manifest)
    if manifest.task is not None and manifest.task.has_names:
        is_many = manifest.task is Task.MULTILABEL
        names = pc.list_flatten(table[LABEL]) if is_many else table[LABEL]
        known = pc.is_in(names, value_set=pa.array(manifest.classes, pa.string()))
        if not pc.all(known, min_count=0).as_py():
            raise _bad_part(part, "has a label that is not among the classes")
    numbers = [matrix(table)]
    if manifest.task is Task.REGRESSION:
        numbers.append(table[LABEL].to_numpy())
    if not all(np.isfinite(array).all() for array in numbers):
        raise _bad_part(part, "has a number that is not finite")
    return table


def _parse(raw: bytes, part: PartFile, manifest: Manifest) -> pa.Table:
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        if not check_schema(file.schema_arrow, layout_of(manifest)):
            raise _bad_part(part, "does not have the columns that the manifest names")
        # By this thread alone: one column holds nearly all, and a worker of Arrow's that still
        # lets go of ``raw`` while the interpreter ends would abort the process.
        table = file.read(use_threads=False).replace_schema_metadata(None)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        raise _bad_part(part, "is not readable Parquet") from None
    if table.num_rows != part.rows:
        raise _bad_part(part, f"has {table.num_rows} rows, not {part.rows}")
    return table


def _bad_part(part: PartFile, what: str) -> IntegrityError:
    return IntegrityError(
        f"{part.path} was signed, but {what}",
        code="part",
        hint="its writer failed; ask the owner to export again",
    )


def _missing(extra: str) -> InputError:
    return InputError(
        f"{extra} is not installed",
        code="missing_extra",
        hint=f"pip install 'cipherset[{extra}]'",
    )
