"""Keys, through the gate."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from cipherset.app import state
from cipherset.app.engine.task import forget_jobs
from cipherset.app.gate import About, Action
from cipherset.app.gate.about import about_key, about_key_named
from cipherset.app.vectors.remember import forget_vectors_of
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.environment import checked_tenant, condition, differing
from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors
from cipherset.core.secret import KeyHandle
from cipherset.custody.keys import (
    AesGcmSealer,
    KeyInfo,
    KeyStatus,
    KeyUse,
    VersionInfo,
)
from cipherset.custody.ledger import Outcome
from cipherset.custody.ledger.records import events_of


class VersionResult(TypedDict):
    """What may be told of one version."""

    version: int
    status: str
    provider: str
    created: str
    changed: str


class KeyResult(TypedDict):
    """What may be told of a key; ``usable_here`` says whether ``only_in`` is met where we are."""

    key_id: str
    name: str
    version: int
    status: str
    provider: str
    purpose: str
    created: str
    only_in: list[str]
    tenant: str | None
    usable_here: bool
    versions: list[VersionResult]


class Stale(TypedDict):
    """An export under a version that is not the active one, to be made again.

    ``made`` is None where the run that made it did not live to say so; ``rows`` is None where its
    row map is missing.
    """

    cipherset_id: str
    made: str | None
    rows: int | None
    key_version: int


class RotateResult(KeyResult):
    """The key with its new version, and what to make again under it."""

    plan: list[Stale]


class DestroyResult(KeyResult):
    """The key with its tombstone."""

    minimizer_removed: bool


def create(
    session: Session,
    name: str,
    *,
    purpose: str,
    provider: str | None,
    only_in: Sequence[str] = (),
    tenant: str | None = None,
) -> KeyResult:
    """Create the key ``name``, for the tenant's rows, to be used where ``only_in`` is met.

    Raises:
        UsageError: there is one of that name, or a condition is none.
        InputError: ``tenant``: it is no tenant's name.
    """
    places = _conditions(session, only_in)
    owner = None if tenant is None else checked_tenant(tenant)
    # A URI that is refused may hold what it should not; it is recorded once it is accepted.
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.KEY_CREATE, name, {"name": name}, about=about_key_named(name)
        ) as act,
    ):
        info = workspace.ring.create(
            name,
            purpose=purpose,
            provider_uri=provider,
            only_in=places,
            tenant=owner,
        )
        act.facts.update(_facts(info))
    return _result(session, info)


def bind(session: Session, name: str, only_in: Sequence[str]) -> KeyResult:
    """Bind the key ``name`` to where the conditions ``only_in`` are met; to none, without any.

    Raises:
        UsageError: a condition is none.
        PolicyError: the key is bound, and not to where we are.
        KeyAccessError: there is no such key, or a version does not open.
    """
    places = _conditions(session, only_in)
    facts = {"name": name, "asked": " ".join(places)}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.KEY_BIND, name, facts, about=_about(workspace, name)) as act,
    ):
        info = workspace.ring.bind(name, places)
        act.facts.update(_facts(info))
    return _result(session, info)


def list_keys(session: Session) -> list[KeyResult]:
    """Every key of the workspace, by name."""
    with open_workspace(session) as workspace:
        return [_result(session, info) for info in workspace.ring.list()]


def show(session: Session, name: str) -> KeyResult:
    """The key ``name``; KeyAccessError where there is none."""
    with open_workspace(session) as workspace:
        return _result(session, workspace.ring.get(name))


def rotate(session: Session, name: str, *, provider: str | None) -> RotateResult:
    """Make a new version of the key ``name`` the active one, and say what to export again.

    Raises:
        KeyAccessError: there is no such key, or a version in use does not open.
        PolicyError: the key is bound, and not to where we are.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.KEY_ROTATE, name, {"name": name}, about=_about(workspace, name)
        ) as act,
    ):
        # First, so that a key is not rotated whose older exports nobody could read.
        plan = _plan(workspace, workspace.ring.get(name))
        info = workspace.ring.rotate(name, provider_uri=provider)
        act.facts.update(_facts(info))
    return RotateResult(**_result(session, info), plan=plan)


def retire(session: Session, name: str, version: int | None) -> KeyResult:
    """Retire a retiring version of the key ``name``: it only measures what left under it.

    Raises:
        UsageError: the version is not retiring, or it is not clear which one is meant.
        KeyAccessError: there is no such key or version.
    """
    with open_workspace(session) as workspace:
        facts = {"name": name, "version": version}
        about = _about(workspace, name)
        with workspace.gate.act(Action.KEY_RETIRE, name, facts, about=about) as act:
            info = workspace.ring.retire(name, version)
            act.facts.update(_facts(info))
    return _result(session, info)


