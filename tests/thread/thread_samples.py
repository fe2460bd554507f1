"""Run the command line in this process, and small sources to run it on."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cipherset.app.gate import Action
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.custody.ledger import Event, Ledger
from cipherset.interfaces.cli.main import main

Row = dict[str, Any]
# Settings that pass on a few hundred rows, and quickly; noise chosen so that little is given away.
QUICK = ("--minimize", "lda:2", "--approximation-factor", "5", "--max-reid", "0.4")


@dataclass(frozen=True)
class Done:
    """How a command ended; ``json`` is its one object on stdout."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        found = self.json
        assert set(found) == {"error"}
        assert set(found["error"]) == {"code", "message", "hint"}
        return found["error"]


def cipherset(*args: object) -> Done:
    """What ``cipherset ARGS`` does; an exception that is not ours would leave through here."""
    out, err = io.StringIO(), io.StringIO()
    argv, hook = sys.argv, sys.excepthook
    sys.argv = ["cipherset", *map(str, args)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
        code = 0
    except SystemExit as end:
        code = 0 if end.code is None else int(end.code)
    finally:
        sys.argv, sys.excepthook = argv, hook
    return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def opened(session: Session) -> Iterator[Workspace]:
    """The workspace with an act under way, without which no key opens."""
    with open_workspace(session) as workspace, workspace.gate.act(Action.AUDIT, "a test", {}):
        yield workspace


@dataclass(frozen=True)
class Owner:
    """An owner's folder: sources, a workspace with a key per purpose, and what was made."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "workspace"

    def run(self, *args: object) -> Done:
        return cipherset(*args, "--home", self.home, "--json")

    def ok(self, *args: object) -> Any:
        """The JSON of a command that ends well."""
        done = self.run(*args)
        assert done.code == 0, done.out + done.err
        return done.json

    def key(self, name: str) -> str:
        """A key of that name, its id."""
        return self.ok("key", "create", name)["key_id"]

    def events(self, action: str | None = None) -> list[Event]:
        with Ledger(f"sqlite:///{self.home / 'ledger.sqlite'}") as ledger:
            return [e for e in ledger.events() if action is None or e.action == action]

    def exports(self) -> dict[str, bytes]:
        """Every file of the workspace's sealed parts."""
        return bytes_below(self.home / "exports") | bytes_below(self.home / "minimizers")


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder.parent)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_pictures(page: str) -> str:
    """A page but for the letters of its pictures, among which any short word may stand."""
    return re.sub("base64,[A-Za-z0-9+/=]+", "", page)


def leftovers(folder: Path) -> list[str]:
    """Whatever a run that was stopped forgot to take away, at any depth."""
    return [
        str(path) for path in folder.rglob(".*") if "partial" in path.name or "moved" in path.name
    ]


def vector_rows(
    n: int = 400, *, dim: int = 8, classes: int = 3, spread: float = 0.5, seed: int = 0
) -> list[Row]:
    """Unit vectors around one center per class; the same centers whatever the seed."""
    centers = np.random.default_rng(99).normal(size=(classes, dim))
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    x = centers[labels] + spread * rng.normal(size=(n, dim))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return [
        {
            "vec": x[i].tolist(),
            "topic": f"topic-{labels[i]}",
            "thread": f"thread-{i // 5}",
            "region": ("north", "south")[i % 2],
            "price": float(2 * x[i, 0] - x[i, 1] + 0.05 * rng.normal()),
        }
        for i in range(n)
    ]


def text_rows(n: int = 120, *, seed: int = 0) -> list[Row]:
    """Short texts of two topics, made of templates."""
    rng = np.random.default_rng(seed)
    templates = {
        "parcel": ("my parcel to {} is {} days late", "where is the box you sent to {}, {} days?"),
        "refund": ("please refund {} euros for order {}", "I want {} dollars back, invoice {}"),
    }
    rows = []
    for i in range(n):
        topic = ("parcel", "refund")[i % 2]
        text = templates[topic][int(rng.integers(2))]
        rows.append({"body": text.format(rng.integers(5, 90), rng.integers(2, 60)), "topic": topic})
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """The rows in the format that the path's ending names."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(rows[0])
            for row in rows:
                writer.writerow(json.dumps(v) if isinstance(v, list) else v for v in row.values())
    return path
