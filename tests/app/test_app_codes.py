"""Rows told apart in few bytes: the same as by numpy's ways, which take many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.app.exports.codes import combine, ranked
from cipherset.pipeline.sanitize.training import copies
from cipherset.pipeline.sanitize.training.copies import CopyFinder, first_equal, is_among

NUMBERS = st.lists(st.integers(-3, 12) | st.sampled_from([-(2**62), 2**40, 2**62]), max_size=30)


@given(NUMBERS)
def test_ranks_are_those_of_unique(numbers):
    codes = np.array(numbers, dtype=np.int64)
    assert ranked(codes).tolist() == np.unique(codes, return_inverse=True)[1].tolist()


@given(st.lists(st.tuples(st.integers(-2, 3), st.integers(0, 9), st.integers(5, 6)), max_size=20))
def test_combinations_are_those_of_unique(rows):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    slow = np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
    assert combine([*columns.T]).tolist() == slow.tolist()


@given(NUMBERS, NUMBERS)
def test_the_first_that_is_equal(numbers, others):
    values = np.array(numbers, dtype=np.int64)
    assert first_equal(values).tolist() == [numbers.index(each) for each in numbers]
    these = np.unique(np.array(others, dtype=np.int64))
    assert is_among(values, these).tolist() == [each in others for each in numbers]


def test_many_are_looked_up_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(copies, "_AT_ONCE", 3)
    values = np.array([5, 1, 5, 2, 9, 1, 1, 9, 4, 5], dtype=np.uint64)
    assert first_equal(values).tolist() == [0, 1, 0, 3, 4, 1, 1, 4, 8, 0]


@pytest.mark.parametrize(("rows", "same"), [(["ab", "ab"], [0, 0]), (["ab", "cd"], None)])
def test_copies_of_what_is_no_text_are_the_same_only(rows, same):
    finder = CopyFinder()
    for row in rows:
        finder.add([row.encode()])
    found = finder.found()
    assert (None if found is None else found.same.tolist()) == same
    assert CopyFinder().found() is None