def destroy(session: Session, name: str, version: int | None, *, force: bool) -> DestroyResult:
    """Destroy a retired version of the key ``name``: what is sealed under it is lost for good.

    Its secret goes first, then its minimizer, the vectors that were kept under it, and answers of
    workers, which are sealed under another key. What is sealed of its exports stays: it is noise
    to everybody now. Run again after a kill, it finishes
    what was begun.

    Raises:
        UsageError: no version is retired, or it is not clear which one is meant.
        PolicyError: the version is not retired, and ``force`` was not given.
        KeyAccessError: there is no such key or version.
    """
    with open_workspace(session) as workspace:
        facts = {"name": name, "version": version, "force": force}
        about = _about(workspace, name)
        with workspace.gate.act(Action.KEY_DESTROY, name, facts, about=about) as act:
            info = workspace.ring.destroy(name, version, force=force)
            act.facts.update(_facts(info))
            removed = _remove_minimizers(workspace, info)
            act.facts["unreached"] = len(forget_jobs(workspace.home))
            act.facts["minimizer_removed"] = removed
    return DestroyResult(**_result(session, info), minimizer_removed=removed)


def _remove_minimizers(workspace: Workspace, info: KeyInfo) -> bool:
    """Remove those of every destroyed version; whether that of the version told of was there.

    And the vectors that nobody can open now.
    """
    removed = False
    for gone in info.versions:
        if gone.status is KeyStatus.DESTROYED:
            forget_vectors_of(workspace.home, info.key_id, gone.version)
        path = state.minimizer_of(workspace.minimizers, info.key_id, gone.version)
        if gone.status is KeyStatus.DESTROYED and path.exists():
            with disk_errors(path):
                path.unlink()
            removed = removed or gone.version == info.version
    return removed


def _plan(workspace: Workspace, info: KeyInfo) -> list[Stale]:
    """The exports under any version that can be read, the oldest version first."""
    found: list[tuple[int, state.ExportState]] = []
    for version in info.versions:
        if version.status in {KeyStatus.ACTIVE, KeyStatus.RETIRING}:
            key = workspace.ring.open(info.key_id, version.version, purpose=KeyUse.QUERY)
            found += [(version.version, export) for export in _exports(workspace, key)]
    made = _made(workspace) if found else {}
    return [
        Stale(
            cipherset_id=export.meta.cipherset_id,
            made=made.get(export.meta.cipherset_id),
            rows=_rows(export),
            key_version=version,
        )
        for version, export in found
    ]


def _exports(workspace: Workspace, key: KeyHandle) -> Iterator[state.ExportState]:
    """The exports that open under ``key``, by id; others are under other keys."""
    sealer = AesGcmSealer.from_key(key)
    for folder in sorted(workspace.exports.glob("[!.]*")):
        if not _may_open(folder, key):
            continue
        try:
            yield state.read_state(workspace.exports, folder.name, sealer)
        except IntegrityError:
            continue


def _may_open(folder: Path, key: KeyHandle) -> bool:
    """Whether nothing beside what is sealed says that it is under another key."""
    try:
        under = state.read_made_under(folder)
    except IntegrityError:
        return True
    return (under.key_id, under.key_version) == (key.key_id, key.version)


def _rows(export: state.ExportState) -> int | None:
    try:
        return export.rows.n_rows
    except IntegrityError:
        return None


def _made(workspace: Workspace) -> dict[str, str]:
    """When each export was made, by its id; as the ledger has it."""
    done = workspace.gate.ledger.look(
        lambda work: list(events_of(work.connection, Action.PROTECT, Outcome.DONE))
    )
    made: dict[str, str] = {}
    for event in done:
        made.setdefault(str(json.loads(event.body).get("cipherset")), event.time)
    return made


def _facts(info: KeyInfo) -> dict[str, str | int]:
    return {
        "key_id": info.key_id,
        "version": info.version,
        "status": info.status.value,
        "provider": info.provider,
        "only_in": " ".join(info.only_in),
    }


def _about(workspace: Workspace, name: str) -> About:
    """The key of that name, as the gate knows it; one that is to be made where there is none."""
    known = workspace.ring.find(name)
    return about_key_named(name) if known is None else about_key(known)


def _conditions(session: Session, texts: Sequence[str]) -> list[str]:
    return [condition(text, session.environment) for text in texts]


def _result(session: Session, info: KeyInfo) -> KeyResult:
    return KeyResult(
        key_id=info.key_id,
        name=info.name,
        version=info.version,
        status=info.status.value,
        provider=info.provider,
        purpose=info.purpose,
        created=info.created,
        only_in=list(info.only_in),
        tenant=info.tenant,
        usable_here=not differing(info.only_in, session.environment),
        versions=[_version(version) for version in info.versions],
    )


def _version(info: VersionInfo) -> VersionResult:
    return VersionResult(
        version=info.version,
        status=info.status.value,
        provider=info.provider,
        created=info.created,
        changed=info.changed,
    )
