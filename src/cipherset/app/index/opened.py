"""An index with all it takes to use it: its store, keys and encoder; owner's side only."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from cipherset.app.encoders import Opened as OpenedEncoder
from cipherset.app.encoders import opened_for
from cipherset.app.gate import About, Action
from cipherset.app.index.encrypting import Encrypting
from cipherset.app.index.kept import FOLDER, Kept, Meta, Place, find_index, read_place
from cipherset.app.index.parts import Parts
from cipherset.app.index.request import Columns
from cipherset.app.reading.embedded import Reading
from cipherset.app.sanitizing.rules import sealed_rules
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError, KeyAccessError, UsageError
from cipherset.core.secret import KeyHandle
from cipherset.core.values import ROW, ColumnRoles, Float32s, Records
from cipherset.custody.keys import AesGcmSealer, KeyUse, Pseudonyms
from cipherset.custody.policy import Kind
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.index import (
    IN_FILES,
    FileIndex,
    IndexKey,
    IndexManifest,
    VectorIndex,
    open_store,
    read_signed,
)
from cipherset.pipeline.sanitize import SanitizeRules, sanitize


@dataclass(frozen=True, slots=True)
class Opened:
    """An index in use; ``keys`` has every version that rows are under."""

    manifest: IndexManifest
    folder: Path
    store: VectorIndex = field(repr=False)
    keys: Mapping[int, Encrypting] = field(repr=False)
    kept: Kept = field(repr=False)
    meta: Meta = field(repr=False)
    rules: SanitizeRules = field(repr=False)
    parts: Parts = field(repr=False)

    @property
    def roles(self) -> ColumnRoles:
        """The recorded columns."""
        meta = self.meta
        columns = Columns(meta.text, meta.vector, meta.label, meta.tenant, meta.image)
        return replace(columns, pool=meta.pool, label_separator=meta.label_separator).roles

    def encoder(self, session: Session) -> OpenedEncoder:
        """The encoder of its rows, of texts or images; neither where vectors were given.

        Raises:
            BackendError: its weights are not there.
            IntegrityError: ``encoder_changed``.
        """
        if self.meta.encoder_spec is None:
            return OpenedEncoder()
        spec, cache, roles = self.meta.encoder_spec, session.cache, self.roles
        name = (spec, cache, roles.image is None)
        encoder = self.parts.get(name, lambda: opened_for(roles, spec, cache))
        if encoder.digest != self.meta.encoder:
            raise IntegrityError(
                f"encoder {self.meta.encoder_spec} here is not the one this index was made with",
                code="encoder_changed",
                hint="give the same weights: neighbors by another encoder mean nothing",
            )
        return encoder

    def reading(self, session: Session) -> Reading:
        """How a source is read for this index."""
        encoder = self.encoder(session)
        return Reading(self.roles, encoder.texts, self.rules, images=encoder.images)

    def embedded(self, session: Session, texts: list[str]) -> Float32s:
        """Vectors of texts, sanitized as its rows are.

        Raises:
            InputError: ``value_is_text``: its rows were vectors, or images.
        """
        opened = self.encoder(session)
        if opened.images is not None:
            raise InputError(
                "this index holds images, not text",
                code="value_is_text",
                hint="ask with an image, where the key is",
            )
        encoder = opened.texts
        if encoder is None:
            raise InputError(
                "this index holds vectors that were given, not text",
                code="value_is_text",
                hint="ask with a vector of the same encoder",
            )
        columns = pa.table({ROW: pa.array(range(len(texts)), pa.int64())})
        clean = sanitize(Records(texts, columns), self.rules)
        return encoder.encode(clean.texts, progress=session.progress)


def about_index(manifest: IndexManifest, folder: Path) -> About:
    """An index, whatever rows come and go."""
    return About(Kind.DATASET, manifest.asset_id, folder.resolve().name)


def peek(workspace: Workspace, folder: Path) -> tuple[IndexManifest, About]:
    """What the index says of itself, verified; opens no key.

    Raises:
        InputError: ``no_directory``.
        IntegrityError: ``index_missing``; it was changed, or another workspace made it.
    """
    manifest, _ = read_signed(folder, signer=workspace.fingerprint)
    return manifest, about_index(manifest, folder)


def stamp(workspace: Workspace, folder: Path) -> tuple[str, Place]:
    """What differs once the index was changed, or sealed under another version of its key.

    Raises: as ``peek``, and IntegrityError ``sealed_missing``.
    """
    manifest, digest = read_signed(folder, signer=workspace.fingerprint)
    return digest, read_place(workspace.home / FOLDER / manifest.index_id)


@dataclass(frozen=True, slots=True)
class Glance:
    """What the gate is asked about: the index, or one of that name that cannot be trusted."""

    about: About
    found: IndexManifest | IntegrityError = field(repr=False)

    @property
    def index_id(self) -> str | None:
        """Of the index; None where it is broken."""
        return self.found.index_id if isinstance(self.found, IndexManifest) else None

    def check(self) -> None:
        """Go on only with what can be trusted; inside the act, for who may know.

        Raises:
            IntegrityError: as ``peek``.
        """
        if isinstance(self.found, IntegrityError):
            raise self.found


def glance(workspace: Workspace, folder: Path) -> Glance:
    """``peek`` before the gate: what is broken is said to nobody yet."""
    try:
        manifest, about = peek(workspace, folder)
    except IntegrityError as error:
        return Glance(about_no_index(folder.name), error)
    return Glance(about, manifest)


def about_no_index(name: str) -> About:
    """An index that is not there or cannot be trusted, for the gate: it is restricted."""
    return About(Kind.DATASET, canonical.digest({"index": name}), name)


@contextmanager
def open_index(workspace: Workspace, folder: Path, parts: Parts | None = None) -> Iterator[Opened]:
    """The index in ``folder``, verified, with every key version that its rows need.

    With ``parts`` what was opened before is used again, for searches alone.

    Raises:
        IntegrityError: a part was changed, is missing, or is an older copy put back.
        KeyAccessError: a key is not here, or may not be used any more.
        BackendError: the database cannot be reached.
    """
    manifest, digest = read_signed(folder, signer=workspace.fingerprint)
    home = workspace.home / FOLDER / manifest.index_id
    place = read_place(home)
    first = workspace.ring.open(place.key_id, place.key_version, purpose=KeyUse.QUERY)
    kept = Kept(home, AesGcmSealer.from_key(first))
    kept_open = Parts() if parts is None else parts
    with opened_store(workspace, folder, (manifest, digest), kept_open) as store:
        now = store.manifest if isinstance(store, FileIndex) else manifest
        kept.see_revision(now.revision)
        keys = {key.version: _checked(workspace, now, key, kept_open) for key in now.keys}
        meta = kept.meta()
        rules = sealed_rules(meta.rules, first)
        yield Opened(now, folder, store, keys, kept, meta, rules, kept_open)


@contextmanager
def opened_store(
    workspace: Workspace, folder: Path, read: tuple[IndexManifest, str], parts: Parts
) -> Iterator[VectorIndex]:
    """Where the rows are."""
    manifest, digest = read
    signer, password = workspace.ring.signer(), workspace.store_password
    if manifest.store in IN_FILES:
        name = (folder, digest, workspace.fingerprint)
        yield parts.get(name, lambda: open_store(manifest, folder, signer))
        return
    store = open_store(manifest, folder, signer, password)
    try:
        yield store
    finally:
        store.close()


def encrypting(key: KeyHandle, dim: int, factor: float) -> Encrypting:
    """A version of a key at work for an index."""
    cipher = VectorCipher(key, dim=dim, approximation_factor=factor)
    return Encrypting(cipher, Pseudonyms(key))


def _checked(
    workspace: Workspace, manifest: IndexManifest, key: IndexKey, parts: Parts
) -> Encrypting:
    opened = workspace.ring.open(manifest.key_id, key.version, purpose=KeyUse.QUERY)
    dim, factor = manifest.dim, manifest.approximation_factor
    name = (manifest.key_id, key.version, key.check, dim, factor)
    found = parts.get(name, lambda: encrypting(opened, dim, factor))
    if found.cipher.key_check != key.check:
        raise KeyAccessError(
            f"key {manifest.key_id} v{key.version} here is not the key that made this index",
            code="wrong_key",
            hint="run this in the workspace (--home) that made the index",
        )
    return found


def placed(session: Session, name: str, action: Action) -> Path:
    """The folder of the index that is called ``name``; that there is none is asked of the gate too.

    So whoever may not do it cannot tell whether there is one.

    Raises:
        UsageError: ``index_unknown``: none, or more than one.
        IntegrityError: ``sealed_missing``: what is kept of one is not there.
        PolicyError: ``not_allowed``.
    """
    with open_workspace(session) as workspace:
        found: set[Path] = set()
        fault: IntegrityError | None = None
        try:
            found = find_index(workspace.home, name)
        except IntegrityError as error:
            fault = error
        if len(found) == 1:
            return found.pop()
        about = about_no_index(name)
        with workspace.gate.act(action, name, {"found": len(found)}, about=about):
            if fault is not None:
                raise fault
            raise UsageError(
                f"{len(found)} indexes of this workspace are called that",
                code="index_unknown",
                hint="name it by its folder's name, or by its index_id where two are called alike",
            )


def unit(vectors: list[list[float]], dim: int) -> Float32s:
    """Given vectors, of unit norm.

    Raises:
        InputError: ``index_vectors``: not of that width, not finite, or of no length.
    """
    try:
        x = np.array(vectors, dtype=np.float32)
    except ValueError:
        x = np.empty((0, 0), dtype=np.float32)
    norms = np.linalg.norm(x, axis=1, keepdims=True) if x.ndim == 2 else np.zeros((1, 1))
    if x.ndim != 2 or x.shape[1] != dim or not np.isfinite(norms).all() or not norms.all():
        raise InputError(
            f"expected rows of {dim} finite numbers that are not all zero",
            code="index_vectors",
            hint="give vectors of the encoder that the index was made with",
        )
    return np.asarray(x / norms, dtype=np.float32)
