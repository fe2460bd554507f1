"""What logs showed, kept outside the ledger: it names principals, and so it can be removed.

sightings/ID/sightings    sealed under a key of the workspace's own: a DSSE envelope of the report,
                          signed by the workspace

The run in the ledger names the ID, and how many principals there were. Whoever removes the folder
takes their names out for good; nothing else holds them.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.workspace import Workspace
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign, verify
from cipherset.core.errors import IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.keys import sightings_sealer

FOLDER: Final = "sightings"
SCHEMA: Final = "cipherset/sightings/1"
SIGHTINGS_TYPE: Final = "application/vnd.cipherset.sightings.v1+json"
_FILE: Final = "sightings"
_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Sightings:
    """What one look showed: when (UTC, ISO 8601), and its findings as the command tells them."""

    id: str
    created: str
    findings: tuple[dict[str, Any], ...] = field(repr=False)
    look_alikes: tuple[dict[str, Any], ...] = ()


@contextmanager
def keeping(workspace: Workspace, created: str, told: dict[str, Any]) -> Iterator[str]:
    """Inside, the id of the sightings that are kept; they are gone again if the body fails.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    sightings_id = secrets.token_hex(16)
    folder = workspace.home / FOLDER / sightings_id
    signer = workspace.ring.signer()
    payload = {
        "schema": SCHEMA,
        "id": sightings_id,
        "created": created,
        "findings": told["findings"],
        "look_alikes": told["look_alikes"],
        "signer": {"public_key": public_key_of(signer)},
    }
    envelope = sign(canonical.encode(payload), SIGHTINGS_TYPE, signer)
    sealed = sightings_sealer(signer).seal(envelope, context=_context(sightings_id))
    with disk_errors(folder):
        folder.parent.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
    try:
        write_atomic(folder / _FILE, sealed)
        yield sightings_id
    except BaseException:
        (folder / _FILE).unlink(missing_ok=True)
        folder.rmdir()
        raise


def sightings(workspace: Workspace) -> list[Sightings]:
    """All that is kept, the oldest first; whoever asks has passed the gate.

    Raises:
        IntegrityError: ``unseal``, ``sightings_schema``: it was changed; or another's signature.
        BackendError: it cannot be read.
    """
    root = workspace.home / FOLDER
    with disk_errors(root):
        folders = sorted(root.iterdir()) if root.is_dir() else []
    found = [_read(workspace, path) for path in folders if _ID.fullmatch(path.name)]
    return sorted(found, key=lambda each: (each.created, each.id))


def _read(workspace: Workspace, folder: Path) -> Sightings:
    with disk_errors(folder):
        sealed = (folder / _FILE).read_bytes()
    sealer = sightings_sealer(workspace.ring.signer())
    raw = sealer.unseal(sealed, context=_context(folder.name))
    verified = verify(raw, SIGHTINGS_TYPE, expected_fingerprint=workspace.fingerprint)
    told = canonical.decode(verified.payload, what="the sightings")
    if told.get("schema") != SCHEMA or told.get("id") != folder.name:
        raise IntegrityError(
            f"{folder} does not hold sightings of this version",
            code="sightings_schema",
            hint="remove the folder, and look at the logs again",
        )
    return Sightings(
        folder.name, told["created"], tuple(told["findings"]), tuple(told["look_alikes"])
    )


def _context(sightings_id: str) -> str:
    return f"sightings/{sightings_id}"
