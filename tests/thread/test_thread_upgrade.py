"""A whole workspace as an earlier version left it goes on with this one."""

import json
import sqlite3
from contextlib import closing

import pytest

from cipherset.custody.ledger import migrate

# What each step of the ledger's shape brought, and what its number was before.
BROUGHT = {
    "4": ("DROP TABLE credentials",),
    "3": (
        "DROP TABLE row_uses",
        "ALTER TABLE principals DROP COLUMN past_keys",
    ),
    "2": (
        *(f"DROP TABLE {name}" for name in ("votes", "grants", "policies", "budgets")),
        "DROP TABLE principals",
        *(f"DROP INDEX {name}" for name in ("events_about", "runs_of")),
    ),
}


def left_by(home, number):
    """Take back what came after step ``number``, in the ledger and beside it."""
    with closing(sqlite3.connect(home / "ledger.sqlite")) as ledger:
        for step in sorted(BROUGHT, reverse=True):
            if step > number:
                for statement in BROUGHT[step]:
                    ledger.execute(statement)
        ledger.execute("UPDATE alembic_version SET version_num = ?", (number,))
        ledger.commit()
    for path in (home / "keys" / "_providers").iterdir():
        path.unlink()
    (home / "keys" / "_providers").rmdir()
    (home / "keys" / "_head.json").unlink(missing_ok=True)


def test_every_step_is_tried():
    assert set(BROUGHT) | {"1"} == set(migrate._KNOWN)


@pytest.mark.parametrize(
    "number", ["1", *(pytest.param(number, marks=pytest.mark.soak) for number in "234")]
)
def test_a_workspace_of_an_earlier_step_goes_on(changed, number):
    owner = changed.owner
    before = owner.events()
    left_by(owner.home, number)
    assert owner.ok("audit", "verify")["valid"]
    assert owner.events()[: len(before)] == before
    assert [key["name"] for key in owner.ok("key", "list")["keys"]] == ["support"]
    told = owner.ok("predict", changed.bundle, changed.source)["predictions"]
    assert len(told) == 400
    rotated = owner.ok("key", "rotate", "support")
    assert (rotated["version"], len(rotated["plan"])) == (2, 1)
    assert owner.ok("inspect", changed.cipherset)["valid"]
    with closing(sqlite3.connect(owner.home / "ledger.sqlite")) as ledger:
        (found,) = ledger.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found == migrate.LATEST
    assert json.loads((owner.home / "head.json").read_bytes())["seq"] > len(before)
