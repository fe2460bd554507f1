"""What leaves: the named columns, in an order and under ids that say nothing of the source."""

import gc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from export_samples import LABELED, Sample, batch, sealer, write_sample
from securesystemslib.signer import CryptoSigner

from cipherset.core import spool
from cipherset.core.errors import BackendError, CiphersetError, InputError
from cipherset.core.manifest import Task
from cipherset.core.values import EncryptedVectors
from cipherset.pipeline.export import (
    CiphersetWriter,
    Layout,
    Split,
    open_cipherset,
    parts,
    shuffle,
    write_manifest,
)


def sources(sample: Sample, split: str = "train") -> list[int]:
    return (
        open_cipherset(sample.path)
        .to_arrow(split)["vector"]
        .combine_chunks()
        .flatten()[:: sample.layout.dim]
        .to_numpy()
        .astype(int)
        .tolist()
    )


def test_every_row_leaves_once(sample):
    assert sorted(sources(sample)) == list(range(40))
    assert sorted(sources(sample, "test")) == list(range(40, 50))
    table = open_cipherset(sample.path).to_arrow("train")
    for source, label in zip(sources(sample), table["label"].to_pylist(), strict=True):
        assert label == ("bad", "good")[source % 2]


def test_only_named_columns_leave_and_nothing_of_the_source_is_in_the_bytes(sample):
    for path in sample.path.rglob("*.parquet"):
        file = pq.ParquetFile(path)
        assert file.schema_arrow.names == ["row", "vector", "label", "region"]
        assert not file.schema_arrow.metadata
        assert not any(field.metadata for field in file.schema_arrow)
        assert set(file.metadata.metadata) == {b"ARROW:schema"}
    together = b"".join(p.read_bytes() for p in sample.path.rglob("*") if p.is_file())
    assert b"canary" not in together
    assert b"note" not in together
    assert str(sample.path.parent).encode() not in together


def test_vectors_are_fixed_size_lists_that_cannot_be_null(sample):
    schema = pq.read_schema(sample.path / "train" / "part-00000.parquet")
    element = pa.field("element", pa.float32(), nullable=False)
    assert schema.field("vector").equals(pa.field("vector", pa.list_(element, 3), nullable=False))
    assert not schema.field("row").nullable
    assert not schema.field("label").nullable
    assert schema.field("region").nullable


def test_ids_are_unique_fresh_and_in_order(tmp_path):
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        sample = write_sample(tmp_path / name, [batch(500)], [])
        ids = open_cipherset(sample.path).to_arrow("train")["row"].to_pylist()
        assert ids == sorted(ids)
        assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)
        found += ids
    assert len(set(found)) == 1000
    bits = np.unpackbits(np.frombuffer(bytes.fromhex("".join(found)), dtype=np.uint8))
    # 128,000 fair bits: six standard deviations are 0.0084
    assert abs(bits.mean() - 0.5) < 0.0084


def test_the_order_has_nothing_to_do_with_the_source(tmp_path):
    sample = write_sample(tmp_path, [batch(2000, start) for start in range(0, 6000, 2000)], [])
    order = np.array(sources(sample))
    ranks = np.corrcoef(np.arange(6000), order)[0, 1]
    # six standard deviations of the rank correlation of 6,000 independent rows
    assert abs(ranks) < 6 / np.sqrt(5999)
    assert sorted(order.tolist()) == list(range(6000))


def test_every_order_of_three_rows_is_equally_likely():
    """Slow oracle: count all 6 orders; chi-squared with 5 degrees of freedom under 30 (1e-5)."""
    counts: dict[tuple, int] = {}
    for _ in range(3000):
        order = np.argsort(shuffle.fresh_ids(3).to_pylist())
        counts[tuple(order.tolist())] = counts.get(tuple(order.tolist()), 0) + 1
    assert len(counts) == 6
    assert sum((n - 500) ** 2 / 500 for n in counts.values()) < 30


