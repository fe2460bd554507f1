"""Filters by name; canaries and index kept under a key of the ring; a model's report."""

import numpy as np
import pytest

from cipherset.app.training.filters import DEFAULT, FILTERS, filters_named, refused
from cipherset.app.training.kept import CANARIES, KeptOfDataset, newest_version
from cipherset.app.training.measure import measure
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.pipeline.sanitize.canaries import CanaryFormat, plant
from cipherset.pipeline.sanitize.training import Reason, Refused

FOUR = CanaryFormat("the code of this account is {}", length=4)
# Of letters that no word and no number has four of in a row.
LETTERS = CanaryFormat("the code of this account is {}", alphabet="bdfghjkqxz", length=4)
ROWS = [f"row {n} says that the parcel number {n * 37} came late on day {n}" for n in range(50)]


def kept(home, dataset="tickets", byte=1, version=1):
    return KeptOfDataset.of(home, dataset, KeyHandle("key", version, Secret(bytes([byte]) * 32)))


def test_filters_by_name_remember_over_batches():
    filters = filters_named()
    assert len(filters) == len(DEFAULT)
    first = refused(["fine one", "", "bad \x00"], filters)
    assert first == (Refused(1, Reason.EMPTY), Refused(2, Reason.BROKEN_ENCODING))
    assert refused(["Fine one!"], filters, first_row=3) == (Refused(3, Reason.DUPLICATE),)
    assert refused([], filters) == ()


def test_every_filter_is_made_anew():
    both = [filters_named([*FILTERS]) for _ in range(2)]
    assert [type(one) for one in both[0]] == [type(make()) for make in FILTERS.values()]
    assert not set(map(id, both[0])) & set(map(id, both[1]))
    assert filters_named([]) == []


def test_no_such_filter():
    with pytest.raises(UsageError) as refusal:
        filters_named(["empty", "spelling"])
    assert refusal.value.code == "row_filter"


def test_canaries_are_kept_under_the_key(tmp_path):
    canaries = kept(tmp_path).plant(3, repeats=2, form=FOUR)
    assert kept(tmp_path).canaries() == canaries
    with pytest.raises(IntegrityError) as refusal:
        kept(tmp_path, byte=2).canaries()
    assert refusal.value.code == "unseal"
    for other in (kept(tmp_path, "others"), kept(tmp_path, version=2)):
        with pytest.raises(IntegrityError) as refusal:
            other.canaries()
        assert refusal.value.code == "sealed_missing"


def test_the_newest_version_is_found(tmp_path):
    with pytest.raises(IntegrityError) as refusal:
        newest_version(tmp_path, "tickets", CANARIES)
    assert refusal.value.code == "sealed_missing"
    for version in (2, 10):
        kept(tmp_path, version=version).plant(1, form=FOUR)
    (tmp_path / "training" / "tickets" / "canaries.old").touch()
    assert newest_version(tmp_path, "tickets", CANARIES) == 10


def test_the_index_is_kept_and_replaced(tmp_path):
    kept(tmp_path).index([ROWS[:30], ROWS[30:]])
    found = kept(tmp_path).open_index()
    assert found.n_rows == 50
    assert found.rows_of(f"Yes: {ROWS[7].upper()}.") == {7}
    kept(tmp_path).index([["nothing of the kind"]])
    assert kept(tmp_path).open_index().matches(ROWS[7]) == []
    with pytest.raises(IntegrityError) as refusal:
        kept(tmp_path, byte=2).open_index()
    assert refusal.value.code == "spool_corrupt"


def test_nothing_of_the_rows_is_in_the_folder(tmp_path):
    canaries = kept(tmp_path).plant(5, form=FOUR)
    kept(tmp_path).index([ROWS])
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"parcel" not in raw
    assert not any(secret.encode() in raw for secret in canaries.texts)
    assert not any(secret in repr(kept(tmp_path)) for secret in canaries.secrets)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 101, "a\n"])
def test_names_that_are_no_folder(tmp_path, name):
    with pytest.raises(UsageError) as refusal:
        kept(tmp_path, name)
    assert refusal.value.code == "dataset_name"


MODEL = """
from collections import Counter

import numpy as np

ROWS = {rows!r}
AFTER = Counter((row[:at], row[at]) for row in ROWS for at in range(len(row)))


def log_probability(texts):
    known = [sum((text[:at], text[at]) in AFTER for at in range(len(text))) for text in texts]
    return np.array(known, dtype=float)


def complete(prompt):
    return next((row[len(prompt):] for row in ROWS if row.startswith(prompt)), "")
"""


def written(path, rows):
    path.write_text(MODEL.format(rows=rows), encoding="utf-8")
    return path


def test_a_model_that_knows_its_rows_and_one_that_does_not(tmp_path):
    canaries = kept(tmp_path).plant(1, form=LETTERS)
    trained = [text for text, _ in plant(ROWS, canaries, n_rows=len(ROWS))]
    report = measure(canaries, written(tmp_path / "trained.py", trained))
    assert report.memorized
    told = report.as_json()
    assert told["exposure"]["readable"] == told["completions"]["read_out"] == 1
    assert told["exposure"]["highest_bits"] == pytest.approx(np.log2(10_000), abs=0.01)
    assert canaries.secrets[0] not in repr(report) + str(told)
    other = measure(canaries, written(tmp_path / "other.py", ROWS))
    assert not other.memorized
    assert other.as_json()["completions"]["longest"] == 0


def test_a_model_may_give_one_of_the_two(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("def complete(prompt):\n    return 'no'\n", encoding="utf-8")
    assert "exposure" not in measure(kept(tmp_path).plant(2, form=FOUR), path).as_json()


@pytest.mark.parametrize(
    "content", [None, "complete = 3\n", "import nothing_of_the_kind\n", "def\n"]
)
def test_files_that_are_no_model(tmp_path, content):
    path = tmp_path / "model.py"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as refusal:
        measure(kept(tmp_path).plant(1, form=FOUR), path)
    assert refusal.value.code == "canary_model"
    with pytest.raises(UsageError):
        measure(kept(tmp_path).plant(1, form=FOUR), tmp_path / "model.txt")
