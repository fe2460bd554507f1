"""``backup``: the ledger as of one moment, and every file that it speaks of.

Order rules, for a workspace that others work in meanwhile:

1. The ledger first, as of one moment. What it says is in place was put there before, so the files
   that are copied after have it. They may have more, such as an export that was made since: a file
   without its event is known of and measured with; an event without its file is a loss.
2. What a key opens before the keys, and the keys before what wraps them, for the same reason.
3. The end that the copy remembers is that of its own ledger, never a later one of the original's.

What was taken away meanwhile, such as a destroyed key, may be missing from the copy too. What
begins with a dot (locks, what is being written) is not copied; of a link in the workspace itself,
what it leads to is, and no other is followed. The copy is as secret as the
original: what wraps the keys is in it, unless that is kept elsewhere.
"""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.app.gate import Action
from cipherset.app.workspace import Session, heads_of, open_workspace
from cipherset.core.errors import UsageError
from cipherset.core.files import disk_errors, replace_directory, stage_directory, target_exists
from cipherset.custody.ledger import Ledger, copy_ledger

LEDGER: Final = "ledger.sqlite"
# Before everything else, as the second rule has it.
_FIRST: Final = ("exports", "minimizers")
_KEYS: Final = "keys"
_APART: Final = frozenset({LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", "head.json", "_head.json"})


@dataclass(frozen=True, slots=True)
class Backup:
    """What was copied: how many files and bytes, and the last event of the ledger in it."""

    backup: str
    files: int
    size_bytes: int
    events: int

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return asdict(self)


def back_up(session: Session, target: Path) -> Backup:
    """``target`` is a workspace as this one was when it began, and its ledger holds.

    Raises:
        UsageError: ``target_exists``; ``target_parent``; ``backup_inside``: it is in the workspace;
            ``backup_ledger``: the ledger is kept by a server, which is to be backed up there.
        PolicyError: ``not_allowed``.
        IntegrityError: ``ledger_broken``: nothing is kept then.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``; ``ledger_unreadable``.
    """
    _check(session, target)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.BACKUP, str(target), {}) as act,
        stage_directory(target) as staged,
    ):
        copy_ledger(workspace.home / LEDGER, staged / LEDGER)
        copied = [
            size
            for entry in _entries(workspace.home)
            for size in _copied(entry, staged / entry.name)
        ]
        events = _remembered(staged)
        act.facts.update({"files": len(copied), "events": events})
        replace_directory(staged, target, overwrite=False)
    return Backup(str(target), len(copied), sum(copied), events)


def _check(session: Session, target: Path) -> None:
    if session.ledger is not None:
        raise UsageError(
            "this workspace's ledger is kept by a server, and is not in its folder",
            code="backup_ledger",
            hint="end the gateways, copy the folder, and dump the database as its manual says",
        )
    if target.exists() or target.is_symlink():
        raise target_exists(target)
    if not target.parent.is_dir():
        raise UsageError(
            f"the folder {target.parent} does not exist",
            code="target_parent",
            hint=f"create it first: mkdir -p {target.parent}",
        )
    if session.home.resolve() in target.resolve().parents:
        raise UsageError(
            f"{target} is in the workspace that is to be copied",
            code="backup_inside",
            hint="choose a place elsewhere, best on another disk",
        )


def _entries(home: Path) -> list[Path]:
    """What is in the workspace, in the order in which it is to be copied."""
    with disk_errors(home):
        found = sorted(path for path in home.iterdir() if not _is_left(path.name))
    return sorted(found, key=_place)


def _place(path: Path) -> int:
    """Folders, the keys, single files: what wraps keys is a file."""
    if path.name in _FIRST:
        return 0
    return 2 if path.name == _KEYS else 1 if path.is_dir() else 3


def _is_left(name: str) -> bool:
    return name.startswith(".") or name in _APART


def _copied(source: Path, target: Path) -> Iterator[int]:
    """The size of each file below ``source`` that was copied; what has gone meanwhile is left."""
    with disk_errors(source):
        if source.is_dir():
            yield from _copied_folder(source, target)
        elif source.is_file():
            try:
                shutil.copy2(source, target)
            except FileNotFoundError:
                return
            yield target.stat().st_size


def _copied_folder(source: Path, target: Path) -> Iterator[int]:
    target.mkdir(mode=0o700)
    for entry in sorted(source.iterdir()):
        if not (_is_left(entry.name) or entry.is_symlink()):
            yield from _copied(entry, target / entry.name)


def _remembered(home: Path) -> int:
    """The number of the copy's last event, once its ledger holds and its end is remembered."""
    (home / "keys").mkdir(mode=0o700, exist_ok=True)
    with Ledger(f"sqlite:///{home / LEDGER}", heads=heads_of(home)) as ledger:
        size = ledger.checkpoint().size
        ledger.accept_head()
    return size
