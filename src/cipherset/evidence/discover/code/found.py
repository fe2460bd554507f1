"""What a scan of files finds: where AI is used, and which files could not be read.

Names and places only. No value of a key, no text of a file and no argument of a command is kept.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

SCHEMA: Final = "cipherset/discovery/1"
MOST_TEXT: Final = 300  # characters of any one name or path in a report


class Kind(StrEnum):
    """What a find is; one word each, in the report and the inventory."""

    SDK = "sdk"  # the client library of a service, imported, called, required or installed
    LIBRARY = "library"  # what trains or runs models here
    AGENT = "agent"  # an agent framework, or the instructions of a coding agent
    MCP = "mcp"  # a server of the Model Context Protocol
    ENDPOINT = "endpoint"  # the address of a service that answers as a model
    KEY = "key"  # a credential of such a service, held or named
    MODEL = "model"  # a model that is named, loaded or cached
    MODEL_FILE = "model_file"  # the weights themselves, by their header
    SERVER = "server"  # a model server that is started here
    DATASET = "dataset"  # rows a model learns from
    PROMPT = "prompt"  # a text that tells a model what to be


class ReadFault(StrEnum):
    """Why a file was not read, wholly or in part."""

    NO_PERMISSION = "no permission"
    NOT_A_FILE = "not a regular file"
    GONE = "gone, or the disk failed"
    TOO_LARGE = "larger than the limit"
    NOT_PARSED = "not parsed; looked at by pattern"
    NOT_TEXT = "not text in an encoding that is known"
    BROKEN = "broken or cut short"
    COMPRESSED = "compressed in a way that is not read"
    ENCRYPTED = "encrypted"
    PASSED = "an archive in a folder: give it as a PATH to have it read"
    TOO_DEEP = "archives within archives, beyond the limit"
    TOO_MUCH = "beyond the limit of the archive"
    DEFECT = "the scanner failed on it"


@dataclass(frozen=True, slots=True)
class Found:
    """One use of AI in one file.

    ``path`` with ``kind`` and ``what`` is the same from scan to scan; ``line`` is the first of
    ``n_times`` places and may move (0: the file as a whole). ``how`` says by what it was seen,
    ``service`` whose it is. For a model file, ``digest`` is ``sha256:`` of its bytes, and
    ``bundle`` that of the ``bundle.json`` beside it, by which a workspace knows its own models.
    """

    kind: Kind
    what: str
    path: str
    line: int = 0
    how: str = ""
    service: str = ""
    digest: str = ""
    bundle: str = ""
    size_bytes: int = 0
    n_times: int = 1

    @property
    def where(self) -> str:
        """``path:line``, or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def as_json(self) -> dict[str, str]:
        """What the contract names: ``kind``, ``where`` and ``what``."""
        return {"kind": self.kind.value, "where": self.where, "what": self.what}

    def whole(self) -> dict[str, Any]:
        """Every field, as a report holds it."""
        return {name: getattr(self, name) for name in FIELDS}


FIELDS: Final = tuple(Found.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file that was passed over, and why."""

    path: str
    fault: ReadFault

    def whole(self) -> dict[str, str]:
        """Every field, as a report holds it."""
        return {"path": self.path, "fault": self.fault.value}


@dataclass(frozen=True, slots=True)
class Report:
    """What one scan of one host found.

    ``not_read`` holds the first ones; ``n_not_read`` counts all. ``catalog`` is the digest of the
    list of services that was looked for; times are UTC, RFC 3339.
    """

    roots: tuple[str, ...]
    findings: tuple[Found, ...]
    not_read: tuple[NotRead, ...] = ()
    n_not_read: int = 0
    n_files: int = 0
    host: str = ""
    started: str = ""
    finished: str = ""
    catalog: str = ""
    schema: str = field(default=SCHEMA)

    def as_json(self) -> dict[str, Any]:
        """The whole report; ``read_report`` takes it back."""
        return {
            "schema": self.schema,
            "host": self.host,
            "started": self.started,
            "finished": self.finished,
            "catalog": self.catalog,
            "roots": list(self.roots),
            "n_files": self.n_files,
            "findings": [found.whole() for found in self.findings],
            "not_read": [one.whole() for one in self.not_read],
            "n_not_read": self.n_not_read,
        }


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def shown(text: str, most: int = MOST_TEXT) -> str:
    """``text`` on one line, without what a terminal or a page would act on, cut at ``most``.

    Names of files are whatever someone wrote into an image, so they are shown, never trusted.
    """
    plain = _CONTROL.sub("�", text)
    if not plain.isascii():
        plain = "".join(
            "�" if unicodedata.category(letter) in {"Cf", "Cn", "Co"} else letter
            for letter in plain
        )
    return plain if len(plain) <= most else plain[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a reader saw in one place of the file it was given."""

    kind: Kind
    what: str
    line: int = 0
    how: str = ""
    service: str = ""
