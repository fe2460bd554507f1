"""``index reencrypt``: every row under the version of the key that is active, in place.

Order rules: the new version is named in the manifest; then rows move, some at a time, each from
its old ciphertext to a new one under the same id; then the old versions leave the manifest; then
what is kept at home is sealed under the new version. Searches are answered meanwhile, from all
versions that the manifest names. A run that died goes on where it was.

Whoever keeps the store has seen both ciphertexts of a row: to the policies and the budgets each
row that moves leaves once more.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app.index.build import INDEX_RUN
from cipherset.app.index.change import (
    GIVEN,
    changing,
    measured_leaving,
    say_key,
    say_keys,
    told,
)
from cipherset.app.index.encrypting import Encrypting, Given
from cipherset.app.index.kept import FOLDER, Kept, read_place, write_place
from cipherset.app.index.leaving import leaving
from cipherset.app.index.opened import Opened, about_index, encrypting, open_index
from cipherset.app.index.request import IndexResult
from cipherset.app.labels.record import recorded_run
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import IntegrityError
from cipherset.core.files import replace_directory, stage_directory
from cipherset.core.secret import KeyHandle
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.pipeline.index import Entries, Filter, IndexKey, Tag, check_answer
from cipherset.pipeline.index.entries import ID_BYTES, TAG_BYTES, bad_answer

AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Move:
    """From one version of the key to another, of one index."""

    workspace: Workspace
    opened: Opened
    key: KeyHandle
    old: Encrypting = field(repr=False)
    new: Encrypting = field(repr=False)


def reencrypt(session: Session, index: Path) -> IndexResult:
    """Encrypt what is under older versions of the key anew, under the one that is active.

    Leaks: to whoever keeps the store, which new ciphertext is of the same row as which old one.

    Raises:
        IntegrityError: a row, or what the store answered, was changed; ``sealed_missing``.
        KeyAccessError: a version of the key may not be used any more.
        PolicyError: ``not_allowed``, ``budget``: what has moved stays moved.
        BackendError: the store, or the disk.
    """
    with (
        open_workspace(session) as workspace,
        changing(workspace, index, {"reencrypting": True}) as act,
        open_index(workspace, index) as opened,
    ):
        manifest = opened.manifest
        key = workspace.ring.open(manifest.key_id, purpose=KeyUse.EXPORT)
        new = encrypting(key, manifest.dim, manifest.approximation_factor)
        say_key(workspace, opened, new)
        about = [manifest.asset_id]
        parameters = {"key_id": key.key_id, "key_version": key.version}
        with recorded_run(workspace, INDEX_RUN, about, parameters) as outputs:
            moved = sum(
                _moved(_Move(workspace, opened, key, old, new))
                for version, old in sorted(opened.keys.items())
                if version != key.version
            )
            outputs.append(manifest.asset_id)
        check = new.cipher.key_check
        say_keys(workspace, opened, (IndexKey(version=key.version, check=check),))
        result = told(workspace, opened)
        _seal_anew(workspace, opened, key)
        act.facts.update(rows=moved, key_version=key.version)
        return replace(result, changed=moved)


def _moved(move: _Move) -> int:
    """How many rows were under the old version, and are under the new one now."""
    opened, seen = move.opened, set[bytes]()
    where = Filter(version=move.old.cipher.key_version)
    values = opened.kept.values()
    known: dict[Tag, dict[bytes, str | None]] = {
        tag: {bytes(TAG_BYTES): None} | {move.old.token(tag, one): one for one in values[tag]}
        for tag in Tag
    }
    about = about_index(opened.manifest, opened.folder)
    while len(some := opened.store.some(AT_ONCE, where)):
        check_answer(some, AT_ONCE, where)
        ids = {one.tobytes() for one in some.ids}
        if seen & ids:
            raise bad_answer("has a row that was replaced")
        seen |= ids
        x = move.old.plain(some)
        given = _given(some, known)
        what = measured_leaving(about, _scopes(opened.kept, some, given), len(x), opened.manifest)
        with (
            move.workspace.ring.relying_on(move.key, purpose=KeyUse.EXPORT),
            leaving(move.workspace, str(opened.folder), what),
        ):
            opened.store.replace(move.new.entries(x, given, some.ids))
    return len(seen)


def _given(some: Entries, known: dict[Tag, dict[bytes, str | None]]) -> Given:
    """What the tokens of these rows stand for.

    Raises:
        IntegrityError: ``index_tag_values``.
    """
    try:
        return {tag: [known[tag][token.tobytes()] for token in some.tags[:, tag]] for tag in Tag}
    except KeyError:
        raise IntegrityError(
            "what a token of a row stands for is not among what is kept of the index",
            code="index_tag_values",
            hint="build the index again: an earlier version made it, or its state is not whole",
        ) from None


def _scopes(kept: Kept, some: Entries, given: Given) -> list[tuple[str, int]]:
    """What these rows are counted for: their sources, or themselves where they were given."""
    assets = Counter(given[Tag.DATASET])
    scopes = [(asset, n) for asset, n in assets.items() if asset is not None and asset != GIVEN]
    if assets[GIVEN]:
        is_given = np.array([asset == GIVEN for asset in given[Tag.DATASET]])
        ids = pa.array([one.tobytes() for one in some.ids[is_given]], pa.binary(ID_BYTES))
        for table in kept.rows():
            mine = table.filter(pc.is_in(table.column("id"), value_set=ids))
            scopes += [(f"row:{one:016x}", 1) for one in mine.column("identity").to_pylist()]
    return scopes


def _seal_anew(workspace: Workspace, opened: Opened, key: KeyHandle) -> None:
    """What is kept of the index opens with the new version; in one step."""
    place = read_place(opened.kept.folder)
    if place.key_version == key.version:
        return
    index_id = opened.manifest.index_id
    target = workspace.home / FOLDER / index_id
    with stage_directory(target) as staged:
        named = staged / index_id  # sealed for the folder's name
        named.mkdir(mode=0o700)
        opened.kept.copy_to(named, AesGcmSealer.from_key(key))
        write_place(named, place.model_copy(update={"key_version": key.version}))
        replace_directory(named, target, overwrite=True)
