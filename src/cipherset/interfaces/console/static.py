"""What pages are drawn with: a style sheet and a few scripts, from here and from nowhere else.

Their address has the digest of them all, so that a browser may keep them for ever, and one that
kept those of another version asks anew. They hold nothing of any workspace.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from cipherset.core.errors import UsageError

STATIC: Final = "/console/static"
_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes, and what they are."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Files:
    """All of them, by name; ``digest`` is of them all."""

    found: Mapping[str, File]
    digest: str

    def address(self, name: str) -> str:
        """Where a page finds one."""
        if name not in self.found:
            raise file_unknown()
        return f"{STATIC}/{self.digest}/{name}"

    def one(self, digest: str, name: str) -> File:
        """One of them, of this version.

        Raises:
            UsageError: ``static_unknown``.
        """
        if digest != self.digest or name not in self.found:
            raise file_unknown()
        return self.found[name]


@cache
def static_files() -> Files:
    """Read once."""
    found = {}
    total = hashlib.sha256()
    for entry in sorted(files(__package__).joinpath("static").iterdir(), key=lambda e: e.name):
        ending = entry.name.rpartition(".")[2]
        if ending not in _TYPES:
            continue
        content = entry.read_bytes()
        found[entry.name] = File(content, _TYPES[ending])
        total.update(f"{entry.name}\0{len(content)}\0".encode() + content)
    return Files(found, total.hexdigest()[:_DIGITS])


def file_unknown() -> UsageError:
    """The refusal of a file that is not there."""
    return UsageError("there is no such file", code="static_unknown", hint="load the page again")
