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


def in_pairs(n):
    """So many rows, and beside each the pair that it is in."""
    rows = sorted(vector_rows(n), key=lambda row: row["topic"])
    return [row | {"pair": f"{row['topic']} {i // 2}", "one": i} for i, row in enumerate(rows)]


def test_pooling_makes_no_new_rows_for_the_cap(owner):
    """Whether each row is a pool of its own, or two of them make one."""
    rows = in_pairs(360)
    assert export(owner, "one", rows).code == 0
    assert export(owner, "two", rows, *QUICK, "--pool", "one").code == 0
    refused = export(owner, "three", rows[:300], *QUICK, "--pool", "pair")
    assert (refused.code, refused.error["code"]) == (3, "budget")
    assert "300 of these rows" in refused.error["message"]


def test_pooling_gives_no_epsilon_anew(owner):
    """Nor does a head that is trained on what was pooled."""
    rows = in_pairs(400)
    noise = ("--minimize", "lda:2", "--noise", "gaussian:2.5,1e-6")
    assert export(owner, "one", rows, *noise, "--pool", "pair").code == 0
    refused = export(owner, "two", rows[100:300], *noise)
    assert (refused.code, refused.error["code"]) == (3, "budget")
    assert "200 of these rows have not enough epsilon" in refused.error["message"]
    head = ("train", owner.folder / "one.cipherset", "--to", owner.folder / "head.bundle")
    refused = owner.run(*head, "--at-gate", "--dp", "2,1e-6")
    assert (refused.code, refused.error["code"]) == (3, "budget")


def test_an_epsilon_of_drawn_rows_is_of_all_that_were_pooled(owner):
    rows = in_pairs(1200)
    synthetic = ("--release", "synthetic", "--epsilon", "3", "--delta", "1e-6", "--pool", "pair")
    source = write_rows(owner.folder / "drawn.jsonl", rows)
    to = ("--to", owner.folder / "drawn.cipherset")
    owner.ok("protect", source, *COLUMNS, *to, *synthetic)
    owner.key("other")
    noise = ("--minimize", "lda:2", "--noise", "gaussian:2,1e-6")
    again = ("protect", write_rows(owner.folder / "rows.jsonl", rows[::3]), *COLUMNS[:4])
    target = owner.folder / "again.cipherset"
    refused = owner.run(*again, "--key", "other", "--to", target, *RISK, *noise)
    assert (refused.code, refused.error["code"]) == (3, "budget")
    assert "of these rows have not enough epsilon" in refused.error["message"]
