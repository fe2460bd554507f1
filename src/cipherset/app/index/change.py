"""``index add`` and ``index delete``: rows come and go, under the key version that is active."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.app.gate import About, Act, Action, Fact, Moment
from cipherset.app.index.build import INDEX_RUN
from cipherset.app.index.encrypting import Encrypting, tags_of
from cipherset.app.index.kept import changing_alone
from cipherset.app.index.leaving import Leaving, key_known, leaving
from cipherset.app.index.opened import (
    Glance,
    Opened,
    encrypting,
    glance,
    open_index,
    peek,
    unit,
)
from cipherset.app.index.reading import origin_of
from cipherset.app.index.request import IndexResult
from cipherset.app.labels.record import recorded_run
from cipherset.app.reading.embedded import vectors_of
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError
from cipherset.core.values import LABEL, ROW, Vectors
from cipherset.custody.keys import KeyUse
from cipherset.custody.keys.identity import RowIdentity
from cipherset.pipeline.index import Entries, FileIndex, IndexKey, IndexManifest, write_signed
from cipherset.pipeline.index.entries import ID_BYTES, Bytes, concatenated
from cipherset.pipeline.ingest import open_source

GIVEN: Final = "given"
DELETING: Final = "deleting"
MOST_VALUES: Final = 1_024


@dataclass(frozen=True, slots=True)
class Values:
    """Rows that were given, not read: texts or vectors, and what they are tagged by."""

    texts: tuple[str, ...] = field(default=(), repr=False)
    vectors: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = field(default=(), repr=False)
    tenant: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what does not belong together.

        Raises:
            InputError: ``index_values``.
        """
        n = len(self.texts) or len(self.vectors)
        both = bool(self.texts) and bool(self.vectors)
        if both or not 1 <= n <= MOST_VALUES or len(self.labels) not in {0, n}:
            raise InputError(
                f"expected 1 to {MOST_VALUES} texts or as many vectors, and labels for all or none",
                code="index_values",
                hint="give fewer rows at a time, of one kind",
            )


def add(session: Session, index: Path, source: str) -> IndexResult:
    """Add the rows of a source, read by the columns that were recorded when it was built.

    Raises:
        InputError, UsageError, IntegrityError, KeyAccessError, BackendError: as their messages say.
        PolicyError: ``not_allowed``, ``budget``.
    """
    with open_workspace(session) as workspace:
        origin = origin_of(workspace, source)
        with (
            changing(workspace, index, {"source": origin.name}, source=origin.about) as act,
            open_index(workspace, index) as opened,
        ):
            reading = opened.reading(session)
            batches = list(vectors_of(open_source(source), reading, {}, session.progress))
            rows = sum(len(batch.values) for batch in batches)
            what = measured_leaving(origin.about, ((origin.asset, rows),), rows, opened.manifest)
            key = workspace.ring.get(opened.manifest.key_id)
            parameters = {"key_id": key.key_id, "key_version": key.version, "rows": rows}
            with recorded_run(workspace, INDEX_RUN, list(origin.inputs), parameters) as outputs:
                outputs.append(opened.manifest.asset_id)
                with leaving(workspace, str(index), what):
                    result = _added(workspace, opened, batches, (origin.name, origin.asset))
            act.facts["rows"] = rows
    return result


def add_values(session: Session, index: Path, values: Values) -> IndexResult:
    """Add rows that were given; each counts as one exposure of that very row.

    Raises: as ``add``.
    """
    with (
        open_workspace(session) as workspace,
        changing(workspace, index, {"source": GIVEN}) as act,
        open_index(workspace, index) as opened,
    ):
        if values.texts:
            x = opened.embedded(session, list(values.texts))
        else:
            x = unit([list(one) for one in values.vectors], opened.manifest.dim)
        identity = RowIdentity(workspace.ring.signer())
        scopes = tuple((f"row:{int(one):016x}", 1) for one in identity.of_vectors(x))
        columns = {ROW: pa.array([-1] * len(x), pa.int64())}
        if values.labels:
            columns[LABEL] = pa.array(values.labels)
        if values.tenant is not None:
            columns[GIVEN] = pa.array([values.tenant] * len(x))
        batch = Vectors(x, pa.table(columns))
        about = peek(workspace, index)[1]
        what = measured_leaving(about, scopes, len(x), opened.manifest)
        tenant_in = replace(opened, meta=opened.meta.model_copy(update={"tenant": GIVEN}))
        with leaving(workspace, str(index), what):
            result = _added(workspace, tenant_in, [batch], (GIVEN, GIVEN))
        act.facts["rows"] = len(x)
    return result


def delete(
    session: Session,
    index: Path,
    *,
    ids: Sequence[str] = (),
    rows: Sequence[int] = (),
    source: str | None = None,
) -> IndexResult:
    """Remove rows by their ids in the index, or by their rows in a source: gone from the files.

    Raises:
        InputError: ``index_ids``: an id that is none.
        IntegrityError, KeyAccessError, BackendError: as ``add``.
        PolicyError: ``not_allowed``.
    """
    facts: dict[str, Fact] = {"source": source, DELETING: True}
    with (
        open_workspace(session) as workspace,
        changing(workspace, index, facts) as act,
        open_index(workspace, index) as opened,
    ):
        gone = _ids(ids)
        if rows:
            gone = np.concatenate([gone, opened.kept.ids_of(list(rows), source)])
        n_gone = opened.store.delete(gone)
        opened.kept.add_gone(gone)
        act.facts["rows"] = n_gone
        return replace(told(workspace, opened), changed=n_gone)


