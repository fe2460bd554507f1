"""What stays at home of texts that may be put before a model: the texts, sealed, and their list.

    chunks/<hash of the name>/place    in the clear: name, asset and key, to find and open the rest
    chunks/<hash of the name>/list     sealed: the signed list of digests and tenants
    chunks/<hash of the name>/texts    sealed: the texts, by row

A data set has the name that hits of ``search`` call their source, and a chunk's id is its row.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors, replace_directory, stage_directory, write_atomic
from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.guard.retrieval import Chunk, ChunkList

FOLDER: Final = "chunks"
_PLACE, _LIST, _TEXTS = "place", "list", "texts"
_TEXT: Final = "text"
_ROWS: Final = 1024


class ChunkStore(Protocol):
    """Where the texts are; what it gives is checked against the owner's list, word for word."""

    def texts(self, dataset: str, ids: Sequence[str]) -> Sequence[str | None]:
        """The text of each id of a data set, None where there is none."""


class Place(BaseModel):
    """Which data set a folder is of, and which key opens it; ``asset`` is the list's digest."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str
    asset: str
    key_id: str
    key_version: int


@dataclass(frozen=True, slots=True)
class KeptChunks:
    """The folder of one data set, and what opens it."""

    folder: Path
    sealer: Sealer = field(repr=False)

    def write(self, place: Place, signed: bytes, chunks: Sequence[Chunk]) -> None:
        """Keep all of it in one step, in place of what was kept under this name before.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        with disk_errors(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with stage_directory(self.folder) as staged:
            raw = canonical.encode(place.model_dump(mode="json"))
            write_atomic(staged / _PLACE, raw)
            write_atomic(staged / _LIST, self.sealer.seal(signed, context=_context(place)))
            with SpoolWriter(staged / _TEXTS, self.sealer, _context(place)) as writer:
                for start in range(0, max(1, len(chunks)), _ROWS):
                    texts = [chunk.text for chunk in chunks[start : start + _ROWS]]
                    writer.append(pa.table({_TEXT: pa.array(texts, pa.string())}))
            replace_directory(staged, self.folder, overwrite=True)

    def read_list(self, place: Place, *, fingerprint: str) -> ChunkList:
        """The list as it was signed by the key of ``fingerprint``.

        Raises:
            IntegrityError: ``sealed_missing``; it was changed, or is another data set's.
        """
        path = self.folder / _LIST
        with disk_errors(path):
            if not path.is_file():
                raise _missing(path)
            sealed = path.read_bytes()
        signed = self.sealer.unseal(sealed, context=_context(place))
        if canonical.digest_bytes(signed) != place.asset:
            raise IntegrityError(
                f"{path} is not the list that was recorded",
                code="chunk_list_other",
                hint="bring the chunks in again",
            )
        return ChunkList.read(signed, expected_fingerprint=fingerprint)

    def texts(self, dataset: str, ids: Sequence[str]) -> list[str | None]:
        """The texts of these ids; ``ChunkStore`` over the sealed file.

        Raises:
            IntegrityError: ``sealed_missing``; ``spool_corrupt``; ``chunk_dataset``: the folder is
                of another data set.
        """
        place = read_place(self.folder)
        if place is None or place.name != dataset:
            raise IntegrityError(
                "the folder holds the chunks of another data set",
                code="chunk_dataset",
                hint="bring the chunks in again",
            )
        spool = Spool(self.folder / _TEXTS, self.sealer, _context(place))
        rows = [int(one) if one.isascii() and one.isdecimal() else -1 for one in ids]
        there = sorted({row for row in rows if 0 <= row < spool.n_rows})
        found = spool.take(np.array(there, dtype=np.int64)) if there else None
        by_row = {} if found is None else dict(zip(there, found[_TEXT].to_pylist(), strict=True))
        return [by_row.get(row) for row in rows]


def list_of(name: str, texts: Sequence[str], tenants: Sequence[str | None]) -> ChunkList:
    """The list of the rows of a source, with a salt of its own."""
    salt = secrets.token_bytes(32)
    owned = {str(row): tenant for row, tenant in enumerate(tenants) if tenant is not None}
    return ChunkList.of(chunks_of(name, texts), salt, owned)


def chunks_of(name: str, texts: Sequence[str]) -> list[Chunk]:
    """The rows of a source as chunks."""
    return [Chunk(name, str(row), text) for row, text in enumerate(texts)]


def folder_of(home: Path, name: str) -> Path:
    """Where the chunks of the data set ``name`` are kept."""
    return home / FOLDER / hashlib.sha256(name.encode()).hexdigest()[:32]


def read_place(folder: Path) -> Place | None:
    """What a folder is of; None where there is none.

    Raises:
        IntegrityError: ``sealed_missing``: what says so was changed.
    """
    path = folder / _PLACE
    try:
        with disk_errors(path):
            return Place.model_validate_json(path.read_bytes()) if path.is_file() else None
    except ValidationError:
        raise _missing(path) from None


def _context(place: Place) -> str:
    return f"chunks/{place.asset}"


def _missing(path: Path) -> IntegrityError:
    return IntegrityError(
        f"a sealed part is missing or was changed: {path}",
        code="sealed_missing",
        hint="restore the workspace from a backup, or bring the chunks in again",
    )
