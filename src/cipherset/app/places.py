"""Where results go: checked before any work is done."""

from pathlib import Path
from typing import Final

from cipherset.core.errors import UsageError

_OURS: Final = ("manifest.json", "bundle.json")


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that is there, unless it is ours and may be overwritten.

    Raises:
        UsageError: ``target_exists``; ``target_not_ours``, overwriting would remove something
            that was not written by cipherset; ``target_parent``, no such folder.
    """
    if not target.parent.is_dir():
        raise UsageError(
            f"the folder {target.parent} does not exist",
            code="target_parent",
            hint=f"create it first: mkdir -p {target.parent}",
        )
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise UsageError(
            f"{target} is there already",
            code="target_exists",
            hint="choose another place with --to, or overwrite it with --force",
        )
    if not any((target / name).is_file() for name in _OURS):
        raise UsageError(
            f"{target} was not written by cipherset, so it is not overwritten",
            code="target_not_ours",
            hint="choose another place with --to",
        )
