"""Which code did it: the digest of the sources that are installed."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

PACKAGE: Final = "cipherset"
# What decides what is done: modules, policies, rules; compiled noise is made of the sources.
_SOURCES: Final = (".py", ".cedar", ".toml", ".c")


@cache
def code_digest() -> str:
    """Of all of this package's sources, read once in a process."""
    return sources_digest((PACKAGE,), _SOURCES)


def sources_digest(packages: tuple[str, ...], endings: tuple[str, ...] = (".py",)) -> str:
    """Of the files with these endings below ``packages``: their names and their bytes."""
    digest = hashlib.sha256()
    for package in packages:
        for name, raw in sorted(_sources(files(package), package, endings)):
            digest.update(len(name).to_bytes(4, "big") + name.encode())
            digest.update(hashlib.sha256(raw).digest())
    return "sha256:" + digest.hexdigest()


def _sources(folder: Traversable, name: str, endings: tuple[str, ...]) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _sources(entry, f"{name}/{entry.name}", endings)
        elif entry.name.endswith(endings):
            found.append((f"{name}/{entry.name}", entry.read_bytes()))
    return found
