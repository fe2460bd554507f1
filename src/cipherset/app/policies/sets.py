"""Where a set of policies comes from: a built-in name, or a folder of Cedar files and limits."""

from pathlib import Path
from typing import Final

from cipherset.core.errors import InputError, UsageError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.policy import BuiltIn, Policies, builtin, schema

LIMITS: Final = "limits.toml"


def read_texts(source: str) -> tuple[dict[str, str], str]:
    """The Cedar texts by file name, and the limits, of ``source``: ``solo``, ``team`` or a folder.

    Raises:
        InputError: ``policy_files``: no such folder, no ``*.cedar``, no ``limits.toml``, or a file
            that is not UTF-8.
        BackendError: a file cannot be read.
    """
    if source in set(BuiltIn):
        return builtin.texts(BuiltIn(source)), builtin.limits(BuiltIn(source))
    folder = Path(source)
    files = sorted(folder.glob("*.cedar"))
    if not files or not (folder / LIMITS).is_file():
        raise InputError(
            f"{folder} is no set of policies: expected *.cedar files and {LIMITS} in it",
            code="policy_files",
            hint="name solo or team, or begin your own set: cipherset policy show team --to DIR",
        )
    return {path.name: read_text(path) for path in files}, read_text(folder / LIMITS)


def read_set(source: str) -> Policies:
    """The set in ``source``, validated.

    Raises:
        InputError: as ``read_texts`` and ``Policies.load``.
    """
    return Policies.load(*read_texts(source))


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        InputError: ``policy_files``: not there, or not UTF-8.
        BackendError: it cannot be read.
    """
    if not path.is_file():
        raise InputError(
            f"{path} is no file", code="policy_files", hint="give the path of a file that is there"
        )
    try:
        with disk_errors(path):
            return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"{path} is not UTF-8", code="policy_files", hint="save it as UTF-8 text"
        ) from None


def schema_json() -> dict[str, str]:
    """Every name that a policy may use, as a Cedar schema, and its digest."""
    return {"digest": schema.DIGEST, "schema": schema.TEXT}


def write_set(source: str, target: Path) -> tuple[Path, ...]:
    """Write ``source`` into the folder ``target``, to be changed there.

    Raises:
        UsageError: ``target_exists``: one of its files is there.
        BackendError: it cannot be written.
    """
    texts, limits = read_texts(source)
    files = {target / name: text for name, text in {**texts, LIMITS: limits}.items()}
    for path in files:
        if path.exists():
            raise UsageError(
                f"{path} is there already", code="target_exists", hint="give another --to"
            )
    with disk_errors(target):
        target.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        write_atomic(path, text.encode(), mode=0o644)
    return tuple(files)
