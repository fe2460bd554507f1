"""Groups by every combination of clear columns, against loops."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.inversion.clear_columns import (
    MOST_COMBINATIONS,
    clear_column_risk,
)

VALUES = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b"]))


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=30))
def test_every_combination_is_the_slow_one(rows):
    names = ["label", "city", "age"]
    risk = clear_column_risk({name: [row[j] for row in rows] for j, name in enumerate(names)})
    expected = [c for n in (1, 2, 3) for c in itertools.combinations(names, n)]
    assert [one.columns for one in risk.combinations] == expected
    assert risk.left_out == 0
    for one in risk.combinations:
        keys = [tuple(row[names.index(name)] for name in one.columns) for row in rows]
        counts = Counter(keys)
        assert one.k == min(counts.values())
        assert one.rows_alone == sum(n == 1 for n in counts.values())
        assert one.reidentified == pytest.approx(sum(1 / counts[k] for k in keys) / len(keys))
        assert (one.rows, one.groups) == (len(rows), len(counts))


def test_known_answer():
    risk = clear_column_risk({"label": ["x", "x", "y", "y"], "city": ["A", "A", "A", "B"]})
    label, city, both = risk.combinations
    assert (label.k, label.rows_alone, label.reidentified) == (2, 0, 0.5)
    assert (city.k, city.rows_alone, city.reidentified) == (1, 1, 0.5)
    assert (both.k, both.rows_alone, both.reidentified) == (1, 2, 0.75)


def test_missing_values_are_one_value():
    (one,) = clear_column_risk({"age": [None, float("nan"), float("nan"), 1.0]}).combinations
    assert (one.groups, one.k) == (2, 1)


def test_a_column_more_never_hides_better():
    columns = {f"c{j}": [(i * (j + 3)) % (j + 2) for i in range(40)] for j in range(5)}
    told = {one.columns: one for one in clear_column_risk(columns).combinations}
    for names, one in told.items():
        for more in columns:
            if more not in names:
                wider = told[tuple(n for n in columns if n in {*names, more})]
                assert wider.reidentified >= one.reidentified
                assert wider.k <= one.k


def test_many_columns_are_capped_and_all_together_stay():
    columns = {f"c{j}": [i % (j + 2) for i in range(50)] for j in range(12)}
    risk = clear_column_risk(columns)
    assert len(risk.combinations) == MOST_COMBINATIONS
    assert risk.left_out == 2**12 - 1 - MOST_COMBINATIONS
    assert risk.combinations[-1].columns == tuple(columns)
    assert len(set(risk.combinations)) == MOST_COMBINATIONS


@pytest.mark.parametrize(
    ("columns", "family", "code"),
    [
        ({}, InputError, "no_columns"),
        ({"a": [1], "b": [1, 2]}, DimensionError, "dimension"),
        ({"a": []}, InputError, "no_rows"),
    ],
)
def test_refusals(columns, family, code):
    with pytest.raises(family) as refused:
        clear_column_risk(columns)
    assert refused.value.code == code
    assert refused.value.hint
