"""What one format alone can get wrong."""

import errno
import gzip
import io
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cipherset.core.errors import InputError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import delimited, faults, lines, open_source

TEXT = ColumnRoles(text=("text",), label="label")


def source(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(path)


def texts(opened, roles=TEXT):
    return [text for batch in opened.texts(roles) for text in batch.texts]


def labels(opened, roles=TEXT, batch_rows=2):
    batches = [batch.columns["label"] for batch in opened.texts(roles, batch_rows=batch_rows)]
    assert len({batch.type for batch in batches}) == 1
    return batches[0].type, [value for batch in batches for value in batch.to_pylist()]


def code_of(call, *parts):
    with pytest.raises(InputError) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)
    return caught.value.code


# What is no source at all


def test_kinds_that_cannot_be_read(tmp_path):
    (tmp_path / "rows.xlsx").touch()
    for spec in (tmp_path, tmp_path / "rows.xlsx", "sqlite:///x.db#t"):
        assert code_of(lambda spec=spec: open_source(spec)) == "source_kind"
    with pytest.raises(InputError) as caught:
        open_source("postgresql://me:hunter2@host/db#t")
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"
    os.mkfifo(tmp_path / "pipe.csv")
    assert code_of(lambda: open_source(tmp_path / "pipe.csv")) == "source_kind"
    (tmp_path / "rows.parquet.bz2").touch()
    assert code_of(lambda: open_source(tmp_path / "rows.parquet.bz2")) == "source_kind"


def test_no_such_file(tmp_path):
    assert code_of(lambda: open_source(tmp_path / "no.csv"), "no.csv") == "source_missing"
    assert code_of(lambda: open_source(tmp_path / "no" / "no.csv")) == "source_missing"


def test_no_permission(tmp_path):
    path = tmp_path / "rows.csv"

    def read():  # raised, not provoked: root may read everything
        with faults.reading(path):
            raise PermissionError(errno.EACCES, "Permission denied")

    assert code_of(read, "rows.csv", "Permission denied") == "source_unreadable"


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "file").touch()
    assert code_of(lambda: open_source(tmp_path / "file" / "no.csv")) == "source_unreadable"


# CSV


def test_csv_labels_are_strings_whatever_they_look_like(tmp_path):
    opened = source(tmp_path, "a.csv", "text,label\n" + "x,1\n" * 5 + "x,spam\n")
    assert labels(opened) == (pa.string(), ["1"] * 5 + ["spam"])


def test_csv_byte_order_mark_crlf_blank_lines_and_no_last_line_end(tmp_path):
    opened = source(tmp_path, "a.csv", '\ufefftext,label\r\n\r\nx,1\r\n\r\n"y\r\nz",2')
    assert opened.columns() == ["text", "label"]
    assert texts(opened) == ["x", "y\r\nz"]
    assert repr(opened) == "Source('a.csv')"


def test_csv_row_of_another_width(tmp_path):
    for bad in ("x", "x,1,2"):
        opened = source(tmp_path, "a.csv", f'text,label\n"a\nb",1\nx,1\n{bad}\n')
        assert code_of(lambda o=opened: texts(o), "a.csv, row 3", "has 2") == "source_corrupt"


def test_csv_open_quote_and_bare_carriage_return(tmp_path):
    for bad in ('"x,1\nx,1\n', "x\ry,1\n", '"x"y,1\n'):
        opened = source(tmp_path, "a.csv", "text,label\nx,1\n" + bad)
        assert code_of(lambda o=opened: texts(o), "row 2") == "source_corrupt"


def test_csv_not_utf8_names_row_and_byte(tmp_path):
    opened = source(tmp_path, "a.csv", b'text,label\n"a\nb",1\ncaf\xe9,1\n')
    assert code_of(lambda: texts(opened), "row 2, byte 22") == "source_encoding"
    opened = source(tmp_path, "a.csv", b"t\xe9xt,label\n")
    assert code_of(lambda: texts(opened), "header, byte 1") == "source_encoding"
    opened = source(tmp_path, "a.csv", "text,label\nx,1\n".encode("utf-16"))
    assert code_of(lambda: texts(opened)) == "source_encoding"


def test_csv_header_only(tmp_path):
    opened = source(tmp_path, "a.csv", "text,label\n\n")
    assert code_of(lambda: texts(opened), "a.csv") == "source_empty"


def test_csv_two_columns_of_one_name(tmp_path):
    opened = source(tmp_path, "a.csv", "text,text,label\nx,y,1\n")
    assert code_of(lambda: texts(opened), "'text'") == "column_duplicate"


def test_csv_without_a_header_does_not_show_its_first_row(tmp_path):
    record = "my whole private story, " * 10
    opened = source(tmp_path, "a.csv", f'"{record}",1\n"{record}",2\n')
    assert code_of(lambda: texts(opened), "not all read like names") == "column_missing"
    with pytest.raises(InputError) as caught:
        texts(opened)
    assert "private" not in f"{caught.value}{caught.value.hint}"


