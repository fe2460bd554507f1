"""For each provider one key that shows whether the provider still opens what it wrapped.

A provider that has lost its own key would make a new one at the next wrapping, and hide the loss;
so it is asked first to open what it wrapped before. To look for that through all keys would make a
ring of n keys at n providers cost n * n reads. So ``keys/_providers`` holds a file for each
provider, named by the digest of its URI, with the name of a key.

Order rules: the note is written before the key's file is put in place. So no note means that
nothing was wrapped there; a note may name a key that is not there, or whose secret was destroyed,
and then all keys are looked through once. A ring without the folder is looked through when it is
first made; of processes that make it at once, one does.
"""

import hashlib
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.keys.stored import StoredKey, StoredVersion, read_key

FOLDER: Final = "_providers"
_HEX_DIGITS: Final = 32


class Proven:
    """The notes beside the keys in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folder = directory / FOLDER

    def of(self, uri: str) -> tuple[StoredKey, StoredVersion] | None:
        """A version that the provider ``uri`` has wrapped; None where it has wrapped none.

        Raises:
            KeyAccessError: ``key_corrupt``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        if not self._folder.is_dir():
            self._make()
        noted = self._noted(uri)
        if noted is None:
            return None
        path = self._directory / f"{noted}.json"
        found = _first(uri, [path] if path.exists() else ())
        if found is None and (found := _first(uri, key_paths(self._directory))) is not None:
            self.note(uri, found[0].name)
        return found

    def note(self, uri: str, name: str) -> None:
        """Before the file of the key ``name`` is put in place: ``uri`` has wrapped a version of it.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        write_atomic(_place(self._folder, uri), name.encode())

    def _noted(self, uri: str) -> str | None:
        path = _place(self._folder, uri)
        with disk_errors(path):
            return path.read_text(encoding="utf-8", errors="replace") if path.exists() else None

    def _make(self) -> None:
        found: dict[str, str] = {}
        for path in key_paths(self._directory):
            key = read_key(path)
            for version in key.versions:
                if version.wrapped is not None:
                    found.setdefault(version.provider, key.name)
        with disk_errors(self._folder):
            made = Path(mkdtemp(prefix=f".{FOLDER}-", dir=self._directory))
        for uri, name in found.items():
            write_atomic(_place(made, uri), name.encode())
        with suppress(OSError):  # another process was first
            made.rename(self._folder)
        shutil.rmtree(made, ignore_errors=True)

    def __repr__(self) -> str:
        return f"Proven({str(self._directory)!r})"


def key_paths(directory: Path, most: int | None = None) -> tuple[Path, ...]:
    """The files of all keys in the ring's ``directory``, by name; what is not a key begins with _.

    Where there are more than ``most``, so many that follow each other, from anywhere on.

    Raises:
        BackendError: the directory cannot be read.
    """
    with disk_errors(directory):
        found = tuple(sorted(directory.glob("[!._]*.json")))
    if most is None or len(found) <= most:
        return found
    return found[(first := secrets.randbelow(len(found) - most + 1)) : first + most]


def _place(folder: Path, uri: str) -> Path:
    return folder / hashlib.sha256(uri.encode()).hexdigest()[:_HEX_DIGITS]


def _first(uri: str, paths: Iterable[Path]) -> tuple[StoredKey, StoredVersion] | None:
    return next(
        (
            (key, version)
            for key in map(read_key, paths)
            for version in key.versions
            if version.provider == uri and version.wrapped is not None
        ),
        None,
    )
