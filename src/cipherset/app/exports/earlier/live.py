"""The exports of a workspace that somebody may have, each opened with the key it was made under.

Live is what was put in place, whether it is still there or not: a copy may be anywhere. What a
killed run sealed at home but never put in place has not left: it is removed where that is certain,
and live where it is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app import state
from cipherset.app.ciphers import open_cipher
from cipherset.app.exports.dataset import VECTOR, matrix
from cipherset.app.exports.request import Owner
from cipherset.app.exports.utility import Protection
from cipherset.core.errors import CiphersetError, IntegrityError
from cipherset.core.files import discard_directory, staged_beside
from cipherset.core.secret import KeyHandle
from cipherset.core.values import Float32s
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.keys.identity import Identities
from cipherset.custody.keys.lock import changing
from cipherset.pipeline.export import Cipherset, Split, open_cipherset

STAGED: Final = "export"


@dataclass(frozen=True, slots=True)
class Live:
    """An export as its owner knows it, and how its rows were protected."""

    state: state.ExportState
    protection: Protection

    @property
    def cipherset_id(self) -> str:
        """Its id."""
        return self.state.meta.cipherset_id

    def identities(self) -> Identities:
        """The distinct identities of its rows, ascending."""
        parts = [table.column(state.IDENTITY).to_numpy() for table in self.state.rows.chunks()]
        return np.unique(np.concatenate(parts))

    def charged(self) -> Identities:
        """The same, but a pool by every row that it was made of."""
        return np.unique(
            np.concatenate([state.charged(table) for table in self.state.rows.chunks()])
        )

    def first_rows(self, wanted: Identities) -> dict[int, tuple[str, int]]:
        """Row id and source row of the first row with each of the identities that it has."""
        found: dict[int, tuple[str, int]] = {}
        for table in self.state.rows.chunks():
            chosen = np.flatnonzero(np.isin(table.column(state.IDENTITY).to_numpy(), wanted))
            columns = table.take(chosen).select([state.IDENTITY, "row", "source"]).to_pydict()
            for identity, row, source in zip(*columns.values(), strict=True):
                found.setdefault(identity, (row, source))
        return found


@dataclass(frozen=True, slots=True)
class Known:
    """The live exports that open, and the ids of those that do not."""

    readable: tuple[Live, ...] = field(repr=False)
    unreadable: tuple[str, ...]

    def ids(self) -> frozenset[str]:
        """Of all of them."""
        return frozenset({live.cipherset_id for live in self.readable} | {*self.unreadable})


NOTHING: Final = Known((), ())


def look(owner: Owner) -> Known:
    """Every live export of the owner's workspace, by id; what certainly has not left is removed.

    Raises:
        BackendError: the lock cannot be had, or something cannot be removed.
    """
    with changing(owner.workspace.home):
        _remove_unplaced(owner)
        return exports_but(owner, NOTHING)


def exports_but(owner: Owner, known: Known) -> Known:
    """The live exports that are not among ``known``; to be asked for under the lock.

    What cannot be read, for want of its key or of a sealed part, is counted as unreadable.
    """
    keys = {(owner.key.key_id, owner.key.version): owner.key}
    readable, unreadable = [], []
    for export_id in state.export_ids(owner.workspace.exports):
        if export_id in known.ids():
            continue
        try:
            readable.append(_open(owner, export_id, keys))
        except CiphersetError:
            unreadable.append(export_id)
    return Known(tuple(readable), tuple(unreadable))


def _remove_unplaced(owner: Owner) -> None:
    """Remove what killed runs sealed at home and certainly never put in place.

    It is certain where the export is still in the folder that it was built in, from which it would
    have been moved: under the lock no run is between the two.
    """
    keys = {(owner.key.key_id, owner.key.version): owner.key}
    exports = owner.workspace.exports
    for export_id in state.export_ids(exports):
        if state.was_placed(exports / export_id):
            continue
        try:
            live = _open(owner, export_id, keys)
        except CiphersetError:
            continue
        target = Path(live.state.meta.target)
        for staged in staged_beside(target):
            if verified(owner, live, str(staged)) is not None:
                discard_directory(live.state.folder, staged_as=exports / STAGED)
                discard_directory(staged, staged_as=target)


def _open(owner: Owner, export_id: str, keys: dict[tuple[str, int], KeyHandle]) -> Live:
    """The export; each key is opened once, since a provider may take its time."""
    workspace = owner.workspace
    made_under = state.read_made_under(workspace.exports / export_id)
    named = (made_under.key_id, made_under.key_version)
    if named not in keys:
        keys[named] = workspace.ring.open(*named, purpose=KeyUse.MEASURE)
    sealer = AesGcmSealer.from_key(keys[named])
    export = state.read_state(workspace.exports, export_id, sealer)
    if export.meta.signer != workspace.fingerprint:
        raise IntegrityError(
            f"export {export_id} was made under another signer: its rows had other identities",
            code="signer_changed",
            hint="restore the workspace's signer from a backup",
        )
    return Live(export, _protection(owner, keys[named], export))


def _protection(owner: Owner, key: KeyHandle, export: state.ExportState) -> Protection:
    path = state.minimizer_path(owner.workspace.minimizers, key)
    minimizer, bound = state.read_minimizer(path, export.sealer)
    state.check_same(bound, export.meta.settings)
    cipher = open_cipher(
        key,
        dim=minimizer.dim,
        scheme=bound.scheme,
        approximation_factor=bound.approximation_factor,
        noise=bound.noise,
    )
    return Protection(export.meta.task, minimizer, cipher)


def verified(owner: Owner, live: Live, place: str) -> Cipherset | None:
    """The cipherset at ``place``, if it is this export, whole and signed here."""
    try:
        there = open_cipherset(place, signer=owner.workspace.fingerprint)
    except CiphersetError:
        return None
    return there if there.manifest_digest == live.state.meta.manifest_digest else None


def ciphertexts(there: Cipherset, ids: Sequence[str]) -> Float32s:
    """The ciphertexts of the rows with these ids, in this order, shape (n, dim)."""
    position = {row: i for i, row in enumerate(ids)}
    wanted = pa.array(ids, pa.string())
    values = np.zeros((len(ids), there.manifest.dim), dtype=np.float32)
    for split in Split:
        for table in there.batches(split):
            chosen = table.filter(pc.is_in(table.column("row"), value_set=wanted))
            if chosen.num_rows:
                order = [position[row] for row in chosen.column("row").to_pylist()]
                values[order] = matrix(chosen.column(VECTOR))
    return values
