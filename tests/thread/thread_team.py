"""A workspace under ``team`` with one person of each role."""

import pytest
from thread_samples import QUICK, cipherset, vector_rows, write_rows

from cipherset.custody.ledger import Ledger

PEOPLE = {
    "ada": "data-owner",
    "amy": "data-owner",
    "kim": "key-custodian",
    "bob": "ingester",
    "rev": "reviewer",
    "ron": "reviewer",
    "sci": "scientist",
    "dora": "deployer",
    "eve": "auditor",
}
COLUMNS = ("--vector", "vec", "--label", "topic", "--key", "support")


class Team:
    """A workspace under ``team`` with one person of each role, and a source."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "workspace"
        self.source = write_rows(folder / "rows.parquet", vector_rows())
        self.target = folder / "rows.cipherset"
        self.ok("root", "init", "--policy", "team")
        for name, role in PEOPLE.items():
            self.ok("root", "principal", "add", name, "--role", role)
        self.ok("kim", "key", "create", "support")

    def run(self, who, *args):
        return cipherset(*args, "--home", self.home, "--as", who, "--json")

    def ok(self, who, *args):
        done = self.run(who, *args)
        assert done.code == 0, done.out + done.err
        return done.json

    def refused(self, who, *args):
        done = self.run(who, *args)
        assert done.code == 3, done.out
        return done.error

    def granted(self, who, action, *assets, by=("ada", "rev"), options=()):
        asked = self.ok(who, "grant", "request", action, *assets, "--for", "routing", *options)
        for voter in by:
            asked = self.ok(voter, "grant", "approve", asked["grant"])
        assert asked["status"] == "live"
        return asked["grant"]

    def protect(self, who="bob"):
        risk = ("--accept-risk", "a trial")
        return self.run(who, "protect", self.source, *COLUMNS, "--to", self.target, *QUICK, *risk)

    def granted_protect(self):
        risky = ("--accept-risk", "a trial")
        return self.granted("bob", "protect", self.source, "key:support", options=risky)

    def events(self):
        with Ledger(f"sqlite:///{self.home / 'ledger.sqlite'}") as ledger:
            assert ledger.verify().valid
            return list(ledger.events())


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)
