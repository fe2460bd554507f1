"""Whole rows: every column as it is, in the form of its source."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cipherset.core.errors import InputError
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.ingest.whole import BATCH_ROWS, RecordRows, in_batches


def rows_of(path):
    return list(open_source(path).whole())


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_cells_of_csv_are_strings_as_they_stand(tmp_path):
    path = written(tmp_path, "a.csv", 'id,body,n\r\n007," a ""b""\nc",1.50\r\n,x,\r\n')
    (rows,) = rows_of(path)
    assert list(rows.records()) == [
        {"id": "007", "body": ' a "b"\nc', "n": "1.50"},
        {"id": "", "body": "x", "n": ""},
    ]
    assert open_source(path).schema(("body",)) == pa.schema(
        [("id", pa.string()), ("body", pa.string()), ("n", pa.string())]
    )
    assert open_source(path).every_column() == ["id", "body", "n"]


def test_rows_of_json_lines_keep_their_own_keys_and_order(tmp_path):
    records = [
        {"b": "x", "a": 12345678901234567890, "deep": {"z": [1, None, "ü"], "y": 0.1}},
        {"a": None},
        {"new": True, "b": None},
    ]
    path = written(tmp_path, "a.jsonl", "".join(json.dumps(each) + "\n" for each in records))
    (rows,) = rows_of(path)
    assert [list(each.items()) for each in rows.records()] == [list(r.items()) for r in records]
    changed = rows.with_texts({"b": ["y", "z", None]})
    assert [each.get("b", "none") for each in changed.records()] == ["y", "none", None]
    assert open_source(path).every_column() == ["b", "a", "deep", "new"]


def test_types_of_json_lines_are_those_of_all_rows(tmp_path):
    lines = '{"body": "x", "n": 1}\n{"body": 3, "n": 1.5, "deep": {"z": 1}}\n{"deep": {"y": "a"}}\n'
    schema = open_source(written(tmp_path, "a.jsonl", lines)).schema(("body",))
    assert schema.field("body").type == pa.string()
    assert schema.field("n").type == pa.float64()
    assert schema.field("deep").type == pa.struct([("z", pa.int64()), ("y", pa.string())])


@pytest.mark.parametrize(
    "lines", ['{"a": 1}\n{"a": "x"}\n', '{"a": [1, "x"]}\n', '{"a": "\\ud800"}\n']
)
def test_values_of_several_types_have_no_schema(tmp_path, lines):
    with pytest.raises(InputError) as refused:
        open_source(written(tmp_path, "a.jsonl", lines)).schema(())
    assert refused.value.code == "column_type"


def test_columns_of_parquet_keep_their_types(tmp_path):
    table = pa.table(
        {
            "id": pa.array([1, None], pa.int16()),
            "body": pa.array(["x", None], pa.large_string()),
            "coded": pa.array(["a", "b"]).dictionary_encode(),
            "at": pa.array([datetime(2020, 1, 2, tzinfo=UTC), None], pa.timestamp("ns", tz="UTC")),
            "deep": pa.array([[{"z": 1}], None]),
        }
    ).replace_schema_metadata({"made by": "a test"})
    pq.write_table(table, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    (rows,) = source.whole()
    assert rows.table(source.schema(())).equals(table, check_metadata=True)
    changed = rows.with_texts({"body": ["y", None], "coded": ["c", "d"]})
    schema = source.schema(("body", "coded"))
    assert schema.field("coded").type == pa.string()
    assert schema.field("body").type == pa.large_string()
    written = changed.table(schema)
    assert written.column("coded").to_pylist() == ["c", "d"]
    assert written.select(["id", "at", "deep"]).equals(table.select(["id", "at", "deep"]))
    assert changed.taken([1]).n_rows == 1


def test_parquet_as_json_values(tmp_path):
    table = pa.table(
        {
            "at": pa.array([datetime(2020, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("ms")),
            "price": pa.array([Decimal("1.10"), None], pa.decimal128(5, 2)),
            "x": [float("nan"), 1.5],
            "deep": [[{"z": float("inf")}], None],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    (rows,) = rows_of(tmp_path / "a.parquet")
    assert list(rows.records()) == [
        {"at": "2020-01-02 03:00:00.000", "price": "1.10", "x": None, "deep": [{"z": None}]},
        {"at": None, "price": None, "x": 1.5, "deep": None},
    ]


def test_bytes_have_no_place_in_text_formats(tmp_path):
    pq.write_table(pa.table({"raw": [b"x"]}), tmp_path / "a.parquet")
    (rows,) = rows_of(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="found binary"):
        list(rows.records())


def test_text_is_text_where_the_format_says(tmp_path):
    pq.write_table(pa.table({"n": [1], "body": ["x"]}), tmp_path / "a.parquet")
    open_source(tmp_path / "a.parquet").check_texts(["body"])
    with pytest.raises(InputError) as refused:
        open_source(tmp_path / "a.parquet").check_texts(["n"])
    assert refused.value.code == "column_type"
    for name in ("a.csv", "a.jsonl"):
        written(tmp_path, name, "body\nx\n" if name == "a.csv" else '{"body": 1}\n')
        open_source(tmp_path / name).check_texts(["body"])


def test_values_that_do_not_fit_the_schema():
    rows = RecordRows("a.jsonl", 0, [{"a": "x"}])
    with pytest.raises(InputError) as refused:
        rows.table(pa.schema([("a", pa.int64())]))
    assert refused.value.code == "column_type"


def test_batches_are_bounded_in_rows_and_size():
    many = [({"n": n}, 8) for n in range(BATCH_ROWS + 1)]
    assert [batch.n_rows for batch in in_batches("a", many)] == [BATCH_ROWS, 1]
    long = [({"n": n}, 3_000_000) for n in range(5)]
    batches = list(in_batches("a", long))
    assert [(batch.start, batch.n_rows) for batch in batches] == [(0, 2), (2, 2), (4, 1)]


def test_batches_of_parquet_follow_the_size_of_rows(tmp_path):
    pq.write_table(
        pa.table({"body": [f"{n}" + "é" * 500_000 for n in range(8)]}), tmp_path / "a.parquet"
    )
    sizes = [rows.n_rows for rows in rows_of(tmp_path / "a.parquet")]
    assert sum(sizes) == 8
    assert max(sizes) < 8
    assert [rows.start for rows in rows_of(tmp_path / "a.parquet")][:2] == [0, sizes[0]]


def test_a_source_without_rows(tmp_path):
    with pytest.raises(InputError) as refused:
        rows_of(written(tmp_path, "a.csv", "a,b\n"))
    assert refused.value.code == "source_empty"
