"""Rows without consent for the purpose are dropped as they are read, and counted."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError, PolicyError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import Consent, open_source

ROUTING = Consent("agreed", "Routing")
TEXT = ColumnRoles(text=("body",))


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        ("yes", True), ("TRUE", True), ("1", True), (1, True), (True, True), (" Yes ", True),
        ("routing", True), ("billing; ROUTING", True), ("a|routing", True), ("a,routing ", True),
        ("no", False), ("0", False), (False, False), ("", False), (None, False), ("billing", False),
        ("rerouting", False), ("not routing", False), ([1, 2], False), (2, False),
    ],
)  # fmt: skip
def test_what_gives_consent(cell, given):
    assert ROUTING.is_given(cell) is given


def test_no_purpose_is_not_agreed_to_by_an_empty_cell():
    assert not Consent("agreed", "").is_given(";")
    assert Consent("agreed", "").is_given("yes")


def source(folder, cells):
    path = folder / "rows.jsonl"
    rows = [{"body": f"text {i}", "agreed": cell} for i, cell in enumerate(cells)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return open_source(path)


def read(opened, batch_rows):
    batches = list(opened.texts(TEXT, batch_rows))
    texts = [text for batch in batches for text in batch.texts]
    numbers = [row for batch in batches for row in batch.columns.column("row").to_pylist()]
    return texts, numbers


@given(
    st.lists(st.sampled_from(["yes", "no", "routing", "billing"]), min_size=1), st.integers(1, 7)
)
def test_only_those_are_left_numbered_anew_in_any_batches(tmp_path_factory, cells, batch_rows):
    opened = source(tmp_path_factory.mktemp("rows"), cells).with_consent(ROUTING)
    wanted = [f"text {i}" for i, cell in enumerate(cells) if cell in {"yes", "routing"}]
    if not wanted:
        with pytest.raises(PolicyError) as caught:
            read(opened, batch_rows)
        assert caught.value.code == "no_consent"
        return
    assert read(opened, batch_rows) == (wanted, list(range(len(wanted))))
    assert opened.n_dropped == len(cells) - len(wanted)


def test_the_column_may_play_another_part_too(tmp_path):
    opened = source(tmp_path, ["yes", "no", "routing"]).with_consent(ROUTING)
    (batch,) = opened.texts(ColumnRoles(text=("body",), keep=("agreed",)))
    assert batch.columns.column("agreed").to_pylist() == ["yes", "routing"]


def test_the_bytes_and_columns_are_those_of_the_source(tmp_path):
    whole = source(tmp_path, ["yes", "no"])
    some = whole.with_consent(ROUTING)
    assert b"".join(some.read_bytes_chunks()) == b"".join(whole.read_bytes_chunks())
    assert some.columns() == whole.columns()
    assert [batch.table.num_rows for batch in some.cells()] == [1]
    assert (whole.n_dropped, some.n_dropped) == (0, 1)
    rows = [row for batch in some.whole() for row in batch.records()]
    assert rows == [{"body": "text 0", "agreed": "yes"}]
    assert some.schema(["body"]) == whole.schema(["body"])
    some.check_texts(["body"])


def test_a_column_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        source(tmp_path, ["yes"]).with_consent(Consent("consent", "x"))
    assert caught.value.code == "column_missing"


def test_a_fault_says_among_which_rows_it_is_counted(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("body,agreed\na,no\nb,yes\n,yes\n")
    with pytest.raises(InputError) as caught:
        list(open_source(path).with_consent(ROUTING).texts(TEXT))
    assert "rows.csv (rows with consent), row 2" in caught.value.message
