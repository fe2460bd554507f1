"""Rows are told in what was sent: all that went whole, many of the altered, none of others."""

import numpy as np
import pytest

from cipherset.app.discovery.egress.rows import Indexed
from cipherset.core.labels import Level
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes
from cipherset.pipeline.sanitize.shingles import Counting, build

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("r", "ten", "lo", "m")]
PHRASE = "i would like to know how i can"


def texts(seed, n):
    """Each begins as many do, and goes on as none does."""
    rng = np.random.default_rng(seed)
    return [
        f"{PHRASE} {' '.join(rng.choice(WORDS, size=int(rng.integers(9, 30))))}" for _ in range(n)
    ]


@pytest.fixture(scope="module")
def rows():
    return texts(0, 300)


@pytest.fixture(scope="module")
def indexed(rows):
    hashes = KeyedHashes(KeyHandle("k", 1, Secret(bytes(32))), "shingles")
    counting = Counting(hashes)
    index = build(counting.watching([rows]), hashes)
    return Indexed("tickets", Level.RESTRICTED, index, counting.done().bits)


def test_every_row_that_was_sent_whole_is_told_and_no_other(rows, indexed):
    for i in range(0, 300, 7):
        assert indexed.rows_in(f"Please answer: {rows[i].upper()}!") == {i}
    batch = [3, 50, 51, 120, 299]
    assert indexed.rows_in("\n\n".join(rows[i] for i in batch)) == set(batch)


def test_a_turn_of_phrase_is_no_row(indexed):
    assert indexed.rows_in(f"{PHRASE} reset my router") == set()
    assert [text for text in texts(1, 300) if indexed.rows_in(text)] == []


def test_long_rows_are_told_though_words_were_replaced(rows, indexed):
    def altered(row):
        return " ".join("x" if i % 8 == 5 else word for i, word in enumerate(row.split()))

    long = [(i, row) for i, row in enumerate(rows) if len(row.split()) > 30]
    told = sum(i in indexed.rows_in(altered(row)) for i, row in long)
    assert told >= 0.8 * len(long)


def test_a_row_in_the_middle_of_a_long_text_is_told(rows, indexed):
    around = " ".join(texts(2, 400))
    assert len(around) > 40_000
    assert indexed.rows_in(f"{around}\n{rows[9]}\n{around}\n{around}\n{rows[200]}") == {9, 200}


def test_nothing_is_told_of_nothing(indexed):
    assert indexed.rows_in("") == set()
