"""Every cell of every column as a person would read it."""

import datetime
import decimal
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_tables import write_source

from cipherset.core.errors import InputError
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.ingest.cells import BINARY, NESTED, as_text


def cells(path, columns=(), **options):
    batches = list(open_source(path).cells(columns, **options))
    names = list(dict.fromkeys(name for batch in batches for name in batch.table.column_names))
    return {
        name: [cell for batch in batches for cell in batch.table.column(name).to_pylist()]
        for name in names
    }


def test_all_columns_in_every_format(write):
    rows = [{"a": f"x{i}", "b": "ñ\u200f🙂", "c": "1"} for i in range(5)]
    found = cells(write(rows), batch_rows=2)
    assert found == {name: [row[name] for row in rows] for name in rows[0]}
    assert cells(write(rows), ["b"]) == {"b": ["ñ\u200f🙂"] * 5}


def test_a_column_that_is_not_there(write):
    with pytest.raises(InputError) as caught:
        cells(write([{"a": "1"}]), ["b"])
    assert caught.value.code == "column_missing"


PARQUET = {
    "int": (pa.array([4111111111111111, None]), ["4111111111111111", None]),
    "float": (pa.array([4111111111111111.0, float("nan")]), ["4111111111111111", None]),
    "half": (pa.array([0.5, 1e300]), ["0.5", "1e+300"]),
    "bool": (pa.array([True, None]), ["true", None]),
    "date": (pa.array([datetime.date(2020, 1, 2)] * 2), ["2020-01-02"] * 2),
    "decimal": (pa.array([decimal.Decimal("1.50")] * 2), ["1.50"] * 2),
    "bytes": (pa.array([b"a@b.com", b"\xff\x00"]), ["a@b.com", BINARY]),
    "struct": (
        pa.array([{"x": "a@b.com", "y": b"\xff"}] * 2),
        ['{"x": "a@b.com", "y": "<binary>"}'] * 2,
    ),
    "list": (pa.array([["a", "b"], None]), ['["a", "b"]', None]),
    "map": (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())), ['[["k", 1]]', "[]"]),
    "dictionary": (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
    "null": (pa.nulls(2), [None, None]),
}


@pytest.mark.parametrize("kind", PARQUET)
def test_kinds_of_parquet(kind, tmp_path):
    array, expected = PARQUET[kind]
    pq.write_table(pa.table({"c": array}), tmp_path / "t.parquet")
    assert cells(tmp_path / "t.parquet") == {"c": expected}


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 384)])
def test_a_vector_is_cut_short(kind, tmp_path):
    pq.write_table(pa.table({"v": pa.array([[0.5] * 384] * 2, kind)}), tmp_path / "t.parquet")
    assert cells(tmp_path / "t.parquet") == {"v": [str([0.5] * 16)] * 2}


def test_bad_utf8_in_parquet_is_refused(tmp_path):
    bad = pa.array([b"fine", b"\xff"]).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"c": bad}), tmp_path / "t.parquet")
    with pytest.raises(InputError) as caught:
        cells(tmp_path / "t.parquet")
    assert caught.value.code == "source_encoding"


def test_a_column_that_comes_late_is_seen(tmp_path):
    rows = [*({"a": i} for i in range(1500)), {"a": 1, "late": {"mail": "x@y.org"}}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert open_source(tmp_path / "t.jsonl").columns() == ["a"]
    assert cells(tmp_path / "t.jsonl")["late"][-1] == '{"mail": "x@y.org"}'


def test_mixed_kinds_in_one_column(tmp_path):
    values = ["x", 1, 1.5, True, None, [1, 2], {"k": "v"}]
    path = write_source(tmp_path, ".jsonl", [{"c": value} for value in values])
    assert cells(path)["c"] == ["x", "1", "1.5", "true", None, "[1, 2]", '{"k": "v"}']


@pytest.mark.parametrize("depth", [100, 900, 3000])
def test_deep_nesting_ends_in_a_text_or_a_refusal(depth, tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": ' + "[" * depth + "]" * depth + "}")
    try:
        (found,) = cells(tmp_path / "t.jsonl")["a"]
    except InputError as error:
        assert error.code == "source_corrupt"
    else:
        assert found in {"[" * depth + "]" * depth, NESTED}


def test_what_is_too_deep_to_write_is_named():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert as_text(deep) == NESTED


def test_a_lone_surrogate_is_refused_wherever_it_is(tmp_path):
    for value in ('"\\ud800"', '{"k": "\\ud800"}'):
        (tmp_path / "t.jsonl").write_text('{"a": ' + value + "}")
        with pytest.raises(InputError) as caught:
            cells(tmp_path / "t.jsonl")
        assert caught.value.code == "source_encoding"


def test_any_value_as_text():
    assert as_text(datetime.timedelta(1)) == "1 day, 0:00:00"
    assert as_text({"when": datetime.date(2020, 1, 2)}) == '{"when": "2020-01-02"}'
