"""``forget``: a data subject's rows leave what is sealed, and what came of them is marked.

What has left cannot be called back: it is named, so that it is asked for and made again. The same
command again finishes what a killed run began.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cipherset.app import state
from cipherset.app.assets.deploy import MODELS
from cipherset.app.engine.task import Unreached, forget_jobs
from cipherset.app.erasure.sealed import open_exports, sealed_column, take_out
from cipherset.app.erasure.subject import Match, Subject, matches
from cipherset.app.gate import Action, Fact
from cipherset.app.gate.assets import FORGET
from cipherset.app.labels.record import recorded_run
from cipherset.app.sight.gather import picture
from cipherset.app.vectors.remember import forget_vectors
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.custody.keys.identity import RowIdentity, subject_identity
from cipherset.custody.keys.lock import changing
from cipherset.custody.ledger import Asset
from cipherset.evidence.views.lineage import downstream, upstream
from cipherset.evidence.views.lineage.links import links
from cipherset.evidence.views.lineage.trace import Again, made_again
from cipherset.pipeline.train import load_bundle

_MODEL: Final = "model"


@dataclass(frozen=True, slots=True)
class Emptied:
    """An export that held rows of the subject; ``rows`` are gone from it, ``left`` remain."""

    cipherset_id: str
    manifest: str
    target: str
    copies: tuple[str, ...]
    key_id: str
    key_version: int
    rows: int
    left: int

    def as_json(self) -> dict[str, Any]:
        """Part of the command's JSON."""
        return {
            "cipherset_id": self.cipherset_id,
            "asset": self.manifest,
            "at": self.target,
            "copies": list(self.copies),
            "key_id": self.key_id,
            "key_version": self.key_version,
            "rows": self.rows,
            "left": self.left,
        }


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done; ``subject`` is a keyed digest, never the name.

    ``models`` were trained on what held the rows, ``deployed`` are the names of those in use, and
    ``sources`` are what the rows came from. In ``by_rows_only`` no column names the subject: only
    rows that are equal to known ones were found there. ``unreadable`` could not be searched.
    ``again`` is all that is to be made again, in an order in which it can be. ``unreached`` are
    folders in which a stopped run on Ray may have left sealed answers, with rows of anybody.
    """

    subject: str
    exports: tuple[Emptied, ...]
    models: tuple[Asset, ...]
    deployed: tuple[str, ...]
    sources: tuple[Asset, ...]
    by_rows_only: tuple[str, ...]
    unreadable: tuple[str, ...]
    again: tuple[Again, ...]
    unreached: tuple[Unreached, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "subject": self.subject,
            "rows": sum(each.rows for each in self.exports),
            "exports": [each.as_json() for each in self.exports],
            "models": [each.id for each in self.models],
            "deployed": list(self.deployed),
            "sources": [{"asset": each.id, "name": each.name} for each in self.sources],
            "by_rows_only": list(self.by_rows_only),
            "unreadable": list(self.unreadable),
            "again": [each.as_json() for each in self.again],
            "unreached": [{"folder": each.folder, "note": each.note} for each in self.unreached],
        }


def forget(session: Session, subject: Subject) -> Forgotten:
    """Take the rows of a person out of every sealed export, and mark what came of them.

    Raises:
        PolicyError: ``not_allowed``.
        InputError: the source cannot be read, or has no such column.
        BackendError: the disk is full or not writable: run it again.
    """
    with open_workspace(session) as workspace:
        digest = subject_identity(workspace.ring.signer(), subject.value)
        facts = {"from_source": subject.source is not None}
        with (
            workspace.gate.act(Action.FORGET, digest, facts) as act,
            changing(workspace.home),
        ):
            # Which of them are the subject's cannot be told: they hold no names.
            forget_vectors(workspace.home)
            unreached = forget_jobs(workspace.home)
            result = _forget(workspace, subject, lambda match: _empty(workspace, match, digest))
            result = replace(result, unreached=unreached)
            act.facts.update(_facts(result))
    return result


def foresee(session: Session, subject: Subject) -> Forgotten:
    """What ``forget`` would do, and what would have to be made again; nothing is taken out.

    It says whether somebody is in the rows, so it asks for what ``forget`` asks for.

    Raises: as ``forget``.
    """
    with open_workspace(session) as workspace:
        digest = subject_identity(workspace.ring.signer(), subject.value)
        facts = {"from_source": subject.source is not None, "foreseen": True}
        with workspace.gate.act(Action.FORGET, digest, facts) as act:
            result = _forget(workspace, subject, _foreseen)
            act.facts.update(_facts(result))
    return result


def _facts(result: Forgotten) -> dict[str, Fact]:
    return {
        "rows": sum(each.rows for each in result.exports),
        "exports": ",".join(each.cipherset_id for each in result.exports),
        "models": ",".join(each.id for each in result.models),
        "unreached": len(result.unreached),
    }


def _forget(workspace: Workspace, subject: Subject, empty: Callable[[Match], Emptied]) -> Forgotten:
    digest = subject_identity(workspace.ring.signer(), subject.value)
    opened = open_exports(workspace)
    found = matches(opened.exports, subject, RowIdentity(workspace.ring.signer()))
    emptied = tuple(map(empty, found))
    digests = [each.manifest for each in emptied]
    runs = workspace.gate.ledger.runs()
    models = _assets(workspace, downstream(digests, runs), _MODEL)
    return Forgotten(
        subject=digest,
        exports=emptied,
        models=models,
        deployed=tuple(_deployed(workspace, {each.id for each in models})),
        sources=_assets(workspace, upstream(digests, runs), None),
        by_rows_only=tuple(
            each.meta.cipherset_id
            for each in opened.exports
            if subject.source is not None or sealed_column(each.meta, subject.column) is None
        ),
        unreadable=opened.unreadable,
        again=made_again(links(picture(workspace)), digests, itself=True),
    )


def _empty(workspace: Workspace, match: Match, digest: str) -> Emptied:
    """Marked first, so that no export lacks a row without being known to."""
    meta = match.export.meta
    rows = len(match.sources)
    known = [meta.manifest_digest] if workspace.gate.ledger.asset(meta.manifest_digest) else []
    told = _emptied(match.export, rows, 0)  # before: of an export with no row left nothing is kept
    with recorded_run(workspace, FORGET, known, {"subject": digest, "rows": rows}):
        left = take_out(workspace, match.export, match.sources)
    return replace(told, left=left)


def _foreseen(match: Match) -> Emptied:
    """What would be left, with nothing taken out."""
    export = match.export
    kept = (
        ~np.isin(each.column("source").to_numpy(), match.sources) for each in export.rows.chunks()
    )
    return _emptied(export, len(match.sources), sum(int(each.sum()) for each in kept))


def _emptied(export: state.ExportState, rows: int, left: int) -> Emptied:
    meta = export.meta
    return Emptied(
        meta.cipherset_id,
        meta.manifest_digest,
        meta.target,
        state.copies_of(export.folder, export.sealer),
        meta.key_id,
        meta.key_version,
        rows,
        left,
    )


def _assets(workspace: Workspace, ids: frozenset[str], kind: str | None) -> tuple[Asset, ...]:
    known = workspace.gate.ledger.assets()
    return tuple(each for each in known if each.id in ids and kind in {None, each.kind})


def _deployed(workspace: Workspace, models: set[str]) -> Iterator[str]:
    """The names under which any of ``models`` is served."""
    for path in _bundles(workspace.home / MODELS):
        try:
            digest = load_bundle(path).digest
        except CiphersetError:  # it serves nobody
            continue
        if digest in models:
            yield path.name


def _bundles(folder: Path) -> Sequence[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
