"""Where results go: checked before any work is done."""

from enum import StrEnum
from pathlib import Path

from cipherset.core.errors import UsageError


class Made(StrEnum):
    """What a command makes, by the file that shows what a folder is."""

    CIPHERSET = "manifest.json"
    BUNDLE = "bundle.json"
    CALIBRATION = "calibration.json"
    ASSESSMENT = "assessment.json"
    INDEX = "index.json"
    REPORT = "signed.json"


def check_target(target: Path, made: Made, *, overwrite: bool) -> None:
    """Refuse a target that is there, unless it is of the same kind and may be overwritten.

    Raises:
        UsageError: ``target_exists``; ``target_not_ours``, overwriting would remove something
            that was not written by cipherset, or something else of ours; ``target_parent``, no
            such folder.
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
    if not (target / made).is_file():
        raise UsageError(
            f"{target} is no {made.name.lower()} that cipherset wrote, so it is not overwritten",
            code="target_not_ours",
            hint="choose another place with --to",
        )
