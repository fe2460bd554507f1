"""Group sizes over the clear columns, against counting them one by one."""

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cipherset.pipeline.export import k_anonymity

ROWS = st.lists(
    st.tuples(st.sampled_from(["north", "south", None]), st.integers(0, 3)), max_size=40
)


@given(ROWS, st.integers(1, 7))
def test_it_counts_like_a_loop(rows, size):
    table = pa.table(
        {
            "region": pa.array([row[0] for row in rows], pa.string()),
            "age": pa.array([row[1] for row in rows], pa.int64()),
            "note": pa.array(range(len(rows)), pa.int64()),
        }
    )
    batches = [table.slice(start, size) for start in range(0, len(rows), size)]
    found = k_anonymity(batches, ["region", "age"])
    sizes = Counter(rows).values()
    assert found.rows == len(rows)
    assert found.k == min(sizes, default=0)
    assert found.combinations == len(sizes)
    assert found.rows_alone == sum(1 for n in sizes if n == 1)


def test_without_columns_all_rows_are_one_group():
    found = k_anonymity([pa.table({"a": [1, 2]}), pa.table({"a": [3]})], [])
    assert (found.k, found.combinations, found.rows_alone) == (3, 1, 0)
