"""What stays sealed in the workspace, so that the owner can evaluate, assess and forget.

    minimizers/<key_id>.v<version>    the fitted minimizer, once per key version, never refitted
    exports/<cipherset_id>/meta       columns, encoder, classes and settings
    exports/<cipherset_id>/vectors    source vectors with labels and columns, in source order
    exports/<cipherset_id>/rows       row id of the export -> row of the source, its split, and
                                      its identity, which is the same in all exports
    exports/<cipherset_id>/measured   what was measured on it
    exports/<cipherset_id>/copies     where in object stores it was sent, or was to be
    exports/<cipherset_id>/key        in the clear: id and version of the key that opens the rest
    exports/<cipherset_id>/placed     in the clear and empty: the export was put where it was to go
    exports/<cipherset_id>/forgotten  in the clear and empty: rows were taken out since

What is not in the clear is sealed under the export's key; without it, or with a part missing, the
commands that need it stop (exit 5).
"""

import io
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, PolicyError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.manifest import Task
from cipherset.core.protocols import Sealer
from cipherset.core.secret import KeyHandle
from cipherset.core.spool import Spool
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys.identity import Identities
from cipherset.pipeline.minimize import FittedColumn, FittedMinimizer, load

META: Final = "meta"
VECTORS: Final = "vectors"
ROWS: Final = "rows"
IDENTITY: Final = "identity"
MEMBERS: Final = "members"
MEASURED: Final = "measured"
COPIES: Final = "copies"
KEY: Final = "key"
PLACED: Final = "placed"
FORGOTTEN: Final = "forgotten"
_ID: Final = re.compile(r"[0-9a-f]{32}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Settings(_Strict):
    """The settings of a minimizer under one key version; a second fit must ask for the same.

    ``columns`` join the vectors, and were fitted on its rows.
    """

    minimizer: str
    approximation_factor: float
    noise: str = "ball"
    scheme: str
    encoder: str
    classes: tuple[str, ...]
    fit_share: float
    test_share: float
    seed: int
    columns: tuple[FittedColumn, ...] = ()

    @property
    def beside(self) -> tuple[str, ...]:
        """The names of the columns that join the vectors."""
        return tuple(column.name for column in self.columns)


class MadeUnder(_Strict):
    """Which key version opens an export's state; said in its manifest too."""

    key_id: str
    key_version: int


class Promise(_Strict):
    """An (epsilon, delta) of each row that something was computed from."""

    epsilon: float
    delta: float


class Meta(_Strict):
    """What the commands need to know of an export.

    ``signer`` is the workspace's fingerprint when it was made, ``source_digest`` the keyed digest
    of its source, ``request`` the digest of what was asked for, ``target`` the absolute path at
    which it was put: with these the same request is known again. ``rules`` is the JSON text of
    the rules that its texts were sanitized by, so that queries are too. Rows
    without ``consent`` for ``consent_for`` were dropped, where a column says so. Where
    ``synthetic`` is there, no row of the export is one of the source: it is what it keeps of them.
    """

    signer: str
    source_digest: str
    request: str
    target: str
    cipherset_id: str
    manifest_digest: str
    key_id: str
    key_version: int
    text: tuple[str, ...]
    vector: str | None
    label: str | None
    group: str | None
    keep: tuple[str, ...]
    encoder_spec: str | None
    rules: str
    dim_in: int
    task: Task | None
    settings: Settings
    consent: str | None = None
    consent_for: str = ""
    synthetic: Promise | None = None
    image: str | None = None
    pool: str | None = None
    label_separator: str | None = None
    ranked: bool = False

    def roles_for(self, *, labeled: bool) -> ColumnRoles:
        """The recorded columns that a new source must have: with its label, or without."""
        roles = ColumnRoles(self.text, self.vector, image=self.image, pool=self.pool)
        roles = replace(roles, beside=self.settings.beside)
        if not labeled:
            return roles
        group = self.group if self.ranked else None
        roles = replace(roles, label=self.label, group=group, ranked=self.ranked)
        return replace(roles, label_separator=self.label_separator)


@dataclass(frozen=True, slots=True)
class ExportState:
    """An export as its owner knows it."""

    meta: Meta
    folder: Path
    sealer: Sealer = field(repr=False)

    @property
    def vectors(self) -> Spool:
        """Source vectors with labels, in source order."""
        return Spool(self.folder / VECTORS, self.sealer, VECTORS)

    @property
    def rows(self) -> Spool:
        """Columns ``row``, ``source``, ``split`` and ``identity`` of every exported row."""
        return Spool(self.folder / ROWS, self.sealer, ROWS)

    @property
    def measured(self) -> bytes:
        """What was measured, as JSON; IntegrityError where it is missing or was changed."""
        path = self.folder / MEASURED
        return _read_sealed(path, self.sealer, f"{MEASURED}/{self.meta.cipherset_id}")


def write_meta(folder: Path, meta: Meta, sealer: Sealer) -> None:
    """Seal ``meta`` into ``folder``, and say beside it which key opens it."""
    raw = canonical.encode(meta.model_dump(mode="json"))
    write_atomic(folder / META, sealer.seal(raw, context=f"{META}/{meta.cipherset_id}"))
    made_under = MadeUnder(key_id=meta.key_id, key_version=meta.key_version)
    write_atomic(folder / KEY, canonical.encode(made_under.model_dump(mode="json")))


def write_measured(folder: Path, cipherset_id: str, measured: bytes, sealer: Sealer) -> None:
    """Seal what was measured into ``folder``."""
    sealed = sealer.seal(measured, context=f"{MEASURED}/{cipherset_id}")
    write_atomic(folder / MEASURED, sealed)


def add_copy(folder: Path, address: str, sealer: Sealer) -> None:
    """Seal that the export of ``folder`` goes to that address too."""
    told = sorted({*copies_of(folder, sealer), address})
    sealed = sealer.seal(canonical.encode(told), context=f"{COPIES}/{folder.name}")
    write_atomic(folder / COPIES, sealed)


def copies_of(folder: Path, sealer: Sealer) -> tuple[str, ...]:
    """Where it was sent, or was to be; IntegrityError where that was changed."""
    if not (folder / COPIES).exists():
        return ()
    raw = _read_sealed(folder / COPIES, sealer, f"{COPIES}/{folder.name}")
    return tuple(canonical.decode(raw, what="the copies"))


def export_ids(exports: Path) -> list[str]:
    """The exports that have a state, by id."""
    return sorted(path.name for path in exports.iterdir() if _ID.fullmatch(path.name))


def read_made_under(folder: Path) -> MadeUnder:
    """The key that an export's state is sealed under; IntegrityError where nothing says so."""
    path = folder / KEY
    try:
        return MadeUnder.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        raise IntegrityError(
            f"{path} is missing or was changed",
            code="sealed_missing",
            hint="restore the workspace from a backup",
        ) from None


def mark_placed(folder: Path) -> None:
    """Write down that the export is where it was to go, so that nobody has to find out.

    An empty file is whole as soon as it is there.
    """
    with disk_errors(folder / PLACED):
        (folder / PLACED).touch(mode=0o600)


def was_placed(folder: Path) -> bool:
    """Whether that was written down; a run killed in between may have placed it all the same."""
    return (folder / PLACED).exists()


def mark_forgotten(folder: Path) -> None:
    """Write down that rows were taken out: what has left holds them still, and is made no more."""
    with disk_errors(folder / FORGOTTEN):
        (folder / FORGOTTEN).touch(mode=0o600)


def was_forgotten(folder: Path) -> bool:
    """Whether rows were taken out since it left."""
    return (folder / FORGOTTEN).exists()


def read_state(exports: Path, cipherset_id: str, sealer: Sealer) -> ExportState:
    """The state of an export; IntegrityError where it is missing or was changed."""
    folder = exports / cipherset_id
    raw = _read_sealed(folder / META, sealer, f"{META}/{cipherset_id}")
    return ExportState(Meta.model_validate_json(raw), folder, sealer)


def charged(rows: pa.Table) -> Identities:
    """What budgets know these rows of a map by: a pool by every row that it was made of."""
    if MEMBERS not in rows.column_names:
        return np.asarray(rows.column(IDENTITY), dtype=np.uint64)
    return np.asarray(rows.column(MEMBERS).combine_chunks().flatten(), dtype=np.uint64)


def minimizer_path(minimizers: Path, key: KeyHandle) -> Path:
    """Where the minimizer of a key version is."""
    return minimizer_of(minimizers, key.key_id, key.version)


def minimizer_of(minimizers: Path, key_id: str, version: int) -> Path:
    """The same, where the key cannot be opened."""
    return minimizers / f"{key_id}.v{version}"


def write_minimizer(
    path: Path, minimizer: FittedMinimizer, settings: Settings, sealer: Sealer
) -> None:
    """Seal a fitted minimizer and its settings; arrays as npz, which holds no pickle."""
    buffer = io.BytesIO()
    named = {name: np.asarray(values) for name, values in minimizer.arrays().items()}
    np.savez(buffer, allow_pickle=False, **named)
    head = canonical.encode({"spec": minimizer.spec, "settings": settings.model_dump(mode="json")})
    raw = len(head).to_bytes(4, "big") + head + buffer.getvalue()
    write_atomic(path, sealer.seal(raw, context=f"minimizer/{path.name}"))


def read_minimizer(path: Path, sealer: Sealer) -> tuple[FittedMinimizer, Settings]:
    """The minimizer of a key version; IntegrityError where it is missing or was changed."""
    raw = _read_sealed(path, sealer, f"minimizer/{path.name}")
    size = int.from_bytes(raw[:4], "big")
    head = canonical.decode(raw[4 : 4 + size], what="the minimizer's head")
    with np.load(io.BytesIO(raw[4 + size :]), allow_pickle=False) as arrays:
        fitted = load(head["spec"], {name: arrays[name] for name in arrays.files})
    return fitted, Settings.model_validate_json(canonical.encode(head["settings"]))


def check_same(bound: Settings, asked: Settings) -> None:
    """One minimizer per key version: PolicyError where another one is asked for."""
    was, now = bound.model_dump(), asked.model_dump()
    differs = sorted(name for name in was if was[name] != now[name])
    if differs:
        raise PolicyError(
            f"this key version has a minimizer already, with another {', '.join(differs)}; exports "
            "by a second one could be joined to those of the first",
            code="minimizer_bound",
            hint="ask for the same as before (--label too), or give another purpose another key: "
            "cipherset key create NAME",
        )


def _read_sealed(path: Path, sealer: Sealer, context: str) -> bytes:
    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        raise IntegrityError(
            f"a sealed part is missing: {path}",
            code="sealed_missing",
            hint="run this in the workspace (--home) that made the export, or restore its backup",
        ) from None
    return sealer.unseal(sealed, context=context)
