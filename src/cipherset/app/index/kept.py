"""What stays at home of an index, sealed: how its rows were made, and which row of which source.

    indexes/<index_id>/place           in the clear: what it is called, where it is, which key opens
                                       the rest
    indexes/<index_id>/meta            columns, encoder, rules
    indexes/<index_id>/rows-<random>   id -> source, row and identity of each row that was added
    indexes/<index_id>/values-<random> values of tags: what tokens stand for, to encrypt rows anew
    indexes/<index_id>/gone-<random>   ids of deleted rows: who brings them back is refused
    indexes/<index_id>/revision        the manifest's revision when it was last seen: an older one
                                       was put back
    indexes/.<index_id>.lock           held by whoever changes the index

Without it the index still says which ids are near, and not which rows these are.
"""

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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
from cipherset.pipeline.index.entries import ID_BYTES, Bytes, Tag

FOLDER: Final = "indexes"
_PLACE: Final = "place"
_META: Final = "meta"
_REVISION: Final = "revision"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_ROWS: Final = re.compile(r"rows-[0-9a-f]{16}")
_VALUES: Final = re.compile(r"values-[0-9a-f]{16}")
_GONE: Final = re.compile(r"gone-[0-9a-f]{16}")
_SEALED: Final = re.compile(rf"{_META}|{_REVISION}|{_VALUES.pattern}|{_GONE.pattern}")


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
    image: str | None = None
    pool: str | None = None
    label_separator: str | None = None


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
        self._seal(_META, canonical.encode(meta.model_dump(mode="json")))

    def meta(self) -> Meta:
        """How rows are made; IntegrityError where it is missing or was changed."""
        return Meta.model_validate_json(self._unsealed(_META))

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
        for path in self._named(_ROWS):
            yield from Spool(path, self._sealer, f"{self._index_id}/{path.name}").chunks()

    def add_values(self, given: Mapping[Tag, Iterable[str | None]]) -> None:
        """Seal which values tags have, as far as they are new."""
        known = self.values()
        new = {
            tag.name: sorted({value for value in values if value is not None} - known[tag])
            for tag, values in given.items()
        }
        if any(new.values()):
            self._seal(f"values-{secrets.token_hex(8)}", canonical.encode(new))

    def values(self) -> dict[Tag, set[str]]:
        """All values that a tag of a row has had."""
        found: dict[Tag, set[str]] = {tag: set() for tag in Tag}
        for path in self._named(_VALUES):
            for name, values in json.loads(self._unsealed(path.name)).items():
                found[Tag[name]].update(values)
        return found

    def add_gone(self, ids: Bytes) -> None:
        """Seal that rows were deleted."""
        if len(ids):
            self._seal(f"gone-{secrets.token_hex(8)}", ids.tobytes())

    def gone(self) -> set[bytes]:
        """The ids of all rows that were deleted."""
        raw = b"".join(self._unsealed(path.name) for path in self._named(_GONE))
        return {raw[at : at + ID_BYTES] for at in range(0, len(raw), ID_BYTES)}

    def copy_to(self, folder: Path, sealer: Sealer) -> None:
        """Everything of this into another folder of the same name, sealed by another key."""
        for path in self._named(_ROWS):
            name = f"{self._index_id}/{path.name}"
            with SpoolWriter(folder / path.name, sealer, name) as writer:
                for table in Spool(path, self._sealer, name).chunks():
                    writer.append(table)
        for path in self._named(_SEALED):
            _write_sealed(folder, sealer, path.name, self._unsealed(path.name))

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
        seen = -1
        if (self.folder / _REVISION).exists():
            seen = int(self._unsealed(_REVISION))
        if revision < seen:
            raise IntegrityError(
                f"the index is at revision {revision}, and was at {seen} before: an older copy",
                code="index_old",
                hint="restore the latest copy, or build it again: what was deleted is back",
            )
        if revision > seen:
            self._seal(_REVISION, str(revision).encode())

    def _named(self, pattern: re.Pattern[str]) -> list[Path]:
        with disk_errors(self.folder):
            return sorted(path for path in self.folder.iterdir() if pattern.fullmatch(path.name))

    def _seal(self, name: str, raw: bytes) -> None:
        _write_sealed(self.folder, self._sealer, name, raw)

    def _unsealed(self, name: str) -> bytes:
        return self._sealer.unseal(self._read(name), context=f"index-{name}/{self._index_id}")

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        with disk_errors(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise _missing(path) from None


@contextmanager
def changing_alone(home: Path, index_id: str) -> Iterator[None]:
    """Nobody else changes what is kept of the index, or the index, meanwhile; waits for them."""
    root = home / FOLDER
    path = root / f".{index_id}.lock"
    with disk_errors(path):
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


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


def _write_sealed(folder: Path, sealer: Sealer, name: str, raw: bytes) -> None:
    write_atomic(folder / name, sealer.seal(raw, context=f"index-{name}/{folder.name}"))


def _missing(path: Path) -> IntegrityError:
    return IntegrityError(
        f"a sealed part is missing: {path}",
        code="sealed_missing",
        hint="run this in the workspace (--home) that made it, or restore its backup",
    )
