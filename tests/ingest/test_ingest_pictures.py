"""A folder of images by label, and the bytes of images in a Parquet file, as sources."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_pictures import colored, noisy, saved, write_folder

from cipherset.core.errors import InputError, UsageError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import columnar, decoded, holds_images, open_source, read_image
from cipherset.pipeline.ingest.pictures import cells
from cipherset.pipeline.ingest.pictures import folder as pictures
from cipherset.pipeline.ingest.reader import Batch

SIDE = 8
ROLES = ColumnRoles(image="image", label="label")
FILES = {
    "dog/b.png": saved(noisy(1)),
    "dog/a.jpg": saved(noisy(2), "JPEG"),
    "cat/z.PNG": saved(noisy(3)),
}


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "pets", FILES)


def test_a_subfolder_is_a_label(folder):
    write_folder(folder, {".DS_Store": b"x", "dog/.thumbs": b"x"})
    source = open_source(folder)
    assert source.name == "pets"
    assert source.columns() == source.every_column() == ["image", "label"]
    (batch,) = source.images(ROLES, SIDE)
    assert batch.columns.to_pydict() == {"row": [0, 1, 2], "label": ["cat", "dog", "dog"]}
    for pixels, name in zip(batch.pixels, sorted(FILES), strict=True):
        np.testing.assert_array_equal(pixels, read_image(folder / name, SIDE)[0])
    assert "pixels" not in repr(batch)


def test_batches_go_on_counting(folder):
    raw = saved(colored((4, 4), (1, 2, 3)))
    write_folder(folder, {f"eel/{i:03}.png": raw for i in range(70)})
    batches = list(open_source(folder).images(ROLES, SIDE))
    rows = [row for batch in batches for row in batch.columns.column("row").to_pylist()]
    assert rows == list(range(73))
    assert [len(batch.pixels) for batch in batches] == [64, 9]


def test_of_large_files_only_a_few_are_held_at_a_time(folder, monkeypatch):
    """64 files of the largest size that is read would be gigabytes."""
    small, large = saved(colored((4, 4), (1, 2, 3))), saved(noisy(1, (40, 40)))
    monkeypatch.setattr(pictures, "BATCH_BYTES", 3 * len(small))
    given = {f"{i}.png": large if i in {4, 5} else small for i in range(9)}
    source = open_source(write_folder(folder / "eel", given))
    sizes = [len(batch.pixels) for batch in source.images(ColumnRoles(image="image"), SIDE)]
    assert sizes == [3, 1, 1, 1, 3]


def test_images_without_a_subfolder_have_no_label(tmp_path):
    folder = write_folder(tmp_path / "new", {"a.png": FILES["dog/b.png"]})
    (batch,) = open_source(folder).images(ColumnRoles(image="image"), SIDE)
    assert batch.pixels.shape == (1, SIDE, SIDE, 3)
    with pytest.raises(InputError, match="new, row 1, column 'label'") as refusal:
        list(open_source(folder).images(ROLES, SIDE))
    assert refusal.value.code == "label_missing"


def test_as_text_it_is_paths_and_labels(folder):
    source = open_source(folder)
    (cells,) = source.cells()
    assert cells.table.column("image").to_pylist() == sorted(FILES)
    (rows,) = source.whole()
    assert [record["label"] for record in rows.records()] == ["cat", "dog", "dog"]
    assert source.schema([]).names == ["image", "label"]
    source.check_texts(["label"])
    with pytest.raises(InputError, match="expected text, found images"):
        source.check_texts(["image"])


def test_its_digest_is_of_every_path_and_byte(folder):
    def digest() -> bytes:
        return b"".join(open_source(folder).read_bytes_chunks())

    before = digest()
    (folder / "dog/b.png").rename(folder / "dog/c.png")
    moved = digest()
    (folder / "dog/c.png").write_bytes(FILES["cat/z.PNG"])
    assert len({before, moved, digest()}) == 3


@pytest.mark.parametrize("name", ["notes.txt", "dog/notes.txt", "dog/deeper/a.png"])
def test_what_is_no_image_is_not_passed_over(folder, name):
    write_folder(folder, {name: b"CANARY"})
    with pytest.raises(InputError, match="not an image") as refusal:
        list(open_source(folder).images(ROLES, SIDE))
    assert refusal.value.code == "image_kind"
    assert "CANARY" not in str(refusal.value)


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path, is_folder):
    elsewhere = tmp_path / "elsewhere"
    write_folder(elsewhere, {"dog/passport.png": FILES["cat/z.PNG"]})
    link, to = ("more", "dog") if is_folder else ("dog/l.png", "dog/passport.png")
    (folder / link).symlink_to(elsewhere / to)
    with pytest.raises(InputError, match=rf"{link}: not an image") as refusal:
        open_source(folder).columns()
    assert refusal.value.code == "image_kind"


def test_a_link_that_comes_while_files_are_read_is_not_followed(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "BATCH_BYTES", 1)
    write_folder(tmp_path, {"passport.png": FILES["cat/z.PNG"]})
    batches = open_source(folder).images(ROLES, SIDE)
    next(batches)
    (folder / "dog/b.png").unlink()
    (folder / "dog/b.png").symlink_to(tmp_path / "passport.png")
    with pytest.raises(InputError, match=r"dog/b.png: not an image") as refusal:
        list(batches)
    assert refusal.value.code == "image_kind"


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "dog/pipe.png")
    with pytest.raises(InputError, match=r"pipe\.png: not an image"):
        open_source(folder).columns()
    with pytest.raises(InputError, match="expected a regular file"):
        read_image(folder / "dog/pipe.png", SIDE)


def test_a_name_that_is_no_text(folder):
    (folder / "dog" / os.fsdecode(b"\xff.png")).write_bytes(FILES["dog/b.png"])
    with pytest.raises(InputError, match="not valid UTF-8"):
        open_source(folder).columns()


def test_a_damaged_image_is_named_by_its_row(folder):
    (folder / "dog/b.png").write_bytes(FILES["dog/b.png"][:50])
    with pytest.raises(InputError, match="pets, row 3, column 'image'") as refusal:
        list(open_source(folder).images(ROLES, SIDE))
    assert refusal.value.code == "image_unreadable"


def test_a_folder_without_images_is_no_source(tmp_path):
    write_folder(tmp_path, {"a/notes.txt": b"x"})
    assert not holds_images(tmp_path)
    with pytest.raises(InputError, match="not a regular file") as refusal:
        open_source(tmp_path)
    assert refusal.value.code == "source_kind"


def test_no_such_image(tmp_path):
    with pytest.raises(InputError, match="no such file") as refusal:
        read_image(tmp_path / "a.png", SIDE)
    assert refusal.value.code == "source_missing"
    for name in ("a\0.png", "\ud800.png"):
        with pytest.raises(InputError, match="no file can have") as refusal:
            read_image(tmp_path / name, SIDE)
        assert refusal.value.code == "source_missing"


@pytest.mark.parametrize("as_struct", [False, True], ids=["bytes", "with paths"])
def test_parquet_holds_images_beside_other_columns(tmp_path, as_struct):
    raw = [FILES[name] for name in sorted(FILES)]
    held = pa.array([{"bytes": each, "path": "x"} for each in raw] if as_struct else raw)
    table = pa.table({"picture": held, "kind": ["cat", "dog", "dog"], "who": [1, 1, 2]})
    pq.write_table(table, tmp_path / "pets.parquet")
    roles = ColumnRoles(image="picture", label="kind", group="who")
    (batch,) = open_source(tmp_path / "pets.parquet").images(roles, SIDE)
    assert batch.columns.column("group").to_pylist() == ["1", "1", "2"]
    folder = write_folder(tmp_path / "pets", FILES)
    (same,) = open_source(folder).images(ROLES, SIDE)
    np.testing.assert_array_equal(batch.pixels, same.pixels)


def test_a_row_without_an_image(tmp_path):
    table = pa.table({"image": pa.array([FILES["dog/b.png"], None])})
    pq.write_table(table, tmp_path / "pets.parquet")
    with pytest.raises(InputError, match=r"pets\.parquet, row 2, column 'image'") as refusal:
        list(open_source(tmp_path / "pets.parquet").images(ColumnRoles(image="image"), SIDE))
    assert refusal.value.code == "image_missing"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_text_is_no_image(tmp_path, name):
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_text("image\nCANARY\n")
    elif name.endswith("jsonl"):
        path.write_text('{"image": "CANARY"}\n')
    else:
        pq.write_table(pa.table({"image": ["CANARY"]}), path)
    with pytest.raises(InputError, match="column 'image': expected") as refusal:
        list(open_source(path).images(ColumnRoles(image="image"), SIDE))
    assert refusal.value.code == "column_type"
    assert "CANARY" not in str(refusal.value)


def test_roles_must_ask_for_images_and_for_nothing_else(folder):
    source = open_source(folder)
    for roles in (ColumnRoles(), ColumnRoles(text=("label",), image="image")):
        with pytest.raises(UsageError) as refusal:
            source.images(roles, SIDE)
        assert refusal.value.code == "role_missing"
    with pytest.raises(UsageError) as refusal:
        source.images(ColumnRoles(image="image", keep=("image",)), SIDE)
    assert refusal.value.code == "column_clash"


def bombs(path, held, **options):
    """A Parquet file of images, in one row group unless told otherwise."""
    pq.write_table(pa.table({"image": pa.array(held)}), path, **options)
    return open_source(path)


def raw_batches(source):
    return list(source.images(ColumnRoles(image="image"), SIDE))


@pytest.fixture
def small_limits(monkeypatch):
    """Limits of kilobytes for those of megabytes, so that the test is not a bomb itself."""
    monkeypatch.setattr(cells, "MOST_BYTES", 10_000)
    for module in (cells, pictures):
        monkeypatch.setattr(module, "BATCH_BYTES", 20_000)


def decoded_at_once(monkeypatch):
    """The bytes of each array of cells that the reader makes whole."""
    sizes = []

    class Counting(Batch):
        def __init__(self, start, table):
            sizes.append(table.nbytes)
            super().__init__(start, table)

    monkeypatch.setattr(columnar, "Batch", Counting)
    return sizes


@pytest.mark.parametrize("as_struct", [False, True], ids=["bytes", "with paths"])
def test_a_value_of_many_rows_is_not_made_whole_for_all_of_them(
    tmp_path, monkeypatch, small_limits, as_struct
):
    raw = saved(noisy(1, (50, 40)))
    assert 5_000 < len(raw) < 10_000
    cell = {"bytes": raw, "path": "x"} if as_struct else raw
    sizes = decoded_at_once(monkeypatch)
    found = raw_batches(bombs(tmp_path / "a.parquet", [cell] * 50))
    assert sum(len(each.pixels) for each in found) == 50
    assert all((each.pixels == found[0].pixels[0]).all() for each in found)
    assert max(sizes) < 25_000


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}], ids=["shared", "plain"])
def test_a_cell_that_is_too_large_is_named_before_it_is_copied(
    tmp_path, monkeypatch, small_limits, options
):
    raw = saved(noisy(1, (4, 4)))
    sizes = decoded_at_once(monkeypatch)
    held = [raw] * 40 + [b"\0" * 200_000]
    with pytest.raises(InputError, match=r"row 41, column 'image'.* 200000 bytes") as refusal:
        raw_batches(bombs(tmp_path / "a.parquet", held, **options))
    assert refusal.value.code == "image_too_large"
    assert sum(sizes) < 25_000


def test_a_group_of_which_the_footer_says_too_much_is_not_read(tmp_path, monkeypatch, small_limits):
    source = bombs(tmp_path / "a.parquet", [bytes([at]) * 20_000 for at in range(4)])
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", None)
    with pytest.raises(InputError, match=r"rows 1 to 4: an image of 20\d{3} bytes") as refusal:
        raw_batches(source)
    assert refusal.value.code == "image_too_large"


def test_shared_prefixes_are_put_together_a_row_at_a_time(tmp_path, monkeypatch, small_limits):
    raw = saved(noisy(1, (50, 40)))
    options = {"use_dictionary": False, "column_encoding": {"image": "DELTA_BYTE_ARRAY"}}
    source = bombs(tmp_path / "a.parquet", [raw] * 9, **options)
    assert (tmp_path / "a.parquet").stat().st_size < 2 * len(raw)
    sizes = decoded_at_once(monkeypatch)
    assert [len(each.pixels) for each in raw_batches(source)] == [1] * 9
    assert max(sizes) < 10_000


@pytest.mark.parametrize("as_struct", [False, True], ids=["bytes", "with paths"])
def test_several_groups_of_images_go_on_counting(tmp_path, as_struct):
    raw = [saved(noisy(at, (5, 4))) for at in (1, 1, 2, 3, 3)]
    held = [{"bytes": each, "path": "x"} for each in raw] if as_struct else raw
    source = bombs(tmp_path / "a.parquet", [*held, None], row_group_size=2)
    images = source.images(ColumnRoles(image="image"), SIDE)
    first = [next(images) for _ in range(2)]
    np.testing.assert_array_equal(first[0].pixels[0], first[0].pixels[1])
    with pytest.raises(InputError, match="row 6, column 'image'"):
        next(images)


@pytest.mark.parametrize("encoding", ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_images_are_read_whatever_way_they_are_written(tmp_path, encoding):
    raw = [saved(noisy(at % 3, (5, 4))) for at in range(8)]
    options = {"use_dictionary": False, "column_encoding": {"image": encoding}}
    source = bombs(tmp_path / "a.parquet", raw, row_group_size=3, **options)
    pixels = np.concatenate([each.pixels for each in raw_batches(source)])
    np.testing.assert_array_equal(pixels, np.stack([decoded(each, SIDE, place="") for each in raw]))


def test_a_dictionary_beside_groups_of_another_kind_is_read_by_the_row(tmp_path):
    table = pa.table({"image": pa.array([saved(noisy(1))] * 3)})
    pq.write_table(table, tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    for coded, expected in ((["image"], 64), ([], 1)):
        assert cells.rows_at_once(group, ["image"], 64, coded=coded, place="") == expected
