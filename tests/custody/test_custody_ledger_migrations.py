"""A ledger grows with the versions: what an older one wrote goes on, a newer one's is refused."""

import subprocess
import sys

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from custody_ledgers import fill, ticking
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from cipherset.core.errors import BackendError, IntegrityError
from cipherset.custody.ledger import Debit, Verification, debit, migrate
from cipherset.custody.ledger.tables import METADATA

LATER = ("credentials", "principals", "votes", "grants", "policies", "budgets", "alembic_version")
ASSET = "sha256:" + "a" * 64


def shape(ledger):
    with ledger._engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_make_the_tables_of_today(ledger):
    with ledger._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_latest_step_is_the_one_that_is_looked_for():
    config = Config()
    config.set_main_option("script_location", "cipherset.custody.ledger:migrations")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [migrate.LATEST]
    assert sorted(step.revision for step in script.walk_revisions()) == sorted(migrate._KNOWN)


@pytest.mark.parametrize("missing", [LATER, LATER[-1:]], ids=["released", "unnumbered"])
def test_an_older_ledger_goes_on(place, missing):
    with ticking(place) as ledger:
        fill(ledger)
        ledger.record_asset(ASSET, actor="ada", kind="dataset", name="tickets", attributes={})
        before = list(ledger.events())
    place.alter(*(f"DROP TABLE {name}" for name in missing))
    with place.open() as ledger:
        assert set(LATER) <= shape(ledger)
        assert list(ledger.events()) == before
        assert ledger.assets()[0].id == ASSET
        fill(ledger, 2)
        ledger.transact(lambda work: debit(work, [Debit("rows", "k", 1, 2)]))
        assert ledger.verify() == Verification(valid=True, events=9, first_bad=None)


def test_a_newer_ledger_is_refused_and_left_alone(place):
    with ticking(place) as ledger:
        fill(ledger)
    place.alter("UPDATE alembic_version SET version_num = '9'")
    with pytest.raises(IntegrityError) as caught:
        place.open()
    assert caught.value.code == "ledger_newer"
    place.alter(f"UPDATE alembic_version SET version_num = '{migrate.LATEST}'")
    with place.open() as ledger:
        assert ledger.verify().events == 6


MAKE = """
import sys
from cipherset.custody.ledger import Ledger, Outcome
with Ledger(sys.argv[1], password=sys.argv[2]) as ledger:
    ledger.append(actor="a", action="b", subject="c", outcome=Outcome.DONE)
"""


AT_ONCE = """
import os
import alembic.command  # once, not in each
children = []
for _ in range(8):
    children.append(os.fork())
    if children[-1] == 0:
        break
if children[-1]:
    sys.exit(max(os.waitpid(child, 0)[1] for child in children) and 1)
"""


@pytest.mark.soak
def test_processes_that_make_it_at_once_make_one(place):
    before, opened = MAKE.split("with ")
    script = f"{before}{AT_ONCE}\nwith {opened}"
    command = [sys.executable, "-c", script, place.url, place.password or ""]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    with place.open() as ledger:
        assert ledger.verify() == Verification(valid=True, events=8, first_bad=None)


def test_opening_it_again_needs_no_alembic(place):
    place.open().close()
    look = "import sys\n" + MAKE + "\nassert 'alembic' not in sys.modules"
    command = [sys.executable, "-c", look, place.url, place.password or ""]
    subprocess.run(command, check=True, timeout=600)


def test_half_a_step_is_none(place, monkeypatch):
    """A step that fails leaves the shape that was there."""
    with ticking(place) as ledger:
        fill(ledger)
    place.alter(*(f"DROP TABLE {name}" for name in LATER))
    create = op.create_table

    def until_budgets(name, *columns, **options):
        if name == "budgets":
            raise OperationalError("", {}, OSError("disk"))
        create(name, *columns, **options)

    with monkeypatch.context() as patch, pytest.raises(BackendError) as caught:
        patch.setattr(op, "create_table", until_budgets)
        place.open()
    assert caught.value.code == "ledger_unwritable"
    with place.open() as ledger:
        assert set(LATER) <= shape(ledger)
        fill(ledger, 1)
        assert ledger.verify().events == 7
