"""Rows to files: what was read comes out as it went in, and other programs read it."""

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cipherset.core.errors import InputError, UsageError
from cipherset.pipeline.export.rows import Kind, kind_of, open_writer, some_columns
from cipherset.pipeline.ingest import open_source

CSV = 'id,body\n007," a ""b""\nc"\n8,ü;x\n'
LINES = '{"id": 7, "body": "ü", "deep": {"z": [1, null]}}\n{"body": null, "x": 1.5}\n'


def copied(source, name, tmp_path):
    """The bytes of a file of that name with the rows of ``source``."""
    opened = open_source(source)
    target = tmp_path / name
    stream = io.BytesIO()
    is_lines = kind_of(target) is Kind.JSON_LINES
    schema = pa.schema([]) if is_lines else opened.schema(("body",))
    with open_writer(stream, target, schema) as writer:
        for rows in opened.whole():
            writer.write(rows)
    return stream.getvalue()


@pytest.fixture
def source(tmp_path):
    def make(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return make


def test_csv_and_json_lines_come_out_as_they_went_in(source, tmp_path):
    assert copied(source("a.csv", CSV), "b.csv", tmp_path).decode() == CSV
    assert copied(source("a.tsv", CSV.replace(",", "\t")), "b.tsv", tmp_path).decode() == (
        CSV.replace(",", "\t")
    )
    assert copied(source("a.jsonl", LINES), "b.jsonl", tmp_path).decode() == LINES


def test_gzip_of_the_same_rows_is_the_same_bytes(source, tmp_path):
    path = source("a.csv", CSV)
    first, second = (copied(path, "b.CSV.gz", tmp_path) for _ in range(2))
    assert first == second
    assert gzip.decompress(first).decode() == CSV


def test_from_one_format_to_another(source, tmp_path):
    records = [
        json.loads(line) for line in copied(source("a.csv", CSV), "b.jsonl", tmp_path).splitlines()
    ]
    assert records == [{"id": "007", "body": ' a "b"\nc'}, {"id": "8", "body": "ü;x"}]
    table = pq.read_table(io.BytesIO(copied(source("a.jsonl", LINES), "b.parquet", tmp_path)))
    assert table.to_pylist() == [
        {"id": 7, "body": "ü", "deep": {"z": [1, None]}, "x": None},
        {"id": None, "body": None, "deep": None, "x": 1.5},
    ]
    rows = copied(source("a.jsonl", LINES), "b.csv", tmp_path).decode().splitlines()
    assert rows == ["id,body,deep,x", '7,ü,"{""z"": [1, null]}",', ",,,1.5"]


def test_half_a_surrogate_pair_stays_in_json_and_has_no_place_in_csv(source, tmp_path):
    line = '{"id": "\\ud800", "body": "x"}\n'
    path = source("a.jsonl", line)
    assert copied(path, "b.jsonl", tmp_path).decode() == line
    stream = io.BytesIO()
    schema = pa.schema([("id", pa.string())])
    with pytest.raises(InputError) as refused, open_writer(stream, Path("b.csv"), schema) as writer:
        writer.write(next(open_source(path).whole()))
    assert refused.value.code == "source_encoding"


def test_some_columns_lose_what_was_noted_of_all():
    noted = {b"huggingface": b"{}", b"pandas": b"{}", b"own": b"x"}
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())], metadata=noted)
    assert some_columns(schema, lambda name: True) is schema
    kept = some_columns(schema, lambda name: name == "b")
    assert kept.names == ["b"]
    assert kept.metadata == {b"own": b"x"}
    bare = pa.schema([("a", pa.int64()), ("b", pa.string())], metadata={b"pandas": b"{}"})
    assert some_columns(bare, lambda name: name == "b").metadata is None


def test_an_ending_that_is_none():
    with pytest.raises(UsageError) as refused:
        kind_of(Path("rows.xlsx"))
    assert refused.value.code == "target_kind"
    assert kind_of(Path("rows.JSONL.gz")) is Kind.JSON_LINES
