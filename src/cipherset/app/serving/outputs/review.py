"""Replies that a person is to look at: sealed at home, listed by id, looked at and settled once.

    reviews/<id>    sealed: the reply as the model wrote it, and where what was found stands

Who asked gets the reply up to where it was held, and nothing of this.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from cipherset.app.gate import Act, Action
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import UsageError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.keys import review_sealer
from cipherset.guard.outputs import Verdict

FOLDER: Final = "reviews"
_REVIEW: Final = "review"
_ID: Final = re.compile(r"[0-9a-f]{32}")


class Settled(StrEnum):
    """What the reviewer said."""

    HARMLESS = "harmless"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True)
class HeldReply:
    """A reply that waits, and where what was found in it begins and ends, and its name."""

    id: str
    text: str = field(repr=False)
    found: tuple[tuple[int, int, str], ...] = ()


def hold_reply(workspace: Workspace, act: Act, text: str, verdict: Verdict) -> str:
    """Keep ``text`` for review, within the act that made it; the id, which its event names too.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``: then the act fails too.
    """
    review_id = secrets.token_hex(16)
    found = [[one.start, one.end, one.name] for one in verdict.findings]
    raw = canonical.encode({"found": found, "text": text.encode("utf-8", "replace").decode()})
    sealed = review_sealer(workspace.ring.signer()).seal(raw, context=_context(review_id))
    path = workspace.home / FOLDER / review_id
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True, mode=0o700)
    write_atomic(path, sealed)
    before = act.facts.get(_REVIEW)
    act.facts[_REVIEW] = review_id if before is None else f"{before},{review_id}"
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
        IntegrityError: ``unseal``: it was changed.
        BackendError: it cannot be read.
    """
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.REVIEW, review_id, {}),
    ):
        path = _path(workspace, review_id)
        with disk_errors(path):
            sealed = path.read_bytes()
        sealer = review_sealer(workspace.ring.signer())
        raw = sealer.unseal(sealed, context=_context(review_id))
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
        path = _path(workspace, review_id)
        with disk_errors(path):
            path.unlink()


def _path(workspace: Workspace, review_id: str) -> Path:
    path = workspace.home / FOLDER / review_id
    if not _ID.fullmatch(review_id) or not path.is_file():
        raise UsageError(
            "no reply of that id waits for review",
            code="review_unknown",
            hint="list those that wait first",
        )
    return path


def _context(review_id: str) -> str:
    return f"review/{review_id}"
