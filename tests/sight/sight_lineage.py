"""A workspace in which everything that can be verified was made once, and ways to alter it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sight_thread

from cipherset.app.assess.request import AssessRequest
from cipherset.app.assess.run import assess
from cipherset.app.audit.attest import checkpoint
from cipherset.app.index.build import build
from cipherset.app.index.request import BuildRequest, Columns
from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.sight.lineage.view import LineageRequest, LineageResult, view_lineage
from cipherset.app.workspace import Session

CANARY = "zyxwvu-4711"


@dataclass(frozen=True)
class Made:
    """What there is, by the names of ``FILES``."""

    owner: object
    finding: Path

    @property
    def session(self) -> Session:
        return self.owner.session

    @property
    def folder(self) -> Path:
        return self.owner.folder

    def look(self, asset: object = None, *paths: Path, **asked: bool) -> LineageResult:
        name = str(self.owner.cipherset if asset is None else asset)
        return view_lineage(self.session, LineageRequest(name, paths=paths, **asked))

    def verify(self, asset: object = None, *paths: Path):
        return self.look(asset, *paths, verify=True).verified

    def runs(self, kind: str) -> list[str]:
        return [each.step.id for each in self.look().lineage.runs if each.step.kind == kind]


def made(folder: Path) -> Made:
    owner = sight_thread.owner(folder)
    session = owner.session
    finding = assess(session, AssessRequest(owner.cipherset)).folder
    build(
        session,
        BuildRequest(
            str(owner.rows),
            "support",
            folder / "rows.index",
            Columns(vector="vec"),
            approximation_factor=4.0,
            accept_risk=CANARY,
        ),
    )
    lines = [{"body": f"{CANARY} wants parcel {i}", "topic": "t"} for i in range(30)]
    texts = folder / "texts.jsonl"
    texts.write_text("".join(json.dumps(each) + "\n" for each in lines))
    sanitize_file(session, SanitizeRequest(str(texts), ("body",), folder / "clean.jsonl"))
    checkpoint(session, folder / "friday.json", overwrite=False)
    return Made(owner, finding)


@contextmanager
def flipped(path: Path, place: float) -> Iterator[None]:
    """One bit of the byte at that share of the file is another, for a while."""
    before = path.read_bytes()
    raw = bytearray(before)
    raw[min(int(place * len(raw)), len(raw) - 1)] ^= 1
    path.write_bytes(bytes(raw))
    try:
        yield
    finally:
        path.write_bytes(before)


def edit(home: Path, statement: str, *values: object) -> None:
    """A change past the gate."""
    connection = sqlite3.connect(home / "ledger.sqlite")
    with connection:
        connection.execute(statement, values)
    connection.close()
