"""Every format gives the same rows, and refuses the same rows with the same code."""

import gzip
import math

import numpy as np
import pyarrow as pa
import pytest

from cipherset.core.errors import CiphersetError, InputError, UsageError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import open_source

CANARY = "canary-5b1f"
TEXTS = ColumnRoles(text=("subject", "body"), label="kind", group="thread", keep=("lang",))
VECTORS = ColumnRoles(vector="v", label="kind", group="thread")


def table(n: int) -> list[dict]:
    return [
        {
            "subject": f"{CANARY} {i}",
            "body": f'line "{i}"\nñ, \u200f🙂\tend',
            "kind": ["a", "b"][i % 2],
            "thread": f"t{i // 3}",
            "lang": "en",
            "v": [float(i + 1), -2.5, 0.0],
        }
        for i in range(n)
    ]


def refused(call) -> CiphersetError:
    with pytest.raises(CiphersetError) as caught:
        call()
    error = caught.value
    assert CANARY not in f"{error} {error.hint} {error!r}"
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return error


def test_check_source(write):
    rows = table(25)
    source = open_source(write(rows))
    assert source.columns() == list(rows[0])
    batches = list(source.texts(TEXTS, batch_rows=10))
    assert max(len(batch.texts) for batch in batches) <= 10
    texts = [text for batch in batches for text in batch.texts]
    assert texts == [f"{row['subject']}\n{row['body']}" for row in rows]
    columns = pa.concat_tables([batch.columns for batch in batches])
    assert columns.schema == pa.schema(
        {"row": pa.int64(), "label": pa.string(), "group": pa.string(), "lang": pa.string()}
    )
    assert columns["row"].to_pylist() == list(range(25))
    assert columns["label"].to_pylist() == [row["kind"] for row in rows]
    assert columns["group"].to_pylist() == [row["thread"] for row in rows]
    assert texts == [t for batch in source.texts(TEXTS) for t in batch.texts]


def test_vectors_are_unit_rows_in_order(write):
    rows = table(25)
    batches = list(open_source(write(rows)).vectors(VECTORS, batch_rows=10))
    x = np.concatenate([batch.values for batch in batches])
    assert x.dtype == np.float32
    for row, unit in zip(rows, x, strict=True):
        norm = math.sqrt(sum(value * value for value in row["v"]))
        np.testing.assert_allclose(unit, [value / norm for value in row["v"]], atol=1e-7)
    assert pa.concat_tables([b.columns for b in batches])["row"].to_pylist() == list(range(25))


def test_stored_bytes_come_in_chunks(write):
    path = write(table(3))
    assert b"".join(open_source(str(path)).read_bytes_chunks()) == path.read_bytes()


def test_bytes_of_a_file_that_went_away(write):
    path = write(table(3))
    source = open_source(path)
    path.unlink()
    assert refused(lambda: list(source.read_bytes_chunks())).code == "source_missing"


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("kind", None, "label_missing"),
        ("kind", " ", "label_missing"),
        ("thread", None, "group_missing"),
    ],
)
def test_a_row_without_a_value(write, column, value, code):
    rows = table(25)
    rows[17][column] = value
    path = write(rows)
    error = refused(lambda: list(open_source(path).texts(TEXTS, batch_rows=4)))
    assert (error.code, error.exit_code) == (code, 4)
    assert f"{path.name}, row 18, column {column!r}" in str(error)


@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_a_row_without_text(write, blank):
    rows = table(25)
    rows[17]["subject"] = blank
    path = write(rows)
    texts = [t for batch in open_source(path).texts(TEXTS) for t in batch.texts]
    assert texts[17] == rows[17]["body"]
    error = refused(lambda: list(open_source(path).texts(ColumnRoles(text=("subject",)))))
    assert error.code == "text_missing"
    assert "row 18, column 'subject'" in str(error)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "vector_missing"),
        ([1.0, 2.0], "vector_ragged"),
        ([1.0] * 4, "vector_ragged"),
        ([1.0, math.nan, 1.0], "vector_not_finite"),
        ([1.0, math.inf, 1.0], "vector_not_finite"),
        ([0.0, -0.0, 0.0], "vector_zero"),
    ],
)
def test_a_vector_that_is_none(write, value, code):
    rows = table(25)
    rows[17]["v"] = value
    error = refused(lambda: list(open_source(write(rows)).vectors(VECTORS, batch_rows=4)))
    assert (error.code, error.exit_code) == (code, 4)
    assert "row 18, column 'v'" in str(error)


