"""Calibrations that were made here, to be looked at again: figures of settings, and no rows.

    calibrations/<digest>.json    what ``calibrate`` answered, and of which source

Their digests are in the ledger: what is not as it was then is not shown.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.app.calibration.request import CalibrateResult
from cipherset.app.gate import Action
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session, Workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.ledger import Outcome
from cipherset.custody.ledger.records import events_of

FOLDER: Final = "calibrations"
KEPT: Final = "kept"


@dataclass(frozen=True, slots=True)
class Calibration:
    """One of them: when and by whom, of which source, by its id."""

    id: str
    time: str
    actor: str
    source: str


def keep(workspace: Workspace, source: str, result: CalibrateResult) -> str:
    """Keep what a calibration came to; its id, for the event.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    raw = canonical.encode({"source": source, "figures": result.as_json()})
    found = canonical.digest_bytes(raw).removeprefix("sha256:")
    path = _path(workspace, found)
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True, mode=0o700)
    write_atomic(path, raw)
    return found


def list_calibrations(session: Session) -> list[Calibration]:
    """All of them, the newest first.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read.
    """
    with looked(session, FOLDER) as (workspace, _):
        return _known(workspace)


def read_calibration(session: Session, calibration: str) -> tuple[Calibration, dict[str, Any]]:
    """One of them, and its figures as the command printed them.

    Raises:
        UsageError: ``calibration_unknown``.
        PolicyError: ``not_allowed``.
        IntegrityError: ``calibration_changed``: its file is not as it was, or not there.
    """
    with looked(session, FOLDER) as (workspace, _):
        known = next((each for each in _known(workspace) if each.id == calibration), None)
        if known is None:
            raise UsageError(
                "the ledger knows no calibration of that id",
                code="calibration_unknown",
                hint="make one: cipherset calibrate SOURCE --label COL --to DIR",
            )
        try:
            raw = _path(workspace, known.id).read_bytes()
        except FileNotFoundError:
            raw = b""
        if canonical.digest_bytes(raw) != f"sha256:{known.id}":
            raise IntegrityError(
                "the figures of that calibration are not those that were written then",
                code="calibration_changed",
                hint="calibrate again: cipherset calibrate SOURCE --label COL --to DIR",
            )
    figures: dict[str, Any] = json.loads(raw)["figures"]
    return known, figures


def _known(workspace: Workspace) -> list[Calibration]:
    events = workspace.gate.ledger.look(
        lambda work: tuple(events_of(work.connection, Action.CALIBRATE, Outcome.DONE))
    )
    told = [(event, json.loads(event.body)) for event in reversed(events)]
    return [
        Calibration(body[KEPT], event.time, event.actor, event.subject)
        for event, body in told
        if KEPT in body
    ]


def _path(workspace: Workspace, calibration: str) -> Path:
    return workspace.home / FOLDER / f"{calibration}.json"
