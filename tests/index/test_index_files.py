"""An index in files: verified to the byte, changed in one step, and what is deleted is gone."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_samples import DIM, found, manifest, rows, slowly

from cipherset.core.errors import InputError, IntegrityError
from cipherset.pipeline.index import FileIndex
from cipherset.pipeline.index import files as files_module
from cipherset.pipeline.index.scan import nearest, squared_norms

DEADLINE_S = 300


@given(
    n=st.integers(0, 40),
    top=st.integers(1, 50),
    block=st.integers(1, 9),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60)
def test_blocks_find_what_one_look_finds(n, top, block, seed):
    every, query = rows(n, seed=seed), rows(1, seed=seed + 1).vectors[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cipherset.pipeline.index.scan.BLOCK_ROWS", block)
        got, squared = nearest(every.vectors, squared_norms(every.vectors), query, top, None)
    assert [every.ids[i].tobytes() for i in got] == slowly(every, query, top)
    exact = ((every.vectors[got] - query) ** 2).sum(axis=1)
    assert np.allclose(squared, exact, atol=1e-4)


def test_an_index_is_there_for_the_next_process(files):
    every = rows(30)
    files().add(every)
    again = files()
    assert again.rows() == 30
    assert found(again.query(every.vectors[4], 1)) == [every.ids[4].tobytes()]


def test_parts_are_cut_and_found_again(files, monkeypatch):
    monkeypatch.setattr(files_module, "PART_ROWS", 7)
    every = rows(30)
    files().add(every)
    index = files()
    assert [part.rows for part in index.manifest.parts] == [7, 7, 7, 7, 2]
    query = rows(1, seed=3).vectors[0]
    assert found(index.query(query, 12)) == slowly(every, query, 12)


def test_deleted_rows_are_in_no_file(files, folder):
    every = rows(10)
    index = files()
    index.add(every)
    held = every.vectors[3].tobytes()
    assert any(held in path.read_bytes() for path in folder.glob("part-*"))
    index.delete(every.ids[3:4])
    assert not any(held in path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert len(list(folder.glob("part-*"))) == 1


def test_an_index_without_rows_left_has_no_part(files, folder):
    index = files()
    index.add(rows(4))
    index.delete(rows(4).ids)
    assert (index.rows(), list(folder.glob("part-*"))) == (0, [])


def test_who_had_it_open_goes_on_with_what_was_there(files):
    every = rows(10)
    files().add(every)
    reader, writer = files(), files()
    writer.delete(every.ids[:5])
    assert found(reader.query(every.vectors[0], 1)) == [every.ids[0].tobytes()]
    assert files().rows() == 5


def test_many_add_at_once_and_nothing_is_lost(files, folder, signer):
    files()
    batches = [rows(5, seed=seed) for seed in range(8)]
    workers = [
        threading.Thread(
            target=lambda batch=batch: FileIndex(folder, signer).add(batch), daemon=True
        )
        for batch in batches
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(DEADLINE_S)
        assert not worker.is_alive()
    index = files()
    assert index.rows() == 40
    assert index.manifest.revision == 8


def test_a_run_that_died_before_the_manifest_leaves_what_was(files, folder, monkeypatch):
    every = rows(6)
    files().add(every)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files_module, "write_signed", dies)
        with pytest.raises(KeyboardInterrupt):
            files().add(rows(6, seed=1))
    assert len(list(folder.glob("part-*"))) == 2
    index = files()
    assert index.rows() == 6
    index.add(rows(3, seed=2))
    assert len(list(folder.glob("part-*"))) == 2  # the stray one is gone


@pytest.mark.parametrize("name", ["index.json", "part-00000001-00000.arrow"])
@pytest.mark.parametrize("where", [0, 0.3, 0.6, -1])
def test_one_changed_byte_is_refused(files, folder, name, where):
    files().add(rows(6))
    path = folder / name
    raw = bytearray(path.read_bytes())
    place = int(where * len(raw)) if where >= 0 else -1
    raw[place] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IntegrityError) as refused:
        files()
    assert refused.value.exit_code == 5


def test_a_missing_part_is_refused(files, folder):
    files().add(rows(6))
    next(folder.glob("part-*")).unlink()
    with pytest.raises(IntegrityError) as refused:
        files()
    assert refused.value.code == "index_part"


def test_a_folder_without_an_index_is_refused(folder, signer):
    with pytest.raises(IntegrityError) as refused:
        FileIndex(folder, signer)
    assert refused.value.code == "index_missing"


def test_what_is_signed_and_of_another_form_is_refused(folder, signer):
    from cipherset.core import canonical, envelope
    from cipherset.pipeline.index.manifest import INDEX_TYPE

    told = manifest(signer).model_dump(mode="json", by_alias=True) | {"dim": 0}
    raw = envelope.sign(canonical.encode(told), INDEX_TYPE, signer)
    (folder / "index.json").write_bytes(raw)
    with pytest.raises(IntegrityError) as refused:
        FileIndex(folder, signer)
    assert refused.value.code == "index_schema"


def test_what_else_the_manifest_says_changes_no_row(files):
    index = files()
    index.add(rows(6))
    index.say(index.manifest.model_copy(update={"rows": 99, "sanitizer": {"EMAIL": 1}}))
    again = files()
    assert (again.rows(), again.manifest.sanitizer) == (6, {"EMAIL": 1})
    assert again.dim == DIM


def test_where_there_is_nothing_at_all_the_input_is_wrong(tmp_path, signer):
    with pytest.raises(InputError) as refused:
        FileIndex(tmp_path / "nowhere", signer)
    assert refused.value.code == "no_directory"