def status(session: Session, index: Path) -> IndexResult:
    """What an index says of itself, for whoever may search it.

    Raises:
        IntegrityError: it was changed.
        PolicyError: ``not_allowed``.
    """
    with open_workspace(session) as workspace:
        seen = glance(workspace, index)
        facts: dict[str, Fact] = {"index": seen.index_id, "queries": 0}
        with workspace.gate.act(Action.SEARCH, str(index), facts, about=seen.about):
            return IndexResult(peek(workspace, index)[0], index)


@contextmanager
def changing(
    workspace: Workspace, index: Path, facts: dict[str, Fact], *, source: About | None = None
) -> Iterator[Act]:
    """The act of changing an index, which one at a time does, under the key that it is under.

    Rows of a ``source`` that come are asked about first, as where an index is built of them: what
    is in an index says nothing of what goes into it.
    """
    seen = glance(workspace, index)
    known: dict[str, Fact] = {"index": seen.index_id, **facts}
    moment = Moment(key=_key_of(workspace, seen), takes_out=DELETING in facts)
    gate, about = workspace.gate, seen.about
    with ExitStack() as acts:
        if source is not None:
            both = replace(source, also=about.bound())
            acts.enter_context(gate.act(Action.INDEX, str(index), known, about=both, moment=moment))
            about = replace(about, also=source.bound())
        act = acts.enter_context(
            gate.act(Action.INDEX, str(index), known, about=about, moment=moment)
        )
        seen.check()
        with changing_alone(workspace.home, seen.index_id or ""):
            yield act


def _key_of(workspace: Workspace, seen: Glance) -> About | None:
    """The key that the rows of an index go under; None where the index is broken."""
    if not isinstance(seen.found, IndexManifest):
        return None
    return key_known(workspace, seen.found.key_id)


def measured_leaving(
    about: About, scopes: Sequence[tuple[str, int]], rows: int, manifest: IndexManifest
) -> Leaving:
    """What was measured when the index was built stands for rows of the same kind."""
    high = manifest.assessment["reid_high"]
    return Leaving(about, manifest.key_id, rows, scopes, high, accepted=manifest.risk_accepted)


def _added(
    workspace: Workspace, opened: Opened, batches: list[Vectors], origin: tuple[str, str]
) -> IndexResult:
    """Encrypt under the active version, whatever the rows before were under."""
    key = workspace.ring.open(opened.manifest.key_id, purpose=KeyUse.EXPORT)
    made = encrypting(key, opened.manifest.dim, opened.manifest.approximation_factor)
    say_key(workspace, opened, made)
    identity = RowIdentity(workspace.ring.signer())
    name, dataset = origin
    every: list[Entries] = []
    with workspace.ring.relying_on(key, purpose=KeyUse.EXPORT):
        for batch in batches:
            tags = tags_of(batch.columns, dataset, opened.meta.tenant)
            entries = made.entries(batch.values, tags)
            rows = batch.columns.column(ROW).to_pylist()
            opened.kept.add_values(tags)
            opened.kept.add_rows(entries.ids, name, rows, identity.of_vectors(batch.values))
            every.append(entries)
        opened.store.add(concatenated(every))  # all of them, or none
    ids = tuple(one.tobytes().hex() for entries in every for one in entries.ids)
    return replace(told(workspace, opened), changed=len(ids), ids=ids)


def say_key(workspace: Workspace, opened: Opened, made: Encrypting) -> None:
    """Name the version in the manifest before the first row is under it."""
    cipher = made.cipher
    if cipher.key_version not in opened.keys:
        key = IndexKey(version=cipher.key_version, check=cipher.key_check)
        say_keys(workspace, opened, (*opened.manifest.keys, key))


def say_keys(workspace: Workspace, opened: Opened, keys: tuple[IndexKey, ...]) -> None:
    """Sign which versions of the key rows are under."""
    store = opened.store
    here = store.manifest if isinstance(store, FileIndex) else peek(workspace, opened.folder)[0]
    changed = here.model_copy(update={"keys": keys})
    if isinstance(store, FileIndex):
        store.say(changed)
    else:
        write_signed(opened.folder, changed, workspace.ring.signer())


def told(workspace: Workspace, opened: Opened) -> IndexResult:
    """The index as it is after a change, and its revision remembered."""
    store = opened.store
    if isinstance(store, FileIndex):
        manifest = store.manifest
    else:
        here, _ = peek(workspace, opened.folder)
        update = {"rows": store.rows(), "revision": here.revision + 1}
        manifest = here.model_copy(update=update)
        write_signed(opened.folder, manifest, workspace.ring.signer())
    opened.kept.see_revision(manifest.revision)
    return IndexResult(manifest, opened.folder)


def _ids(given: Sequence[str]) -> Bytes:
    try:
        raw = [bytes.fromhex(one) for one in given]
    except ValueError:
        raw = [b""]
    if any(len(one) != ID_BYTES for one in raw):
        raise InputError(
            "an id of a row is 32 hex digits",
            code="index_ids",
            hint="give ids as search and add answer them",
        )
    return np.frombuffer(b"".join(raw), dtype=np.uint8).reshape(-1, ID_BYTES)
