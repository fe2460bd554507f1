"""How sure "none found" is, and that the sample it rests on is a fair one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cipherset.pipeline.sanitize.label import Reservoir, at_most


def test_the_rule_of_three():
    assert at_most(2000, 10**6) == pytest.approx(3 / 2000, rel=0.01)
    assert at_most(1, 10) == pytest.approx(0.95)
    assert at_most(0, 10) == 1.0
    assert at_most(10, 10) == 0.0
    assert at_most(10, 100, 0.0) == 1.0


@given(st.integers(1, 5000), st.floats(0.05, 1.0))
def test_a_sample_as_clopper_and_pearson_have_it(n, recall):
    """One-sided, none of n: the 95 % quantile of Beta(1, n); a row is seen with ``recall``."""
    assert at_most(n, n + 1, recall) == pytest.approx(min(stats.beta.ppf(0.95, 1, n) / recall, 1.0))


@pytest.mark.parametrize("recall", [0.5, 0.9, 0.99])
def test_all_rows_by_counting(recall):
    """At the bound, all of that many are overlooked one time in twenty; one more, less often."""
    share = at_most(1000, 1000, recall)
    assert (1 - recall) ** (share * 1000) == pytest.approx(0.05)
    assert math.ceil(share * 1000) >= 1


def test_at_the_bound_a_sample_shows_nothing_one_time_in_twenty():
    rng = np.random.default_rng(0)
    n, recall = 50, 0.7
    share = at_most(n, 10**9, recall)
    seen = rng.random((20_000, n)) < share * recall
    assert (~seen.any(axis=1)).mean() == pytest.approx(0.05, abs=0.006)


def test_every_row_is_as_likely_to_be_kept():
    counts = np.zeros(40)
    for seed in range(3000):
        reservoir = Reservoir(10, np.random.default_rng(seed))
        for batch in (7, 0, 20, 13):
            start = reservoir.seen
            reservoir.offer(batch, lambda rows, start=start: [start + row for row in rows])
        counts[reservoir.rows()] += 1
    assert counts.sum() == 30_000
    assert stats.chisquare(counts).pvalue > 1e-4


@given(st.integers(1, 12), st.lists(st.integers(0, 9), max_size=8), st.integers(0, 99))
def test_a_reservoir_keeps_distinct_rows_in_order(size, batches, seed):
    reservoir = Reservoir(size, np.random.default_rng(seed))
    for batch in batches:
        start = reservoir.seen
        reservoir.offer(batch, lambda rows, start=start: [start + row for row in rows])
    rows = reservoir.rows()
    assert rows == sorted(set(rows))
    assert len(rows) == min(size, sum(batches))
    if sum(batches) <= size:
        assert rows == list(range(sum(batches)))