@pytest.mark.parametrize("held_bytes", [300, 5000, 500_000])
def test_scratch_gives_the_same_order_as_one_sort(tmp_path, monkeypatch, held_bytes):
    """Slow oracle: the buckets of buckets against sorted() over all rows at once."""
    monkeypatch.setattr(shuffle, "HELD_BYTES", held_bytes)
    table = pa.table({"row": shuffle.fresh_ids(1500), "n": np.arange(1500)})
    shuffled = shuffle.Shuffle(tmp_path, sealer(), name="s")
    for start in range(0, 1500, 250):
        shuffled.append(table.slice(start, 250))
    pieces = list(shuffled.tables())
    assert max(piece.nbytes for piece in pieces) <= held_bytes
    together = pa.concat_tables(pieces)
    expected = sorted(zip(table["row"].to_pylist(), table["n"].to_pylist(), strict=True))
    found = zip(together["row"].to_pylist(), together["n"].to_pylist(), strict=True)
    assert list(found) == expected
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    """Everything large is Arrow's; the bounds are shrunk so that 20,000 rows are many."""
    monkeypatch.setattr(shuffle, "HELD_BYTES", 200_000)
    monkeypatch.setattr(spool, "CHUNK_BYTES", 4_000)
    monkeypatch.setattr(parts, "PART_BYTES", 400_000)
    peaks = []
    for n in (2_000, 20_000):
        folder = tmp_path / str(n)
        (folder / "scratch").mkdir(parents=True)
        layout = Layout(64, Task.CLASSIFICATION)
        gc.collect()  # what other tests left is not to be let go in between
        before = peak = pa.total_allocated_bytes()
        with CiphersetWriter(
            folder, scratch=folder / "scratch", sealer=sealer(), layout=layout
        ) as writer:
            for start in range(0, n, 500):
                writer.append(Split.TRAIN, batch(500, start, dim=64))
                peak = max(peak, pa.total_allocated_bytes())
            for _ in writer.finish().row_map:
                peak = max(peak, pa.total_allocated_bytes())
        peaks.append(peak - before)
    assert peaks[1] < 2 * peaks[0]
    assert peaks[1] < 20_000 * 4 * 64 / 5


def test_scratch_holds_nothing_plain_and_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(shuffle, "HELD_BYTES", 4000)
    monkeypatch.setattr(spool, "CHUNK_BYTES", 100)
    kept = Layout(dim=3, task=Task.CLASSIFICATION, clear=("region",))
    with CiphersetWriter(tmp_path, scratch=tmp_path, sealer=sealer(), layout=kept) as writer:
        for start in range(0, 300, 30):
            writer.append(Split.TRAIN, batch(30, start, region=["canary"] * 30))
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(written) > 1000
    assert b"canary" not in written
    assert list(tmp_path.iterdir()) == []


def test_parts_are_of_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 100 * (4 * 3 + 128))
    sample = write_sample(tmp_path, [batch(130), batch(120, 130)], [batch(5, 250)])
    files = sample.written.splits.train.files
    assert [file.rows for file in files] == [100, 100, 50]
    assert sorted(sources(sample)) == list(range(250))
    assert [table.num_rows for table in open_cipherset(sample.path).batches("train")] == [
        100,
        100,
        50,
    ]


def test_the_row_map_leads_back(sample):
    row_map = pa.concat_tables(sample.written.row_map)
    back = dict(zip(row_map["row"].to_pylist(), row_map["source"].to_pylist(), strict=True))
    for split in ("train", "test"):
        ids = open_cipherset(sample.path).to_arrow(split)["row"].to_pylist()
        assert [back[one] for one in ids] == sources(sample, split)
    assert row_map["split"].to_pylist().count("test") == 10


def test_numbers_and_no_labels_leave_as_such(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "n").mkdir()
    numbers = write_sample(
        tmp_path / "r", [batch(5, label=[1, 2, 3, 4, 5])], [], Layout(3, Task.REGRESSION)
    )
    assert open_cipherset(numbers.path).to_numpy("train")[1].dtype == np.float64
    bare = write_sample(tmp_path / "n", [batch(5)], [], Layout(3, None))
    assert open_cipherset(bare.path).to_arrow("train").column_names == ["row", "vector"]


