"""Files that an audit reads and writes: checkpoints and proofs."""

from pathlib import Path

from cipherset.core.errors import UsageError
from cipherset.core.files import create_atomic, disk_errors, write_atomic
from cipherset.custody.ledger import SignedCheckpoint, read_checkpoint


def read_signed(path: Path, signer: str | None) -> SignedCheckpoint:
    """The checkpoint in the file; ``signer`` is the fingerprint it must bear, None any.

    Raises:
        UsageError: ``file_missing``.
        IntegrityError: one byte differs from what was signed; another signer; no checkpoint.
        BackendError: ``no_permission`` or ``disk``.
    """
    return read_checkpoint(read(path), expected_fingerprint=signer)


def read(path: Path) -> bytes:
    """The bytes of the file.

    Raises:
        UsageError: ``file_missing``.
        BackendError: ``no_permission`` or ``disk``.
    """
    with disk_errors(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise UsageError(
                f"there is no file {path}",
                code="file_missing",
                hint="check its name",
            ) from None


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse a file that is there, unless it may be overwritten.

    Raises:
        UsageError: ``target_exists``; ``target_parent``.
    """
    if not path.parent.is_dir():
        raise UsageError(
            f"the folder {path.parent} does not exist",
            code="target_parent",
            hint=f"create it first: mkdir -p {path.parent}",
        )
    if path.exists() and not overwrite:
        raise _exists(path)


def put(path: Path, raw: bytes, *, overwrite: bool) -> None:
    """Write the file, whole or not at all.

    Raises:
        UsageError: ``target_exists``: it came to be meanwhile.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    if overwrite:
        write_atomic(path, raw)
    elif not create_atomic(path, raw):
        raise _exists(path)


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"{path} is there already",
        code="target_exists",
        hint="choose another place with --to, or overwrite it with --force",
    )
