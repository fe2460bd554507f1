"""The spool gives back what was put in, from a file in which no byte may differ."""

import base64

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core import canonical
from cipherset.core import spool as spool_module
from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.core.spool import CHUNK_BYTES, Spool, SpoolWriter
from cipherset.custody.keys import ephemeral_sealer


def table(start: int, n_rows: int, dim: int = 8) -> pa.Table:
    rows = np.arange(start, start + n_rows)
    values = np.random.default_rng(start).normal(size=(n_rows, dim)).astype(np.float32)
    return pa.table(
        {
            "row": rows,
            "vector": pa.FixedSizeListArray.from_arrays(values.ravel(), dim),
            "label": pa.array(
                [None if k % 7 == 0 else f"label {k % 5}" for k in rows], pa.string()
            ),
        }
    )


def write(path, sealer, tables, name="v"):
    with SpoolWriter(path, sealer, name) as writer:
        for part in tables:
            writer.append(part)
    return Spool(path, sealer, name)


@pytest.fixture
def sealer():
    return ephemeral_sealer()


@pytest.fixture
def _tiny(monkeypatch):
    """Chunks of a few rows, so that a small file has many."""
    monkeypatch.setattr(spool_module, "CHUNK_BYTES", 200)


@settings(max_examples=40)
@given(sizes=st.lists(st.integers(0, 30), max_size=8), data=st.data())
def test_rows_come_back_in_order_and_at_random(tmp_path_factory, sizes, data):
    patch = pytest.MonkeyPatch()
    patch.setattr(spool_module, "CHUNK_BYTES", 200)
    sealer, starts = ephemeral_sealer(), np.cumsum([0, *sizes])
    tables = [table(int(start), size) for start, size in zip(starts, sizes, strict=False)]
    spool = write(tmp_path_factory.mktemp("spool") / "s", sealer, tables)
    patch.undo()
    assert spool.n_rows == sum(sizes)
    if not tables:
        assert list(spool.chunks()) == []
        return
    whole = pa.concat_tables(tables)
    assert pa.concat_tables([spool.schema.empty_table(), *spool.chunks()]).equals(whole)
    rows = data.draw(st.lists(st.integers(0, max(0, sum(sizes) - 1)), max_size=50))
    if sum(sizes):
        taken = spool.take(np.array(rows, dtype=np.int64))
        assert taken.to_pylist() == [whole.slice(row, 1).to_pylist()[0] for row in rows]


def test_chunks_are_of_a_size_whatever_the_batches_are(tmp_path, sealer):
    small = write(tmp_path / "a", sealer, [table(k, 1, dim=384) for k in range(2000)])
    large = write(tmp_path / "b", sealer, [table(0, 2000, dim=384)])
    for spool in (small, large):
        sizes = [chunk.nbytes for chunk in spool.chunks()]
        assert len(sizes) == pytest.approx(2000 * 4 * 384 / CHUNK_BYTES, abs=1.5)
        assert max(sizes) < 1.2 * CHUNK_BYTES


