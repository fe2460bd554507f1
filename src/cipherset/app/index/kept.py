"""What stays at home of an index, sealed: how its rows were made, and which row of which source.

    indexes/<index_id>/place           in the clear: what it is called, where it is, which key opens
                                       the rest
    indexes/<index_id>/meta            columns, encoder, rules
    indexes/<index_id>/rows-<random>   id -> source, row and identity of each row that was added
    indexes/<index_id>/revision        the manifest's revision when it was last seen: an older one
                                       was put back

Without it the index still says which ids are near, and not which rows these are.
"""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.protocols import Sealer
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.custody.keys.identity import Identities
from cipherset.pipeline.index.entries import ID_BYTES, Bytes

FOLDER: Final = "indexes"
_PLACE: Final = "place"
_META: Final = "meta"
_REVISION: Final = "revision"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_ROWS: Final = re.compile(r"rows-[0-9a-f]{16}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Place(_Strict):
    """What an index is called, the absolute path of its folder, and what opens its state."""

    name: str
    path: str
    key_id: str
    key_version: int


class Meta(_Strict):
    """How the rows of an index are made: columns, encoder and rules, as ``app.state`` has them."""

    index_id: str
    text: tuple[str, ...]
    vector: str | None
    label: str | None
    tenant: str | None
    encoder_spec: str | None
    encoder: str | None
    rules: str


class Kept:
    """The sealed state of one index."""

    __slots__ = ("_sealer", "folder")

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self.folder = folder
        self._sealer = sealer

    @property
    def _index_id(self) -> str:
        return self.folder.name

    def write_meta(self, meta: Meta) -> None:
        """Seal ``meta``."""
        raw = canonical.encode(meta.model_dump(mode="json"))
        sealed = self._sealer.seal(raw, context=f"index-meta/{meta.index_id}")
        write_atomic(self.folder / _META, sealed)

    def meta(self) -> Meta:
        """How rows are made; IntegrityError where it is missing or was changed."""
        raw = self._sealer.unseal(self._read(_META), context=f"index-meta/{self._index_id}")
        return Meta.model_validate_json(raw)

    def add_rows(self, ids: Bytes, source: str, rows: list[int], identities: Identities) -> None:
        """Seal which rows of ``source`` these ids are; in one step."""
        name = f"rows-{secrets.token_hex(8)}"  # of two that add at once each has its own
        staged = self.folder / f".{name}"
        with SpoolWriter(staged, self._sealer, f"{self._index_id}/{name}") as writer:
            writer.append(
                pa.table(
                    {
                        "id": pa.array([one.tobytes() for one in ids], pa.binary(ID_BYTES)),
                        "source": pa.array([source] * len(ids), pa.string()),
                        "row": pa.array(rows, pa.int64()),
                        "identity": pa.array(identities, pa.uint64()),
                    }
                )
            )
        with disk_errors(staged):
            staged.rename(self.folder / name)

    def rows(self) -> Iterator[pa.Table]:
        """Everything that was added, of which some may have been deleted since."""
        for path in self._row_files():
            yield from Spool(path, self._sealer, f"{self._index_id}/{path.name}").chunks()

    def rows_of(self, ids: Bytes) -> dict[bytes, tuple[str, int]]:
        """Source and row of each id that is known here."""
        wanted = pa.array([one.tobytes() for one in ids], pa.binary(ID_BYTES))
        found: dict[bytes, tuple[str, int]] = {}
        for table in self.rows():
            some = table.filter(pc.is_in(table.column("id"), value_set=wanted))
            columns = (some.column(name).to_pylist() for name in ("id", "source", "row"))
            found.update({one: (source, row) for one, source, row in zip(*columns, strict=True)})
        return found

    def ids_of(self, rows: list[int], source: str | None) -> Bytes:
        """The ids of these rows of a source, of any source where none is named, (n, 16)."""
        found: list[bytes] = []
        for table in self.rows():
            mask = pc.is_in(table.column("row"), value_set=pa.array(rows, pa.int64()))
            if source is not None:
                mask = pc.and_(mask, pc.equal(table.column("source"), source))
            found += table.filter(mask).column("id").to_pylist()
        return np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, ID_BYTES)

    def see_revision(self, revision: int) -> None:
        """Remember the revision; a smaller one than was seen before is an old copy put back.

        Raises:
            IntegrityError: ``index_old``; ``sealed_missing``.
        """
        context = f"index-revision/{self._index_id}"
        seen = -1
        if (self.folder / _REVISION).exists():
            seen = int(self._sealer.unseal(self._read(_REVISION), context=context))
        if revision < seen:
            raise IntegrityError(
                f"the index is at revision {revision}, and was at {seen} before: an older copy",
                code="index_old",
                hint="restore the latest copy, or build it again: what was deleted is back",
            )
        if revision > seen:
            sealed = self._sealer.seal(str(revision).encode(), context=context)
            write_atomic(self.folder / _REVISION, sealed)

    def _row_files(self) -> list[Path]:
        with disk_errors(self.folder):
            return sorted(path for path in self.folder.iterdir() if _ROWS.fullmatch(path.name))

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        with disk_errors(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise _missing(path) from None


def write_place(folder: Path, place: Place) -> None:
    """Say in the clear what the index is called, where it is and which key opens its state."""
    write_atomic(folder / _PLACE, canonical.encode(place.model_dump(mode="json")))


def read_place(folder: Path) -> Place:
    """What was said of the index whose state is in ``folder``.

    Raises:
        IntegrityError: ``sealed_missing``.
    """
    path = folder / _PLACE
    try:
        return Place.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        raise _missing(path) from None


def find_index(home: Path, name: str) -> set[Path]:
    """The folders of indexes of this workspace that are called ``name``, or have that id."""
    root = home / FOLDER
    there = sorted(root.iterdir()) if root.is_dir() else []
    known = [(each.name, read_place(each)) for each in there if _ID.fullmatch(each.name)]
    return {Path(place.path) for one, place in known if name in {one, place.name}}


def _missing(path: Path) -> IntegrityError:
    return IntegrityError(
        f"a sealed part is missing: {path}",
        code="sealed_missing",
        hint="run this in the workspace (--home) that made it, or restore its backup",
    )
