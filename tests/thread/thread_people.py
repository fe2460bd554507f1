"""An owner whose rows belong to people: exported with and without the column that says to whom."""

import shutil
from dataclasses import dataclass

import pytest
from thread_samples import QUICK, Owner, opened, vector_rows, write_rows

from cipherset.app.erasure.sealed import open_exports
from cipherset.app.workspace import Session
from cipherset.interfaces.cli.output import TerminalProgress

WHO = "customer-zyxw-qrst"
COLUMNS = ("--vector", "vec", "--label", "topic", "--key", "support")
RISK = ("--accept-risk", "a test")


@dataclass(frozen=True)
class Held:
    """One export with the column sealed, another of the same rows without, and a model."""

    owner: Owner

    @property
    def grouped(self):
        return self.owner.folder / "grouped.cipherset"

    @property
    def plain(self):
        return self.owner.folder / "plain.cipherset"

    @property
    def bundle(self):
        return self.owner.folder / "router.bundle"

    @property
    def source(self):
        return self.owner.folder / "rows.parquet"

    def exports(self):
        """The sealed rows of every export, as its owner may see them."""
        session = Session(self.owner.home, "ada", self.owner.folder, TerminalProgress())
        with opened(session) as workspace:
            return {
                export.meta.cipherset_id: (
                    [row for table in export.rows.chunks() for row in table.to_pylist()],
                    [row for table in export.vectors.chunks() for row in table.to_pylist()],
                )
                for export in open_exports(workspace).exports
            }


@pytest.fixture(scope="session")
def held_once(tmp_path_factory):
    owner = Owner(tmp_path_factory.mktemp("held"))
    owner.key("support")
    owner.key("second")
    rows = vector_rows(300)
    for i in (3, 77, 200, 201):
        rows[i]["thread"] = WHO
    source = write_rows(owner.folder / "rows.parquet", rows)
    held = Held(owner)
    owner.ok("protect", source, *COLUMNS, "--group", "thread", "--to", held.grouped, *QUICK)
    again = ("--vector", "vec", "--label", "topic", "--key", "second")
    owner.ok("protect", source, *again, "--to", held.plain, *QUICK, *RISK)
    owner.ok("train", held.grouped, "--to", held.bundle)
    owner.ok("deploy", held.bundle)
    return held


@pytest.fixture
def held(held_once, tmp_path):
    shutil.copytree(held_once.owner.folder, tmp_path / "held")
    return Held(Owner(tmp_path / "held"))
