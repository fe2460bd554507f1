"""All rows on every core are what they are on one; endless cells and rows take bounded work."""

import numpy as np
import pyarrow as pa
import pytest
from scan_rows import CARDS, write_csv

from cipherset.app.scanning.look import look_at_all, look_at_some, scan_detectors
from cipherset.core.values import ROW, Records
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.sanitize import (
    LONGEST,
    TRUNCATED,
    SanitizeRules,
    default_policy,
    sanitize,
)
from cipherset.pipeline.sanitize.label import Reservoir

N_ROWS = 2_100  # three batches
DETECTORS = scan_detectors(default_policy())


@pytest.fixture
def source(tmp_path):
    columns = {
        "body": [
            f"mail {n}@example.com" if n % 7 == 0 else f"row {n % 90} is fine"
            for n in range(N_ROWS)
        ],
        "pay": [CARDS[n % 4] if n % 3 == 0 else "" for n in range(N_ROWS)],
        "n": [n % 50 for n in range(N_ROWS)],
    }
    return open_source(write_csv(tmp_path / "rows.csv", columns))


def test_every_core_sees_what_one_sees(source):
    here = look_at_all(source, (), DETECTORS, TerminalProgress(), 1)
    there = look_at_all(source, (), DETECTORS, TerminalProgress(), 2)
    assert there.seen == here.seen
    assert (there.n_rows, there.n_looked) == (N_ROWS, N_ROWS)
    assert there.seen["body"].found["EMAIL"] == N_ROWS / 7
    assert there.seen["pay"].found["CARD"] == N_ROWS / 3
    assert list(there.seen) == ["body", "pay", "n"]


def test_a_sample_of_all_rows_is_all_rows(source):
    rng = np.random.default_rng(0)
    every = look_at_all(source, (), DETECTORS, TerminalProgress(), 1)
    some = look_at_some(source, (), DETECTORS, TerminalProgress(), Reservoir(N_ROWS, rng))
    for name, seen in every.seen.items():
        assert some.seen[name].found == seen.found
        assert some.seen[name].shapes == seen.shapes


class Counts:
    """Counts the characters that it is given; finds nothing."""

    name, version, entities = "counts", "1", frozenset({"SECRET"})

    def __init__(self):
        self.n_read = 0

    def detect(self, texts):
        self.n_read += sum(map(len, texts))
        return [[] for _ in texts]


@pytest.mark.parametrize("times", [2, 4])
def test_an_endless_row_of_an_export_is_read_as_far_as_encoders_read(times):
    """So much and no more, and how many rows that were is counted."""
    counting = Counts()
    texts = ["word " * (LONGEST // 5) * times, "short"]
    numbers = pa.table({ROW: pa.array(range(2), pa.int64())})
    clean = sanitize(Records(texts, numbers), SanitizeRules((counting,)))
    assert counting.n_read == LONGEST + len("short")
    assert clean.found == {TRUNCATED: 1}
    assert [len(text) for text in clean.texts] == [LONGEST, len("short")]


def test_what_is_read_of_a_row_is_still_sanitized():
    text = "a@example.com " + "word " * (LONGEST // 5)
    numbers = pa.table({ROW: pa.array([0], pa.int64())})
    clean = sanitize(Records([text], numbers), SanitizeRules(DETECTORS[:1]))
    assert clean.texts[0].startswith("[EMAIL] word")
    assert clean.found == {"EMAIL": 1, TRUNCATED: 1}
