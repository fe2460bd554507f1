"""Two tenants, each with a workspace of its own, protect the same rows as the defaults have it."""

import numpy as np
import pytest
from thread_samples import Owner, opened, vector_rows, write_rows

import cipherset
from cipherset.app.erasure.sealed import open_exports
from cipherset.app.workspace import Session
from cipherset.evidence.attack.linkage.tenants import link_tenants
from cipherset.interfaces.cli.output import TerminalProgress

COLUMNS = ("--vector", "vec", "--label", "topic", "--key", "support")


def source_rows(owner):
    """The source row of each row of the tenant's export, as only its owner may see."""
    session = Session(owner.home, "ada", owner.folder, TerminalProgress())
    with opened(session) as workspace:
        (export,) = open_exports(workspace).exports
        rows = [row for table in export.rows.chunks() for row in table.to_pylist()]
    return {row["row"]: row["source"] for row in rows}


def protected(folder, rows):
    """A tenant's encrypted training rows, their labels and the source row of each."""
    owner = Owner(folder)
    folder.mkdir()
    owner.key("support")
    source = write_rows(folder / "rows.parquet", rows)
    owner.ok("protect", source, *COLUMNS, "--to", folder / "out", "--seed", "7")
    table = cipherset.open(folder / "out").to_arrow("train")
    of = source_rows(owner)
    x = np.stack(table["vector"].to_pylist())
    return x, np.array(table["label"].to_pylist()), [of[row] for row in table["row"].to_pylist()]


@pytest.mark.attack
def test_what_the_defaults_let_leave_links_no_rows_of_two_tenants(tmp_path):
    rows = vector_rows(1200, dim=24, classes=4)
    (a, a_labels, mine), (b, b_labels, theirs) = (
        protected(tmp_path / name, rows) for name in ("one", "two")
    )
    assert sorted(mine) == sorted(theirs)  # the same rows, or linking them would be no surprise
    at = {source: place for place, source in enumerate(theirs)}
    codes = {label: code for code, label in enumerate(sorted(set(a_labels)))}
    found = link_tenants(
        a,
        b,
        truth=np.array([at[source] for source in mine]),
        first_groups=np.array([codes[label] for label in a_labels]),
        second_groups=np.array([codes[label] for label in b_labels]),
    )
    # The noise is not the test's to draw: five of its standard errors and more.
    assert found.chance < 0.006
    assert found.interval.value < found.chance + 0.015, found
