"""Sketches of many rows: found on disk as in memory, sealed there, and gone with the process."""

import numpy as np
import pytest

from cipherset.core.errors import BackendError
from cipherset.pipeline.sanitize.training import Duplicates
from cipherset.pipeline.sanitize.training.bands import (
    MOST_PER_BAND,
    BandIndex,
    Pad,
    Sketchbook,
    SpilledBands,
    keys_of,
)
from cipherset.pipeline.sanitize.training.duplicates import ExactTexts
from cipherset.pipeline.sanitize.training.minhash import BANDS, N_ORDERS

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("r", "ten", "lo", "m")]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def pairs(found):
    return set(zip(*(each.tolist() for each in found), strict=True))


def test_on_disk_is_found_what_is_found_in_memory(rng, tmp_path):
    """Many batches, so that files are merged, and merged files too."""
    bands = rng.integers(0, 4000, (3000, BANDS), dtype=np.uint32)
    kept, spilled = BandIndex(), SpilledBands(tmp_path, in_memory=32)
    for start in range(0, 3000, 16):
        rows = np.arange(start, min(start + 16, 3000))
        kept.add(keys_of(bands[rows]), rows)
        spilled.add(bands[rows], rows)
    assert {file.tier for file in spilled._files} == {0, 1, 2}
    asked = np.concatenate([bands[::7], rng.integers(0, 2**32, (50, BANDS), dtype=np.uint32)])
    assert pairs(spilled.find(asked)) == pairs(kept.find(keys_of(asked)))
    assert len(pairs(spilled.find(asked))) > 2000


def test_of_one_band_the_first_rows_are_compared(tmp_path):
    spilled = SpilledBands(tmp_path, in_memory=8)
    same = np.zeros((200, BANDS), dtype=np.uint32)
    for start in range(0, 200, 8):
        spilled.add(same[:8], np.arange(start, start + 8))
    found = pairs(spilled.find(same[:1]))
    assert found == {(0, row) for row in range(MOST_PER_BAND)}


def test_bands_that_no_row_has_are_hardly_looked_up(rng, tmp_path):
    """The filter lets about 2 in 100 through; all that are there pass."""
    spilled = SpilledBands(tmp_path, in_memory=512)
    bands = rng.integers(0, 2**32, (512, BANDS), dtype=np.uint32)
    spilled.add(bands, np.arange(512))
    (file,) = spilled._files
    there = spilled._pad.hashes(keys_of(bands)).reshape(-1)
    others = spilled._pad.hashes(keys_of(rng.integers(0, 2**32, (512, BANDS), dtype=np.uint32)))
    assert file._may_have(there).all()
    assert 0.005 < file._may_have(others.reshape(-1)).mean() < 0.05


def test_sketches_come_back_as_they_were(rng, tmp_path):
    sketches = rng.integers(0, 256, (1000, N_ORDERS), dtype=np.uint8)
    book = Sketchbook(tmp_path, in_memory=64)
    for start in range(0, 1000, 50):
        book.add(sketches[start : start + 50])
    rows = rng.integers(0, 1000, 400)
    np.testing.assert_array_equal(book.take(rows), sketches[rows])
    assert len(book) == 1000


def test_what_is_on_disk_has_no_name_and_tells_nothing(tmp_path):
    """The bytes of a sketch and of bands, all the same here, are nowhere in what was written."""
    book, spilled = Sketchbook(tmp_path, in_memory=16), SpilledBands(tmp_path, in_memory=16)
    sketch = np.frombuffer(b"canary-9e1c" * 11, dtype=np.uint8)[:N_ORDERS]
    bands = np.full((16, BANDS), 0xC0FFEE42, dtype=np.uint32)
    for start in range(0, 64, 16):
        book.add(np.tile(sketch, (16, 1)))
        spilled.add(bands, np.arange(start, start + 16))
    assert list(tmp_path.iterdir()) == []
    written = [book._file, *(file._file for file in spilled._files)]
    for file in written:
        raw = file.read(0, 1 << 20)
        assert len(raw) > 1000
        assert b"canary" not in raw
        assert bytes.fromhex("c0ffee42") not in raw
        assert bytes.fromhex("42eeffc0") not in raw


def test_a_pad_is_a_pad_of_its_own():
    keys = np.arange(1000, dtype=np.uint64)
    one, other = Pad(), Pad()
    np.testing.assert_array_equal(one.hashes(keys), one.hashes(keys))
    assert not set(one.hashes(keys).tolist()) & set(other.hashes(keys).tolist())
    streams = one.streams(np.arange(300))
    assert len({row.tobytes() for row in streams}) == 300
    blocks = streams.reshape(-1, 16)
    assert len({block.tobytes() for block in blocks}) == len(blocks)


def test_verdicts_are_the_same_however_little_is_in_memory(rng, tmp_path):
    texts = [" ".join(rng.choice(WORDS, size=20)) for _ in range(600)]
    copies = [text.replace(" ", " and ", 1) for text in texts[::3]]
    every = [str(text) for text in rng.permutation(texts + copies + texts[:50])]
    told = []
    for in_memory in (10_000, 40):
        duplicates, verdicts = Duplicates(folder=tmp_path, in_memory=in_memory), []
        for start in range(0, len(every), 64):
            verdicts += duplicates.judge_texts(every[start : start + 64])
        told.append(verdicts)
    assert told[0] == told[1]
    assert sum(verdict is not None for verdict in told[0]) > 200


def test_exact_texts_are_those_of_a_set(rng):
    seen, exact = set(), ExactTexts()
    for size in rng.integers(0, 40, 60):
        texts = [f"row {n}" for n in rng.integers(0, 500, size)]
        expected = []
        for text in texts:
            expected.append(text in seen)
            seen.add(text)
        assert exact.add(texts) == expected
    every = [f"row {n}" for n in range(500)]
    assert exact.has(every) == [text in seen for text in every]


def test_a_folder_that_is_not_there(tmp_path):
    spilled = SpilledBands(tmp_path / "no", in_memory=4)
    with pytest.raises(BackendError) as refused:
        spilled.add(np.zeros((4, BANDS), dtype=np.uint32), np.arange(4))
    assert refused.value.code == "disk"
