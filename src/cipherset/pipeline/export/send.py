"""A cipherset from a directory into an object store: whole, or nothing there that opens.

The signed manifest, without which the rest is no cipherset, is written last, when every part was
read back and is what was signed. A run that was killed leaves parts; the next one removes them.
"""

import re
from pathlib import Path
from typing import Final

from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import BackendError, IntegrityError, UsageError
from cipherset.core.files import target_exists
from cipherset.core.objects import ObjectFolder
from cipherset.pipeline.export.files import Files, opened
from cipherset.pipeline.export.read import MANIFEST_BYTES, Cipherset
from cipherset.pipeline.export.write import MANIFEST

_PART: Final = re.compile(r"(train|test)/part-\d{5,}\.parquet")


def check_free(folder: ObjectFolder, *, overwrite: bool) -> None:
    """Refuse a prefix that holds a cipherset, unless it may be overwritten, or anything else.

    Raises:
        UsageError: ``target_exists``; ``target_not_ours``.
        BackendError: ``object_store``.
    """
    names = folder.names()
    foreign = sorted(name for name in names if name != MANIFEST and not _PART.fullmatch(name))
    if foreign:
        raise UsageError(
            f"{folder} holds what is part of no cipherset, such as {foreign[0]!r}",
            code="target_not_ours",
            hint="choose a prefix of its own with --to",
        )
    if MANIFEST in names and not overwrite:
        raise target_exists(folder)


def send(there: Cipherset, path: Path, folder: ObjectFolder, *, overwrite: bool) -> None:
    """``folder`` holds the cipherset ``there``, which was opened at ``path``.

    Leaks: to whoever reads the store, what whoever reads the directory has.

    Raises:
        UsageError: ``target_exists``; ``target_not_ours``.
        IntegrityError: ``digest``: the directory has changed since.
        BackendError: ``object_store``: it takes nothing, or gives back something else.
    """
    check_free(folder, overwrite=overwrite)
    # The manifest first: from then on nothing opens until its own is there.
    for name in sorted(folder.names(), key=lambda name: name != MANIFEST):
        folder.remove(name)
    splits = there.manifest.splits
    parts = (*splits.train.files, *splits.test.files)
    with opened(path) as place:
        for part in parts:
            _copy(place, folder, part.path, part.sha256, most_bytes=part.bytes)
        if folder.names() != {part.path for part in parts}:
            raise _changed(folder)
        _copy(place, folder, MANIFEST, there.manifest_digest, most_bytes=MANIFEST_BYTES)


def _copy(place: Files, folder: ObjectFolder, name: str, digest: str, *, most_bytes: int) -> None:
    raw = place.read(name, most_bytes=most_bytes)
    if digest_bytes(raw) != digest:
        raise IntegrityError(
            f"{name} is not the file that was signed",
            code="digest",
            hint="run the same command again, and leave the directory alone until it is done",
        )
    folder.write(name, raw)
    if folder.read(name, most_bytes=most_bytes + 1) != raw:
        raise _changed(folder)


def _changed(folder: ObjectFolder) -> BackendError:
    return BackendError(
        f"what is at {folder} is not what was sent there: another run, or the store, changed it",
        code="object_store",
        hint="see that nothing else writes there, and run the same command again",
    )
