"""An export into an object store, by way of the workspace, where its owner keeps it.

It is made and measured here first, and sent as the last part of the same act. Where it is to go is
sealed beside the export before the first byte leaves, so that ``forget`` knows; an export that it
has taken rows out of is sent nowhere any more. A run that was stopped while it sent is run again:
the export is known again, and only sent.
"""

import secrets
from pathlib import Path
from typing import Final

from cipherset.app import state
from cipherset.app.exports.request import Owner, ProtectRequest, ProtectResult
from cipherset.core.errors import PolicyError
from cipherset.core.files import disk_errors
from cipherset.core.objects import ObjectFolder
from cipherset.custody.keys.lock import changing
from cipherset.pipeline.export import open_cipherset, send

FOLDER: Final = "sent"  # of a workspace


def place_for(home: Path, to: Path | ObjectFolder) -> tuple[Path, ObjectFolder | None]:
    """The directory that an export is put in, and the store that it is sent to from there."""
    if isinstance(to, ObjectFolder):
        return home / FOLDER / f"{secrets.token_hex(8)}.cipherset", to
    return to, None


def make_room(target: Path) -> None:
    """The workspace's folder of such exports, there."""
    with disk_errors(target):
        target.parent.mkdir(mode=0o700, exist_ok=True)


def sent(owner: Owner, request: ProtectRequest, result: ProtectResult) -> None:
    """Send the export of ``result`` to the store of ``request``, if there is one.

    Raises:
        PolicyError: as ``note_copy``.
        UsageError, IntegrityError, BackendError: as ``pipeline.export.send`` says.
    """
    if request.store is None:
        return
    there = open_cipherset(result.target, signer=owner.workspace.fingerprint)
    note_copy(owner, result.manifest.cipherset_id, str(request.store))
    owner.progress.start("send", None)
    send(there, result.target, request.store, overwrite=request.overwrite)
    owner.progress.finish()


def note_copy(owner: Owner, cipherset_id: str, place: str) -> None:
    """Seal that the export goes to ``place`` too, so that ``forget`` names it.

    Raises:
        PolicyError: ``export_meanwhile``: rows were taken out of it since it was made.
    """
    folder = owner.workspace.exports / cipherset_id
    with changing(owner.workspace.home):
        if state.was_forgotten(folder):
            raise PolicyError(
                "rows were taken out of this export (cipherset forget) before it went there",
                code="export_meanwhile",
                hint="take them out of the source, and run the same command again",
            )
        state.add_copy(folder, place, owner.sealer)
