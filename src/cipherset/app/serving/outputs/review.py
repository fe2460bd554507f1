"""Replies that a person is to look at: sealed at home, listed by id, looked at and settled once.

    reviews/<id>/reply    sealed: the reply as the model wrote it, and where what was found stands
    reviews/<id>/key      in the clear: id and version of the key that opens it

Who asked gets the reply up to where it was held, and nothing of this.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.app.gate import Act, Action
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.files import discard_directory, disk_errors, replace_directory, stage_directory
from cipherset.core.files import write_atomic as write
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.guard.outputs import Verdict

FOLDER: Final = "reviews"
_REPLY, _KEY = "reply", "key"
_STAGED: Final = "held"  # what a killed run left under this name goes with the next one held
_ID: Final = re.compile(r"[0-9a-f]{32}")


class Settled(StrEnum):
    """What the reviewer said."""

    HARMLESS = "harmless"
    HARMFUL = "harmful"


class _Key(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    key_id: str
    key_version: int


@dataclass(frozen=True, slots=True)
class HeldReply:
    """A reply that waits, and where what was found in it begins and ends, and its name."""

    id: str
    text: str = field(repr=False)
    found: tuple[tuple[int, int, str], ...] = ()


def hold_reply(workspace: Workspace, act: Act, key: str, text: str, verdict: Verdict) -> str:
    """Keep ``text`` for review, within the act that made it; the id, which its event names too.

    Raises:
        KeyAccessError: there is no such key, or it is not active.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``: then the act fails too.
    """
    handle = workspace.ring.open(key, purpose=KeyUse.EXPORT)
    review_id = secrets.token_hex(16)
    found = [[one.start, one.end, one.name] for one in verdict.findings]
    raw = canonical.encode({"found": found, "text": text.encode("utf-8", "replace").decode()})
    sealed = AesGcmSealer.from_key(handle).seal(raw, context=_context(review_id))
    folder = workspace.home / FOLDER / review_id
    with disk_errors(folder):
        folder.parent.mkdir(exist_ok=True, mode=0o700)
    with stage_directory(folder.parent / _STAGED) as staged:
        write(staged / _REPLY, sealed)
        opens = _Key(key_id=handle.key_id, key_version=handle.version)
        write(staged / _KEY, canonical.encode(opens.model_dump()))
        replace_directory(staged, folder, overwrite=False)
    act.facts["review"] = review_id
    return review_id


def waiting(session: Session) -> Sequence[str]:
    """The ids of the replies that wait.

    Raises:
        PolicyError: ``not_allowed``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.REVIEW, FOLDER, {}),
    ):
        root = workspace.home / FOLDER
        there = root.iterdir() if root.is_dir() else ()
        return sorted(path.name for path in there if _ID.fullmatch(path.name))


def open_reply(session: Session, review_id: str) -> HeldReply:
    """A reply that waits, for its reviewer's eyes.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``review_unknown``.
        IntegrityError, KeyAccessError: it was changed, or its key is not here.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.REVIEW, review_id, {}),
    ):
        folder = _folder(workspace, review_id)
        try:
            opens = _Key.model_validate_json((folder / _KEY).read_bytes())
            sealed = (folder / _REPLY).read_bytes()
        except (FileNotFoundError, ValidationError):
            raise IntegrityError(
                f"a sealed part is missing or was changed in {folder}",
                code="sealed_missing",
                hint="restore the workspace from a backup",
            ) from None
        key = workspace.ring.open(opens.key_id, opens.key_version, purpose=KeyUse.QUERY)
        raw = AesGcmSealer.from_key(key).unseal(sealed, context=_context(review_id))
        kept = canonical.decode(raw, what="the held reply")
    found = tuple((start, end, name) for start, end, name in kept["found"])
    return HeldReply(review_id, kept["text"], found)


def settle(session: Session, review_id: str, settled: Settled) -> None:
    """Write down what the reviewer said, and remove the reply.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``review_unknown``.
        BackendError: ``no_permission`` or ``disk``.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.REVIEW, review_id, {"settled": settled.value}),
    ):
        folder = _folder(workspace, review_id)
        discard_directory(folder, staged_as=folder.parent / _STAGED)


def _folder(workspace: Workspace, review_id: str) -> Path:
    folder = workspace.home / FOLDER / review_id
    if not _ID.fullmatch(review_id) or not folder.is_dir():
        raise UsageError(
            "no reply of that id waits for review",
            code="review_unknown",
            hint="list those that wait first",
        )
    return folder


def _context(review_id: str) -> str:
    return f"review/{review_id}"
