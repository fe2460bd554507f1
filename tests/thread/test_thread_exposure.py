"""How often a row may leave: it is known again in a file that was changed."""

import pytest
from thread_samples import QUICK, Owner, cipherset, vector_rows, write_rows

from cipherset.custody.policy import BuiltIn, builtin

COLUMNS = ("--vector", "vec", "--label", "topic", "--key", "support")
RISK = ("--accept-risk", "a test")


@pytest.fixture
def owner(tmp_path):
    """Whose rows may leave twice, with an epsilon of 4 in all."""
    owner = Owner(tmp_path)
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (folder / name).write_text(text)
    limits = "\n[budgets]\nexports = 2\nepsilon = 4.0\n"
    (folder / "limits.toml").write_text(builtin.limits(BuiltIn.SOLO) + limits)
    owner.key("support")
    owner.ok("policy", "activate", folder)
    return owner


def export(owner, name, rows, *options):
    source = write_rows(owner.folder / f"{name}.parquet", rows)
    target = owner.folder / f"{name}.cipherset"
    return owner.run("protect", source, *COLUMNS, "--to", target, *RISK, *(options or QUICK))


def test_a_changed_file_is_no_new_source_for_its_rows(owner):
    rows = vector_rows(360)
    assert export(owner, "one", rows[:300]).code == 0
    assert export(owner, "two", rows[50:350]).code == 0
    refused = export(owner, "three", rows[40:340])
    assert (refused.code, refused.error["code"]) == (3, "budget")
    assert "250 of these rows" in refused.error["message"]
    assert not (owner.folder / "three.cipherset").exists()
    assert export(owner, "four", rows[:50] + rows[300:]).code == 0
    assert owner.ok("audit", "verify")["valid"]


def test_epsilon_is_summed_for_each_row(owner):
    rows = vector_rows(360)
    noise = ("--minimize", "lda:2", "--noise", "gaussian:3,1e-6")
    assert export(owner, "one", rows[:300], *noise).code == 0
    text = cipherset("view", "exposure", "--home", owner.home).out
    assert "epsilon: 3 of 4 used, 1 left" in text
    refused = export(owner, "two", rows[200:], *noise)
    assert (refused.code, refused.error["code"]) == (3, "budget")
    assert "100 of these rows have not enough epsilon" in refused.error["message"]
    assert "of one is 3 of 4, and 3 were asked for" in refused.error["message"]
