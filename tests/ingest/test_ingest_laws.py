"""Laws of every source: what was written is what is read, in memory that does not grow."""

import tempfile
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_tables import FORMATS, write_source

from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import open_source

TRICKY = st.sampled_from(
    ['"', "\n", "\r\n", ",", "\t", "\\", "'", "🙂", "👩‍👩‍👧", "שלום", "\u202e", "\x00", "x"]
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
CELLS = st.builds("".join, st.lists(TRICKY | WORDS, max_size=6)).filter(str.strip)
NAMES = ("text", "label", "thread")


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if "bz2" not in suffix])
@settings(max_examples=15)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12),
    batch_rows=st.integers(1, 13),
)
def test_round_trip(suffix, rows, batch_rows):
    roles = ColumnRoles(text=("text",), label="label", group="thread")
    with tempfile.TemporaryDirectory() as folder:
        table = [dict(zip(NAMES, row, strict=True)) for row in rows]
        opened = open_source(write_source(Path(folder), suffix, table))
        batches = list(opened.texts(roles, batch_rows=batch_rows))
    columns = pa.concat_tables([batch.columns for batch in batches])
    texts = [text for batch in batches for text in batch.texts]
    read = zip(texts, columns["label"].to_pylist(), columns["group"].to_pylist(), strict=True)
    assert list(read) == rows
    assert columns["row"].to_pylist() == list(range(len(rows)))


def peak_bytes(path, roles):
    opened = open_source(path)
    tracemalloc.start()
    arrow_peak = 0
    for _ in opened.vectors(roles) if roles.vector else opened.texts(roles):
        arrow_peak = max(arrow_peak, pa.total_allocated_bytes())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak + arrow_peak


@pytest.mark.parametrize(
    ("suffix", "thousands"),  # a Parquet page is a megabyte: smaller files are not streamed
    [(".csv.gz", 8), (".jsonl", 8), (".parquet", 24)],
)
def test_memory_does_not_grow_with_the_file(suffix, thousands, tmp_path):
    roles = ColumnRoles(text=("text",), label="label", group="thread")
    peaks = []
    for n_rows in (1000 * thousands, 3000 * thousands):
        folder = tmp_path / str(n_rows)
        folder.mkdir()
        rows = [
            {"text": f"some words of row {i} " * 12, "label": f"{i % 7}", "thread": f"{i // 4}"}
            for i in range(n_rows)
        ]
        peaks.append(peak_bytes(write_source(folder, suffix, rows), roles))
    assert peaks[1] < 1.5 * peaks[0]