def test_csv_vectors_in_every_spelling(tmp_path):
    cells = ['"[1, 0, 2.5]"', '"1,0,2.5"', "1 0 2.5", '" 1e0, 0.0 ,\t25e-1 "']
    opened = source(tmp_path, "a.csv", "v\n" + "\n".join(cells) + "\n")
    (batch,) = opened.vectors(ColumnRoles(vector="v"))
    assert np.ptp(batch.values, axis=0).max() == 0
    for bad in ('"[1, [0], 2]"', '"[[1], [0], [2]]"', "1 x 2", '"{""a"": 1}"', '"[1,"'):
        opened = source(tmp_path, "a.csv", f"v\n1 0 2\n{bad}\n")
        found = code_of(lambda o=opened: list(o.vectors(ColumnRoles(vector="v"))), "row 2")
        assert found == "column_type"


def test_csv_cell_longer_than_the_parsers_default(tmp_path):
    opened = source(tmp_path, "a.csv", f"text,label\n{'x' * 200_000},1\n")
    assert len(texts(opened)[0]) == 200_000


def test_a_line_without_an_end_is_refused_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LINE_BYTES", 100)
    for name in ("a.csv", "a.jsonl"):
        opened = source(tmp_path, name, "text,label\n" + "x" * 200)
        assert code_of(lambda o=opened: texts(o), name) == "source_corrupt"
    monkeypatch.setattr(delimited, "LINE_BYTES", 100)


# JSON Lines


def jsonl(*rows):
    return "\n".join(json.dumps(row) for row in rows) + "\n"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3], (pa.int64(), [1, 2, 3])),
        ([1, 2, 3, 4.5], (pa.float64(), [1.0, 2.0, 3.0, 4.5])),
        ([1.5, 2], (pa.float64(), [1.5, 2.0])),
        (["1", "2"], (pa.string(), ["1", "2"])),
        ([True, False], (pa.string(), ["true", "false"])),
    ],
)
def test_jsonl_labels_have_one_type_over_the_file(tmp_path, values, expected):
    rows = [{"text": "x", "label": value} for value in values]
    assert labels(source(tmp_path, "a.jsonl", jsonl(*rows))) == expected


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, "3"],
        ["1", "2", 3],
        [1.5, 2.5, "x"],
        [1, 2, 1 << 70],
        [True, False, 1],
        [1.5, 2, 10**400],
    ],
)
def test_jsonl_labels_of_two_kinds(tmp_path, values):
    rows = [{"text": "x", "label": value} for value in values]
    opened = source(tmp_path, "a.jsonl", jsonl(*rows))
    assert code_of(lambda: labels(opened), "row 3, column 'label'") == "column_type"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_jsonl_label_that_is_no_number(tmp_path, value):
    rows = [{"text": "x", "label": 1.0}, {"text": "x", "label": value}]
    opened = source(tmp_path, "a.jsonl", jsonl(*rows))
    assert code_of(lambda: labels(opened), "row 2") == "label_missing"


def test_jsonl_label_that_is_a_list(tmp_path):
    opened = source(tmp_path, "a.jsonl", jsonl({"text": "x", "label": [1]}))
    assert code_of(lambda: labels(opened), "row 1") == "column_type"


def test_jsonl_text_that_is_a_number(tmp_path):
    opened = source(tmp_path, "a.jsonl", jsonl({"text": "x", "label": 1}, {"text": 5, "label": 1}))
    assert code_of(lambda: texts(opened), "row 2, column 'text'") == "column_type"


def test_jsonl_lines_that_are_no_object(tmp_path):
    for bad in ("{", "[1]", "null", "[" * 100_000, '{"a": ' + "1" * 5000 + "}"):
        opened = source(tmp_path, "a.jsonl", '{"text": "x", "label": "a"}\n\n' + bad)
        assert code_of(lambda o=opened: texts(o), "row 2") == "source_corrupt"


def test_jsonl_lone_surrogate_is_not_utf8(tmp_path):
    rows = '{"text": "x", "label": "a"}\n{"text": "\\ud83d", "label": "a"}\n'
    opened = source(tmp_path, "a.jsonl", rows)
    assert code_of(lambda: texts(opened), "row 2, column 'text'") == "source_encoding"


def test_jsonl_not_utf8_names_row_and_byte(tmp_path):
    opened = source(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"text": "x"}\n{"text": "caf\xe9"}\n')
    assert code_of(lambda: texts(opened), "row 2, byte 30") == "source_encoding"


def test_jsonl_blank_lines_only(tmp_path):
    opened = source(tmp_path, "a.jsonl", "\n \n")
    assert code_of(lambda: texts(opened)) == "source_empty"


def test_jsonl_keys_that_some_rows_lack(tmp_path):
    rows = [{"text": "x", "label": "a"}, {"text": "y", "label": "b", "note": 3}]
    opened = source(tmp_path, "a.jsonl", jsonl(*rows))
    assert opened.columns() == ["text", "label", "note"]
    (batch,) = opened.texts(ColumnRoles(text=("text",), keep=("note",)))
    assert batch.columns["note"].to_pylist() == [None, 3]