def test_an_empty_vector_first(write, suffix):
    rows = table(3)
    for row in rows:
        row["v"] = []
    if "parquet" in suffix:
        rows[2]["v"] = [1.0]
    error = refused(lambda: list(open_source(write(rows)).vectors(VECTORS)))
    assert error.code in {"vector_ragged", "vector_missing"}
    assert "row 1," in str(error)


def test_huge_and_tiny_vectors_keep_their_direction(write):
    rows = table(3)
    rows[0]["v"] = [1e300, 1e300, 0.0]
    rows[1]["v"] = [1e-310, 0.0, 0.0]
    (batch,) = open_source(write(rows)).vectors(VECTORS)
    np.testing.assert_allclose(batch.values[0], [0.5**0.5, 0.5**0.5, 0], atol=1e-7)
    np.testing.assert_allclose(batch.values[1], [1, 0, 0], atol=1e-7)


def test_a_column_that_is_not_there(write):
    path = write(table(3))
    error = refused(lambda: open_source(path).texts(ColumnRoles(text=("bodi",))))
    assert (error.code, error.exit_code) == ("column_missing", 4)
    assert "'subject', 'body', 'kind'" in str(error)
    assert "'body'" in error.hint
    assert refused(lambda: open_source(path).texts(ColumnRoles(text=("zz",)))).hint


@pytest.mark.parametrize("name", ["row", "label", "group", "vector"])
def test_a_kept_column_with_a_name_that_is_taken(write, name):
    rows = [{**row, name: "x"} for row in table(3)]
    path = write(rows)
    error = refused(lambda: open_source(path).texts(ColumnRoles(text=("body",), keep=(name,))))
    assert isinstance(error, UsageError)
    assert error.code == "column_clash"


@pytest.mark.parametrize(
    "roles",
    [
        ColumnRoles(text=("body",), keep=("body",)),
        ColumnRoles(text=("body", "body")),
        ColumnRoles(text=("body",), label="body"),
        ColumnRoles(text=("body",), keep=("lang", "lang")),
    ],
)
def test_a_column_with_two_parts(write, roles):
    path = write(table(3))
    assert refused(lambda: open_source(path).texts(roles)).code == "column_clash"


def test_roles_without_what_is_read(write):
    source = open_source(write(table(3)))
    assert refused(lambda: source.texts(ColumnRoles(label="kind"))).code == "role_missing"
    assert refused(lambda: source.vectors(TEXTS)).code == "role_missing"


def test_text_is_no_vector(write):
    roles = ColumnRoles(vector="body")
    error = refused(lambda: list(open_source(write(table(3))).vectors(roles)))
    assert error.code == "column_type"
    assert "'body'" in str(error)


def test_a_file_cut_off(write, suffix):
    path = write(table(200))
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) - 30])
    if suffix in {".csv", ".tsv"}:  # the cut row has too few cells
        raw = raw[: len(raw) - 30]
    error = refused(lambda: list(open_source(path).texts(TEXTS)))
    assert (error.code, error.exit_code) == ("source_corrupt", 4)
    assert path.name in str(error)


def test_bytes_of_another_kind(write, suffix):
    path = write(table(20))
    garbage = b"\xff\xfe\x00garbage" * 50
    path.write_bytes(garbage)
    expected = (
        "source_encoding" if suffix in {".csv", ".tsv", ".jsonl", ".ndjson"} else "source_corrupt"
    )
    assert refused(lambda: open_source(path).texts(TEXTS)).code == expected
    if suffix.endswith(".gz"):
        path.write_bytes(gzip.compress(garbage))
        assert refused(lambda: open_source(path).texts(TEXTS)).code in {
            "source_corrupt",
            "source_encoding",
        }


def test_a_file_without_a_byte(write):
    path = write(table(2))
    path.write_bytes(b"")
    error = refused(lambda: list(open_source(path).texts(TEXTS)))
    assert isinstance(error, InputError)
    assert error.code in {"source_empty", "source_corrupt"}