def test_only_the_chunks_that_are_needed_are_read(tmp_path, sealer):
    spool = write(tmp_path / "s", sealer, [table(0, 2000, dim=384)])
    raw = bytearray((tmp_path / "s").read_bytes())
    raw[CHUNK_BYTES * 3 // 2] ^= 1  # in the second chunk
    (tmp_path / "s").write_bytes(raw)
    assert spool.take(np.array([3, 1]))["row"].to_pylist() == [3, 1]
    with pytest.raises(IntegrityError) as caught:
        spool.take(np.array([3, 1000]))
    assert caught.value.code == "spool_corrupt"


def test_dictionaries_that_differ_between_chunks(tmp_path, sealer):
    parts = [
        pa.table({"x": pa.array(words).dictionary_encode()})
        for words in (["a", "b"] * 40, ["b", "c"] * 40)
    ]
    with SpoolWriter(tmp_path / "s", sealer, "v") as writer:
        for part in parts:
            writer.append(part)
            writer._flush(writer._pending_rows)
    taken = Spool(tmp_path / "s", sealer, "v").take(np.array([159, 0, 1]))
    assert taken["x"].to_pylist() == ["c", "a", "b"]


def test_the_file_is_private_and_nothing_is_plain(tmp_path, sealer):
    words = pa.table({"text": ["a-canary-nobody-may-read"] * 500})
    write(tmp_path / "s", sealer, [words])
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
    raw = (tmp_path / "s").read_bytes()
    assert b"canary" not in raw
    assert b"text" not in raw


@pytest.mark.usefixtures("_tiny")
def test_every_flipped_byte_is_found(tmp_path, sealer):
    path = tmp_path / "s"
    write(path, sealer, [table(0, 12)])
    whole = path.read_bytes()
    # All of the head and the end; in between every 41st byte (a whole sweep takes ten seconds).
    for place in {*range(24), *range(24, len(whole), 41), *range(len(whole) - 8, len(whole))}:
        raw = bytearray(whole)
        raw[place] ^= 0x10
        path.write_bytes(raw)
        with pytest.raises(IntegrityError) as caught:
            list(Spool(path, sealer, "v").chunks())
        assert caught.value.code == "spool_corrupt", place


@pytest.mark.usefixtures("_tiny")
def test_every_cut_and_every_addition_is_found(tmp_path, sealer):
    path = tmp_path / "s"
    write(path, sealer, [table(0, 12)])
    whole = path.read_bytes()
    for raw in (
        *(whole[:length] for length in range(0, len(whole), 67)),
        whole + b"\0",
        b"x" + whole,
    ):
        path.write_bytes(raw)
        with pytest.raises(IntegrityError) as caught:
            list(Spool(path, sealer, "v").chunks())
        assert caught.value.code == "spool_corrupt"


@pytest.mark.usefixtures("_tiny")
def test_chunks_do_not_change_places_or_files(tmp_path, sealer):
    """Chunks of equal size, swapped within a file and between files of one name and sealer."""
    rows = pa.table({"row": np.arange(200)})
    for name in ("a", "b"):
        write(tmp_path / name, sealer, [rows])
    raw, other = (tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()
    places = Spool(tmp_path / "a", sealer, "v")._footer.places
    (one, size), (two, _) = places[:2]
    swapped = bytearray(raw)
    swapped[one : one + size], swapped[two : two + size] = (
        raw[two : two + size],
        raw[one : one + size],
    )
    foreign = bytearray(raw)
    foreign[one : one + size] = other[one : one + size]
    other_end = raw[:24] + other[24:]
    for bad in (swapped, foreign, other_end):
        (tmp_path / "a").write_bytes(bad)
        with pytest.raises(IntegrityError) as caught:
            list(Spool(tmp_path / "a", sealer, "v").chunks())
        assert caught.value.code == "spool_corrupt"


@pytest.mark.parametrize("what", ["key", "name"])
def test_another_key_or_name_does_not_open(tmp_path, sealer, what):
    write(tmp_path / "s", sealer, [table(0, 5)])
    other = ephemeral_sealer() if what == "key" else sealer
    with pytest.raises(IntegrityError) as caught:
        Spool(tmp_path / "s", other, "v" if what == "key" else "w")
    assert caught.value.code == "spool_corrupt"


def forge(path, sealer, *, footer: bytes | None = None, chunk: bytes = b"") -> None:
    """A spool whose seals are right and whose content is not what a writer makes."""
    head = b"CSSPOOL1" + bytes(16)
    context = "v/" + bytes(16).hex()
    body = sealer.seal(chunk, context=f"{context}/0")
    if footer is None:
        schema = "" if not chunk else None
        footer = footer_of(len(body), schema)
    sealed = sealer.seal(footer, context=f"{context}/footer")
    path.write_bytes(head + body + sealed + len(sealed).to_bytes(8, "little"))


def footer_of(size: int, schema: str | None) -> bytes:
    raw = base64.b64encode(pa.schema([("a", pa.int64())]).serialize().to_pybytes()).decode()
    return canonical.encode(
        {
            "chunks": [[24, size, 1]],
            "schema": raw if schema is None else schema,
        }
    )


@pytest.mark.parametrize(
    "footer", [b"no json", b"{}", b"[]", b'{"chunks":[[1,2]],"schema":""}', None]
)
def test_a_footer_that_no_writer_made(tmp_path, sealer, footer):
    forge(tmp_path / "s", sealer, footer=footer)
    with pytest.raises(IntegrityError) as caught:
        Spool(tmp_path / "s", sealer, "v")
    assert caught.value.code == "spool_corrupt"


def test_a_chunk_that_no_writer_made(tmp_path, sealer):
    forge(tmp_path / "s", sealer, chunk=b"not arrow at all")
    with pytest.raises(IntegrityError) as caught:
        Spool(tmp_path / "s", sealer, "v").take(np.array([0]))
    assert caught.value.code == "spool_corrupt"


def test_a_chunk_with_other_rows_than_its_footer_says(tmp_path, sealer):
    sink = pa.BufferOutputStream()
    three = pa.table({"a": [1, 2, 3]})
    with pa.ipc.new_stream(sink, three.schema) as stream:
        stream.write_table(three)
    forge(tmp_path / "s", sealer, chunk=sink.getvalue().to_pybytes())
    with pytest.raises(IntegrityError) as caught:
        list(Spool(tmp_path / "s", sealer, "v").chunks())
    assert caught.value.code == "spool_corrupt"


def test_a_missing_file_is_said(tmp_path, sealer):
    with pytest.raises(IntegrityError) as caught:
        Spool(tmp_path / "none", sealer, "v")
    assert caught.value.code == "sealed_missing"
    spool = write(tmp_path / "s", sealer, [table(0, 5)])
    (tmp_path / "s").unlink()
    with pytest.raises(IntegrityError) as caught:
        list(spool.chunks())
    assert caught.value.code == "sealed_missing"


@pytest.mark.parametrize("row", [-1, 5])
def test_a_row_that_is_not_there(tmp_path, sealer, row):
    spool = write(tmp_path / "s", sealer, [table(0, 5)])
    with pytest.raises(InputError) as caught:
        spool.take(np.array([0, row]))
    assert caught.value.code == "spool_row"


def test_another_schema_is_refused_without_its_names(tmp_path, sealer):
    with (
        pytest.raises(InputError) as caught,
        SpoolWriter(tmp_path / "s", sealer, "v") as writer,
    ):
        writer.append(pa.table({"a": [1]}))
        writer.append(pa.table({"canary": [1]}))
    assert caught.value.code == "spool_schema"
    assert "canary" not in caught.value.message
    assert not (tmp_path / "s").exists()


def test_disk_full_is_said_and_the_file_is_gone(tmp_path, sealer, small_files):
    with (
        small_files(1 << 21),
        pytest.raises(BackendError) as caught,
        SpoolWriter(tmp_path / "s", sealer, "v") as writer,
    ):
        for k in range(10):
            writer.append(table(k, 1000, dim=384))
    assert caught.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_a_spool_that_was_not_closed_does_not_open(tmp_path, sealer):
    writer = SpoolWriter(tmp_path / "s", sealer, "v")
    writer.append(table(0, 5000, dim=384))
    with pytest.raises(IntegrityError) as caught:
        Spool(tmp_path / "s", sealer, "v")
    assert caught.value.code == "spool_corrupt"
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_second_close_does_nothing(tmp_path, sealer):
    writer = SpoolWriter(tmp_path / "s", sealer, "v")
    writer.append(table(0, 5))
    writer.close()
    writer.close()
    assert Spool(tmp_path / "s", sealer, "v").n_rows == 5


def test_a_footer_that_leaves_a_gap(tmp_path, sealer):
    forge(tmp_path / "s", sealer, footer=footer_of(5, None))
    with pytest.raises(IntegrityError) as caught:
        Spool(tmp_path / "s", sealer, "v")
    assert caught.value.code == "spool_corrupt"