def test_text_of_every_arrow_type_leaves_as_plain_text(tmp_path):
    labels = pa.array(["bad", "good", "bad", "good"])
    for number, column in enumerate([labels.dictionary_encode(), labels.cast(pa.large_string())]):
        (tmp_path / str(number)).mkdir()
        layout = Layout(3, Task.CLASSIFICATION, ("region",))
        rows = batch(4, label=column, region=column)
        sample = write_sample(tmp_path / str(number), [rows], [], layout)
        schema = open_cipherset(sample.path).to_arrow("train").schema
        assert schema.field("label").type == schema.field("region").type == pa.string()


NESTED = pa.array([[1]] * 4)


@pytest.mark.parametrize(
    ("vectors", "layout", "code"),
    [
        (batch(4, dim=2), LABELED, "dimension"),
        (EncryptedVectors(np.zeros(4, dtype="f4"), batch(4).columns), LABELED, "dimension"),
        (EncryptedVectors(np.full((4, 3), np.nan, "f4"), batch(4).columns), LABELED, "not_finite"),
        (batch(4, label=["a", None, "b", "a"]), LABELED, "label_missing"),
        (batch(4, label=NESTED), LABELED, "label_type"),
        (batch(4, label=["x"] * 4), Layout(3, Task.REGRESSION), "label_type"),
        (batch(4, label=[1, 2, 3, np.inf]), Layout(3, Task.REGRESSION), "label_not_finite"),
        (batch(4), Layout(3, Task.CLASSIFICATION, ("region",)), "column_missing"),
        (batch(4, region=NESTED), Layout(3, Task.CLASSIFICATION, ("region",)), "clear_type"),
        (EncryptedVectors(np.zeros((3, 3), "f4"), batch(4).columns), LABELED, "row_count"),
        (
            EncryptedVectors(np.zeros((4, 3), "f4"), batch(4).columns.drop_columns(["row"])),
            LABELED,
            "row_count",
        ),
    ],
)
def test_what_cannot_leave_is_refused(tmp_path, vectors, layout, code):
    writer = CiphersetWriter(tmp_path, scratch=tmp_path, sealer=sealer(), layout=layout)
    with pytest.raises(InputError) as caught:
        writer.append(Split.TRAIN, vectors)
    assert caught.value.code == code


@pytest.mark.parametrize("clear", [("row",), ("vector",), ("label",), ("a", "a")])
def test_names_do_not_collide(clear):
    with pytest.raises(InputError) as caught:
        Layout(3, Task.CLASSIFICATION, clear)
    assert caught.value.code == "column_name"


def test_a_column_keeps_its_type(tmp_path):
    layout = Layout(3, Task.CLASSIFICATION, ("region",))
    writer = CiphersetWriter(tmp_path, scratch=tmp_path, sealer=sealer(), layout=layout)
    writer.append(Split.TRAIN, batch(2, region=["a", "b"]))
    with pytest.raises(InputError) as caught:
        writer.append(Split.TEST, batch(2, region=[1, 2]))
    assert caught.value.code == "clear_type"


def test_no_rows_is_refused(tmp_path):
    writer = CiphersetWriter(tmp_path, scratch=tmp_path, sealer=sealer(), layout=LABELED)
    writer.append(Split.TRAIN, batch(0))
    writer.append(Split.TEST, batch(4))
    with pytest.raises(InputError) as caught:
        writer.finish()
    assert caught.value.code == "no_rows"


def test_a_place_that_cannot_be_written_is_a_backend_error(tmp_path, sample):
    writer = CiphersetWriter(tmp_path / "absent", scratch=tmp_path, sealer=sealer(), layout=LABELED)
    writer.append(Split.TRAIN, batch(4))
    with pytest.raises(BackendError) as caught:
        writer.finish()
    assert caught.value.code == "disk"
    with pytest.raises(BackendError):
        write_manifest(tmp_path / "absent", sample.manifest, sample.signer)


def test_a_manifest_of_another_signer_is_not_written(tmp_path, sample):
    with pytest.raises(CiphersetError) as caught:
        write_manifest(tmp_path, sample.manifest, CryptoSigner.generate_ed25519())
    assert caught.value.code == "signer_mismatch"
