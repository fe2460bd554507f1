"""The agent: the sources of the scan, as they are, in one file that Python runs.

A zip archive with a first line for the shell. The same sources make the same bytes, so a host's
agent can be told by its digest.
"""

import io
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_SHEBANG: Final = b"#!/usr/bin/env python3\n"
# Packages that the scan lies in, of which it needs nothing; their own sources would load more.
_EMPTY: Final = ("cipherset", "cipherset/core", "cipherset/evidence")
_FILES: Final = ("cipherset/core/errors.py", "cipherset/evidence/discover/__init__.py")
_FOLDERS: Final = (
    "cipherset/core/process",
    "cipherset/evidence/discover/code",
    "cipherset/evidence/discover/agent",
)
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
# In words that an old Python reads, too.
_MAIN: Final = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("this agent needs Python 3.11 or newer; this is " + sys.version.split()[0])
from cipherset.evidence.discover.agent.program import main

sys.exit(main(sys.argv[1:]))
"""


def agent_bytes() -> bytes:
    """The agent, to be written to a file and run: ``python3 agent.pyz PATH…``."""
    written = io.BytesIO(_SHEBANG)
    written.seek(0, io.SEEK_END)
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for package in _EMPTY:
            _add(archive, f"{package}/__init__.py", b"")
        for name in _FILES:
            _add(archive, name, _source(name).read_bytes())
        for folder in _FOLDERS:
            for name, source in _sources(_source(folder), folder):
                _add(archive, name, source.read_bytes())
    return written.getvalue()


def _source(name: str) -> Traversable:
    return files("cipherset").joinpath(*name.split("/")[1:])


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        inner = f"{name}/{one.name}"
        if one.is_dir():
            yield from _sources(one, inner)
        elif one.name.endswith((".py", ".toml")):
            yield inner, one


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    facts = zipfile.ZipInfo(name, _LONG_AGO)
    facts.compress_type = zipfile.ZIP_DEFLATED
    facts.external_attr = 0o644 << 16
    archive.writestr(facts, content)