def test_jsonl_vector_with_a_string_in_it(tmp_path):
    opened = source(tmp_path, "a.jsonl", jsonl({"v": [1, 2]}, {"v": [1, "x"]}))
    found = code_of(lambda: list(opened.vectors(ColumnRoles(vector="v"))), "row 2, column 'v'")
    assert found == "column_type"


# Parquet


def parquet(folder, table, **options):
    pq.write_table(table, folder / "a.parquet", **options)
    return open_source(folder / "a.parquet")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([3, 1], pa.int8()), pa.int64()),
        (pa.array([0.5, 1], pa.float32()), pa.float64()),
        (pa.array([True, False]), pa.string()),
        (pa.array(["a", "b"], pa.large_string()), pa.string()),
        (pa.array(["a", "b"]).dictionary_encode(), pa.string()),
        (pa.array([0, 86_400], pa.date32()), pa.string()),
        (pa.array([1, 2]).cast(pa.decimal128(30, 2)), pa.float64()),
    ],
)
def test_parquet_label_types(tmp_path, values, expected):
    opened = parquet(tmp_path, pa.table({"text": ["x", "y"], "label": values}))
    assert labels(opened, batch_rows=1)[0] == expected


def test_parquet_column_types_that_do_not_fit(tmp_path):
    table = pa.table(
        {
            "text": ["x"],
            "blob": [b"x"],
            "list": [[1.0]],
            "words": [["x"]],
            "n": pa.array([2**63], pa.uint64()),
        }
    )
    opened = parquet(tmp_path, table)
    for roles in (
        ColumnRoles(text=("list",)),
        ColumnRoles(text=("blob",)),
        ColumnRoles(text=("text",), label="blob"),
        ColumnRoles(text=("text",), label="n"),
    ):
        assert code_of(lambda r=roles: list(opened.texts(r)), "column") == "column_type"
    for column in ("text", "words", "n"):
        roles = ColumnRoles(vector=column)
        assert code_of(lambda r=roles: list(opened.vectors(r)), column) == "column_type"


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32(), 3),
        pa.list_(pa.float32()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float16()),
        pa.list_(pa.int8(), 3),
    ],
)
def test_parquet_vector_types(tmp_path, kind):
    values = (
        pa.array([[1.0, 2.0, 2.0]] * 9).cast(kind)
        if kind != pa.list_(pa.float16())
        else (pa.array([np.array([1, 2, 2], np.float16)] * 9, kind))
    )
    opened = parquet(tmp_path, pa.table({"v": values}))
    (batch,) = opened.vectors(ColumnRoles(vector="v"))
    np.testing.assert_allclose(batch.values, [[1 / 3, 2 / 3, 2 / 3]] * 9, atol=1e-7)


def test_parquet_null_in_a_vector(tmp_path):
    opened = parquet(tmp_path, pa.table({"v": [[1.0, 2.0], [None, 1.0]]}))
    found = code_of(lambda: list(opened.vectors(ColumnRoles(vector="v"))), "row 2")
    assert found == "vector_not_finite"


def test_parquet_fixed_size_null_row(tmp_path):
    values = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
    opened = parquet(tmp_path, pa.table({"v": values}))
    found = code_of(lambda: list(opened.vectors(ColumnRoles(vector="v"))), "row 2")
    assert found == "vector_missing"


def test_parquet_strings_that_are_not_utf8(tmp_path):
    raw = pa.array([b"ok", b"caf\xe9"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    opened = parquet(tmp_path, pa.table({"text": broken, "label": ["a", "b"]}))
    assert code_of(lambda: texts(opened), "row 2, column 'text'") == "source_encoding"


def test_parquet_without_rows(tmp_path):
    opened = parquet(tmp_path, pa.table({"text": pa.array([], pa.string()), "label": []}))
    assert code_of(lambda: texts(opened, ColumnRoles(text=("text",)))) == "source_empty"


def test_parquet_two_columns_of_one_name(tmp_path):
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["text", "text"])
    opened = parquet(tmp_path, table)
    assert code_of(lambda: texts(opened, ColumnRoles(text=("text",)))) == "column_duplicate"


def test_parquet_damaged_in_the_middle(tmp_path):
    table = pa.table({"text": [f"row {i}" * 50 for i in range(2000)]})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", use_dictionary=False)
    raw = bytearray(out.getvalue())
    raw[200:400] = bytes(200)
    opened = source(tmp_path, "a.parquet", bytes(raw))
    assert code_of(lambda: texts(opened, ColumnRoles(text=("text",)))) == "source_corrupt"


def test_gzip_with_a_flipped_byte(tmp_path):
    raw = bytearray(gzip.compress(("text,label\n" + "some text,a\n" * 5000).encode()))
    raw[len(raw) // 2] ^= 0xFF
    opened = source(tmp_path, "a.csv.gz", bytes(raw))
    assert code_of(lambda: texts(opened), "a.csv.gz") == "source_corrupt"
